#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "stack_fixture.h"

namespace gilspy {
namespace {

/// A data stack that changes while it is copied.
class ChangingStackTest : public StackReaderTest {};
INSTANTIATE_TEST_SUITE_P(Versions, ChangingStackTest,
                         testing::ValuesIn(minors_where([](const Layout& layout) {
                           return layout.at.thread.datastack_chunk.present();
                         })));

TEST_P(ChangingStackTest, IsAsDeepAsItWasWhenTheLookBegan) {
  push_first_chunk();
  push_frame(outer);
  push_frame(middle);
  const RemoteAddress top = push_frame(inner);
  const RemoteAddress below = *memory.read_pointer(at.frame.previous.in(top));
  ASSERT_EQ(stack(), "outer:10 middle:20 inner:30");

  // The first copy of the chunk is made when inner has returned and been called again at once.
  const std::size_t first = memory.batches();
  memory.before_slot([&](std::size_t batch, RemoteAddress from) {
    const bool away = batch == first && from == first_chunk;
    objects.set(top, at.frame.previous, away ? RemoteAddress{} : below);
  });
  EXPECT_EQ(stack(), "outer:10 middle:20 inner:30");
  EXPECT_GT(memory.batches(), first + 1);
}

TEST_P(ChangingStackTest, TakesTheDepthThatComesNextWhenItsOwnDoesNotComeAgain) {
  push_first_chunk();
  push_frame(outer);
  push_frame(middle);
  const RemoteAddress top = push_frame(inner);
  ASSERT_EQ(stack(), "outer:10 middle:20 inner:30");
  memory.before_slot([&](std::size_t, RemoteAddress from) {
    if (from == first_chunk) objects.set(top, at.frame.previous, RemoteAddress{});
  });
  EXPECT_EQ(stack(), "outer:10 middle:20");
}

TEST_P(ChangingStackTest, ItsLowerChunksAreOfTheSameMomentAsTheOneOnTop) {
  push_chunk(first_chunk);
  const RemoteAddress bottom = push_frame(outer);
  push_chunk(second_chunk);
  const RemoteAddress top = push_frame(inner);
  ASSERT_EQ(stack(), "outer:10 inner:30");

  // All of them return, and others take their places, once the chunk on top has been copied.
  const auto take_place = [&](RemoteAddress frame, RemoteAddress code) {
    objects.set(frame, at.frame.code, code + layout.traits.reference_tag_mask);
    codes.put_unit(frame, code, 1);
  };
  memory.before_slot([&](std::size_t, RemoteAddress from) {
    if (from != first_chunk) return;
    take_place(bottom, middle);
    take_place(top, outer);
  });
  EXPECT_EQ(stack(), "middle:20 outer:10");
}

/// A generator between two frames of the chunk, and another one made in its place once it ended.
class ChangingGeneratorTest : public ChangingStackTest {
 protected:
  ChangingGeneratorTest() {
    push_first_chunk();
    push_frame(outer);
    generator = put_frame(objects.allocate(1024), middle);
    push_frame(inner);
  }
  /// It is `before` until the chunk has been copied, and `after` from then on.
  void change(RemoteAddress before, RemoteAddress after) {
    memory.before_slot([=, this](std::size_t, RemoteAddress from) {
      if (from == thread.address + first_field()) set_code(before);
      if (from == first_chunk) changed_ = true;
      if (from != first_chunk && std::exchange(changed_, false)) set_code(after);
    });
  }

  /// Where run_only() lets it end. To be called before its code is read.
  void put_end() {
    const auto ending = std::ranges::find(layout.opcodes.ends, true) - layout.opcodes.ends.begin();
    codes.put_opcode(middle, 3, static_cast<std::uint8_t>(ending));
  }
  enum class Runs : std::uint8_t { before, after };
  /// It runs until the chunk has been copied and has ended from then on, or the other way round.
  void run_only(Runs when) {
    const RemoteAddress caller = *memory.read_pointer(at.frame.previous.in(generator));
    memory.before_slot([=, this](std::size_t, RemoteAddress from) {
      if (from == first_chunk) changed_ = true;
      const bool copied = from != first_chunk && std::exchange(changed_, false);
      if (!copied && from != thread.address + first_field()) return;
      const bool runs = copied == (when == Runs::after);
      codes.put_unit(generator, middle, runs ? 1 : 3);
      objects.set(generator, at.frame.previous, runs ? caller : RemoteAddress{});
    });
  }

  RemoteAddress generator;
  const RemoteAddress other = codes.function("other", "app.py", 40);

 private:
  [[nodiscard]] std::uint64_t first_field() const {
    const auto head = layout.traits.frame_head == Traits::FrameHead::cframe
                          ? at.thread.cframe
                          : at.thread.current_frame;
    return static_cast<std::uint64_t>(std::min(head.offset, at.thread.datastack_chunk.offset));
  }
  void set_code(RemoteAddress code) {
    objects.set(generator, at.frame.code, code + layout.traits.reference_tag_mask);
    codes.put_unit(generator, code, 1);
  }

  bool changed_ = false;
};
INSTANTIATE_TEST_SUITE_P(Versions, ChangingGeneratorTest,
                         testing::ValuesIn(minors_where([](const Layout& layout) {
                           return layout.at.thread.datastack_chunk.present();
                         })));

TEST_P(ChangingGeneratorTest, IsTheOneThatWasSeenThereForSure) {
  for (int i = 0; i < 5; ++i) ASSERT_EQ(stack(), "outer:10 middle:20 inner:30");
  change(middle, other);
  EXPECT_EQ(stack(), "outer:10 middle:20 inner:30");
  change(other, middle);
  EXPECT_EQ(stack(), "outer:10 middle:20 inner:30");
}

TEST_P(ChangingGeneratorTest, IsAnotherOneOfTheSameFunctionWhereItEnded) {
  put_end();
  ASSERT_EQ(stack(), "outer:10 middle:20 inner:30");
  run_only(Runs::after);
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(ChangingGeneratorTest, MayHaveEndedBeforeTheChunkWasCopied) {
  put_end();
  ASSERT_EQ(stack(), "outer:10 middle:20 inner:30");
  run_only(Runs::before);
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(ChangingGeneratorTest, IsNotGuessed) {
  change(middle, other);
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(ChangingGeneratorTest, IsNotGuessedWhereBothWereSeen) {
  for (int i = 0; i < 5; ++i) ASSERT_EQ(stack(), "outer:10 middle:20 inner:30");
  change(other, other);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(stack(), "outer:10 other:40 inner:30");
  change(middle, other);
  EXPECT_EQ(error(), ErrorClass::retry);
}

}  // namespace
}  // namespace gilspy
