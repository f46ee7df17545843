#include <gtest/gtest.h>

#include <random>

#include "stack_fixture.h"

/// What calls leave behind on the data stack must not be taken for frames that are there.
namespace gilspy {
namespace {

class PoppedFramesTest : public StackReaderTest {
 protected:
  [[nodiscard]] std::uint8_t ending_opcode() const {
    for (std::uint16_t opcode = 255; opcode > 0; --opcode) {
      if (layout.opcodes.ends.at(opcode)) return static_cast<std::uint8_t>(opcode);
    }
    ADD_FAILURE() << "no instruction ends a frame";
    return 0;
  }
  [[nodiscard]] bool tells_running() const { return at.frame.stacktop.present(); }
  void set_running(RemoteAddress frame, bool running) {
    objects.set(frame, at.frame.stacktop, std::int32_t{running ? -1 : 1});
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, PoppedFramesTest,
                         testing::ValuesIn(minors_where([](const Layout& layout) {
                           return layout.at.thread.datastack_chunk.present();
                         })));

TEST_P(PoppedFramesTest, AFrameAtItsReturnIsGone) {
  codes.put_opcode(inner, 3, ending_opcode());
  push_first_chunk();
  push_frame(outer, 1);
  const RemoteAddress popped = push_frame(inner, 3);
  set_running(popped, false);
  run_on();
  EXPECT_EQ(stack(), "outer:10");
}

TEST_P(PoppedFramesTest, AFrameThatStillExecutesItsReturnIsThereWhereThatCanBeTold) {
  codes.put_opcode(inner, 3, ending_opcode());
  push_first_chunk();
  push_frame(outer, 1);
  push_frame(inner, 3);
  run_on();
  EXPECT_EQ(stack(), tells_running() ? "outer:10 inner:31" : "outer:10");
}

TEST_P(PoppedFramesTest, InlineCachesAreNoReturns) {
  // Find an instruction with two units of cache or more; the last of them looks like a return.
  for (std::uint16_t opcode = 0; opcode < 256; ++opcode) {
    if (layout.opcodes.caches.at(opcode) < 2) continue;
    codes.put_opcode(inner, 1, static_cast<std::uint8_t>(opcode));
    break;
  }
  codes.put_opcode(inner, 3, ending_opcode());
  push_first_chunk();
  push_frame(outer, 1);
  set_running(push_frame(inner, 3), false);
  EXPECT_EQ(stack(), "outer:10 inner:31");
}

TEST_P(PoppedFramesTest, NothingIsAboveAFrameThatHasNotBegun) {
  push_first_chunk();
  push_frame(outer, 1);
  const RemoteAddress begins = push_frame(middle, 0);
  set_running(push_frame(inner, 2), false);
  set_running(begins, false);
  run_on();
  EXPECT_EQ(stack(), "outer:10");
}

TEST_P(PoppedFramesTest, NothingIsAboveAFrameThatRuns) {
  if (!tells_running()) return;
  push_first_chunk();
  const RemoteAddress runs = push_frame(outer, 1);
  set_running(push_frame(inner, 2), false);
  set_running(runs, true);
  run_on();
  EXPECT_EQ(stack(), "outer:10");
}

TEST_P(PoppedFramesTest, AFrameThatAnExceptionLeftIsGone) {
  push_first_chunk();
  const RemoteAddress below = push_frame(outer, 1);
  const RemoteAddress left = push_frame(inner, 2);
  set_running(left, false);
  for (std::uint16_t opcode = 0; opcode < 256; ++opcode) {
    if (layout.opcodes.leaves.at(opcode))
      codes.put_opcode(inner, 2, static_cast<std::uint8_t>(opcode));
  }
  EXPECT_EQ(stack(), "outer:10 inner:31");
  set_head(below);
  EXPECT_EQ(stack(), "outer:10");
}

TEST_P(PoppedFramesTest, AFrameThatRaisedAndDoesNotRunIsGone) {
  if (!tells_running()) return;
  for (std::uint16_t opcode = 0; opcode < 256; ++opcode) {
    if (layout.opcodes.raises.at(opcode)) {
      codes.put_opcode(inner, 2, static_cast<std::uint8_t>(opcode));
    }
  }
  push_first_chunk();
  push_frame(outer, 1);
  const RemoteAddress raised = push_frame(inner, 2);
  EXPECT_EQ(stack(), "outer:10 inner:31");
  set_running(raised, false);
  run_on();
  EXPECT_EQ(stack(), "outer:10");
}

TEST_P(PoppedFramesTest, AFrameOfAFreedFunctionIsGone) {
  push_first_chunk();
  push_frame(outer, 1);
  push_frame(inner, 2);
  ASSERT_EQ(stack(), "outer:10 inner:31");
  objects.set(inner, at.object.type, RemoteAddress{0xdead0000});
  EXPECT_EQ(stack(), "outer:10");
}

TEST_P(PoppedFramesTest, AFrameIsThereWhenAnotherFunctionTookThePlaceOfItsCode) {
  codes.put_opcode(inner, 0, layout.opcodes.makes_generator);
  push_first_chunk();
  for (int i = 0; i < 40; ++i) push_frame_anywhere(outer);
  set_running(push_frame(inner, 2), false);
  run_on();
  const std::string below = stack();
  // The next function's code lies where that one's was.
  codes.put(inner, "newcomer", "app.py", 50);
  codes.put_opcode(inner, 0, 0);
  EXPECT_EQ(stack(), below + " newcomer:51");
}

TEST_P(PoppedFramesTest, AFrameOfALowerChunkIsThereWhenAnotherFunctionTookThePlaceOfItsCode) {
  codes.put_opcode(middle, 0, layout.opcodes.makes_generator);
  push_first_chunk();
  push_frame(outer);
  set_running(push_frame(middle, 2), false);
  run_on();
  ASSERT_EQ(stack(), "outer:10");
  codes.put(middle, "newcomer", "app.py", 50);
  codes.put_opcode(middle, 0, 0);
  push_chunk(second_chunk);
  push_frame(inner);
  EXPECT_EQ(stack(), "outer:10 newcomer:51 inner:30");
}

TEST_P(PoppedFramesTest, AFrameCalledFromElsewhereIsGone) {
  push_first_chunk();
  const RemoteAddress bottom = push_frame(outer, 1);
  const RemoteAddress runs = push_frame(middle, 2);
  const RemoteAddress left = push_frame(inner, 2);
  objects.set(left, at.frame.previous, bottom);
  run_on(left, runs);
  EXPECT_EQ(stack(), "outer:10 middle:21");
}

TEST_P(PoppedFramesTest, WhatACallOfAGeneratorFunctionLeavesIsGone) {
  codes.put_opcode(inner, 0, layout.opcodes.makes_generator);
  push_first_chunk();
  push_frame(outer, 1);
  set_running(push_frame(inner, 2), false);
  run_on();
  EXPECT_EQ(stack(), "outer:10");
}

TEST_P(PoppedFramesTest, TheCopyIsBelievedNotTheThread) {
  // current_frame was read a moment before the frame on top returned, or the next one was pushed.
  codes.put_opcode(inner, 3, ending_opcode());
  push_first_chunk();
  const RemoteAddress bottom = push_frame(outer, 1);
  const RemoteAddress runs = push_frame(middle, 2);
  run_on(bottom, runs);
  EXPECT_EQ(stack(), "outer:10 middle:21");
  const RemoteAddress popped = push_frame(inner, 3);
  set_running(popped, false);
  objects.set(popped, at.frame.previous, bottom);
  set_head(popped);
  run_on(popped, runs);
  EXPECT_EQ(stack(), "outer:10 middle:21");
}

TEST_P(PoppedFramesTest, ALowerChunkThatIsNotFullIsTorn) {
  push_first_chunk();
  push_frame(outer, 1);
  push_frame(middle, 1);
  push_chunk(second_chunk);
  push_frame(inner, 1);
  ASSERT_EQ(stack(), "outer:10 middle:20 inner:30");
  objects.set(first_chunk, at.chunk.top, std::uint64_t{3});
  run_on();
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(PoppedFramesTest, AFrameThatHasNotBegunIsThereOnlyWhileTheTargetStandsStill) {
  push_first_chunk();
  push_frame(outer, 2);
  push_frame(inner, -1);
  EXPECT_EQ(stack(), "outer:11 inner:30");
  // It may not be linked yet: what it says of its caller may be of another frame that was there
  // before.
  run_on();
  EXPECT_EQ(stack(), "outer:11");
}

TEST_P(PoppedFramesTest, AGeneratorIsBeingMadeOnlyWhileTheTargetStandsStill) {
  codes.put_opcode(inner, 0, layout.opcodes.makes_generator);
  push_first_chunk();
  push_frame(outer, 1);
  put_frame(objects.allocate(1024), middle, 1);
  push_frame(inner, 0);
  EXPECT_EQ(stack(), "outer:10 middle:20 inner:30");
  run_on();
  EXPECT_EQ(stack(), "outer:10 middle:20");
}

TEST_P(PoppedFramesTest, ATargetThatStandsStillNeedsFewLooks) {
  codes.put_opcode(inner, 0, layout.opcodes.makes_generator);
  push_first_chunk();
  push_frame(outer, 1);
  push_frame(inner, 0);
  ASSERT_FALSE(error());
  ASSERT_FALSE(error());
  EXPECT_LE(reader.effort().again, 2U);
}

TEST_P(PoppedFramesTest, RandomBytesAboveTheTopHarmNothing) {
  std::mt19937_64 random{3};
  push_first_chunk();
  push_frame(outer, 1);
  const RemoteAddress top = push_frame(inner, 2);
  const std::uint64_t room = FakeCode::frame_room(layout);
  for (int round = 0; round < 200; ++round) {
    for (std::uint64_t i = 0; i < 1024; i += 8) {
      const std::array<std::uint64_t, 4> choices{(top + random() % 2048 / 8 * 8).value(),
                                                 random() % 4 == 0 ? middle.value() : random(),
                                                 random() % 64, 0};
      memory.put(top + room + i, choices.at(random() % choices.size()));
    }
    EXPECT_EQ(stack().substr(0, 17), "outer:10 inner:31");
  }
}

}  // namespace
}  // namespace gilspy
