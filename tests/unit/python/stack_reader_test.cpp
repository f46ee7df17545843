#include "gilspy/python/stack_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "stack_fixture.h"

namespace gilspy {
namespace {

INSTANTIATE_TEST_SUITE_P(Versions, StackReaderTest, testing::ValuesIn(all_minors()));

/// What only versions with a data stack have.
class DataStackTest : public StackReaderTest {};
INSTANTIATE_TEST_SUITE_P(Versions, DataStackTest,
                         testing::ValuesIn(minors_where([](const Layout& layout) {
                           return layout.at.thread.datastack_chunk.present();
                         })));

/// What only versions with entry frames have.
class EntryFrameTest : public StackReaderTest {};
INSTANTIATE_TEST_SUITE_P(Versions, EntryFrameTest,
                         testing::ValuesIn(minors_where([](const Layout& layout) {
                           return layout.traits.first_entry_owner < no_entry_owner;
                         })));

TEST_P(StackReaderTest, ReadsAStackWithItsLines) {
  push_first_chunk();
  push_frame(outer, 1);
  push_frame(middle, 3);
  push_frame(inner, 5);
  EXPECT_EQ(stack(), "outer:10 middle:21 inner:33");
}

TEST_P(StackReaderTest, GivesOneStackOneId) {
  push_first_chunk();
  push_frame(outer, 1);
  push_frame(inner, 1);
  const auto first = reader.read(thread);
  const auto second = reader.read(thread);
  push_frame(inner, 1);
  const auto deeper = reader.read(thread);
  ASSERT_TRUE(first && second && deeper);
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, *deeper);
}

TEST_P(StackReaderTest, IsEmptyWhileNoFunctionRuns) {
  EXPECT_EQ(reader.read(thread), empty_stack);
  push_first_chunk();
  EXPECT_EQ(reader.read(thread), empty_stack);
  push_frame(outer);
  set_head({});
  EXPECT_EQ(reader.read(thread), empty_stack);
}

TEST_P(StackReaderTest, TakesTheFirstLineOfAFrameThatHasNotBegun) {
  push_first_chunk();
  push_frame(outer, 2);
  push_frame(inner, -1);
  EXPECT_EQ(stack(), "outer:11 inner:30");
}

TEST_P(DataStackTest, LeavesOutAFrameWhoseInstructionIsNotInItsCode) {
  push_first_chunk();
  push_frame(outer, 1);
  push_frame(inner, FakeCode::units);
  EXPECT_EQ(stack(), "outer:10");
}

TEST_P(StackReaderTest, ReadsFramesThatLieAnywhere) {
  push_first_chunk();
  push_frame(outer, 1);
  put_frame(objects.allocate(1024), middle, 1);  // a generator's
  push_frame(inner, 1);
  EXPECT_EQ(stack(), "outer:10 middle:20 inner:30");
  put_frame(objects.allocate(1024), middle, 2);  // one on top
  EXPECT_EQ(stack(), "outer:10 middle:20 inner:30 middle:21");
}

TEST_P(DataStackTest, ReadsAGeneratorThatLiesShortlyAboveTheChunk) {
  // Mappings lie close together, with holes between them.
  push_first_chunk();
  push_frame(outer, 1);
  put_frame(first_chunk + 4 * chunk_size, inner, 1);
  EXPECT_EQ(stack(), "outer:10 inner:30");
  put_frame(first_chunk - chunk_size, middle, 1);
  EXPECT_EQ(stack(), "outer:10 inner:30 middle:20");
}

TEST_P(DataStackTest, ReadsFramesOverTwoChunks) {
  push_chunk(first_chunk);
  push_frame(outer, 1);
  push_frame(middle, 1);
  push_chunk(second_chunk);
  push_frame(middle, 2);
  push_frame(inner, 2);
  EXPECT_EQ(stack(), "outer:10 middle:20 middle:21 inner:31");
}

TEST_P(DataStackTest, ReadsAChunkMadeForOneHugeFrame) {
  codes.put_frame_room(middle, 5 * chunk_size);
  push_chunk(first_chunk);
  push_frame(outer, 1);
  push_chunk(second_chunk, 8 * chunk_size);
  push_frame(middle, 1, 5 * chunk_size);
  push_frame(inner, 1);
  EXPECT_EQ(stack(), "outer:10 middle:20 inner:30");
}

TEST_P(DataStackTest, ReadsAShortStackInFewSystemCalls) {
  push_chunk(first_chunk);
  for (int i = 0; i < 20; ++i) push_frame(outer, 1);
  ASSERT_FALSE(error());
  const std::size_t before = memory.batches();
  ASSERT_FALSE(error());
  // Head (through the cframe, twice), chunk, code objects.
  EXPECT_LE(memory.batches() - before, 4U);
}

TEST_P(DataStackTest, CopiesTheLowerChunksWhole) {
  push_chunk(first_chunk);
  for (int i = 0; i < 50; ++i) push_frame(outer, 1);
  push_chunk(second_chunk);
  for (int i = 0; i < 50; ++i) push_frame(inner, 1);
  ASSERT_FALSE(error());
  const std::size_t before = memory.batches();
  ASSERT_FALSE(error());
  // As with one chunk, and the lower one's size and content.
  EXPECT_LE(memory.batches() - before, 6U);
}

TEST_P(DataStackTest, NeedsNoChunk) {
  put_frame(objects.allocate(1024), outer, 1);
  EXPECT_EQ(stack(), "outer:10");
}

TEST_P(DataStackTest, RetriesAChunkOfImpossibleSize) {
  push_chunk(first_chunk);
  put_frame(objects.allocate(1024), outer, 1);
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{31}, std::uint64_t{1} << 40, std::uint64_t{UINT64_MAX}}) {
    objects.set(first_chunk, at.chunk.size, size);
    EXPECT_EQ(error(), ErrorClass::retry) << size;
  }
}

TEST_P(EntryFrameTest, LeavesOutFramesThatAreNoFunctions) {
  push_first_chunk();
  push_frame(outer, 1);
  const RemoteAddress between = put_frame(objects.allocate(1024), codes.type(), 1);
  objects.set(between, at.frame.owner, layout.traits.first_entry_owner);
  push_frame(inner, 1);
  EXPECT_EQ(stack(), "outer:10 inner:30");
  const RemoteAddress top = put_frame(objects.allocate(1024), RemoteAddress{}, 1);
  objects.set(top, at.frame.owner, static_cast<std::int8_t>(layout.traits.first_entry_owner + 1));
  EXPECT_EQ(stack(), "outer:10 inner:30");
}

TEST_P(EntryFrameTest, IsKnownByItsPlaceWhereTheCStackHoldsSomethingElseByNow) {
  push_first_chunk();
  push_frame(outer, 2);
  const RemoteAddress between = put_frame(objects.allocate(1024), codes.type(), 1);
  objects.set(between, at.frame.owner, layout.traits.first_entry_owner);
  push_frame(inner, 2);
  for (int i = 0; i < 2; ++i) ASSERT_EQ(stack(), "outer:11 inner:31");
  objects.set(between, at.frame.owner, std::int8_t{0});
  objects.set(between, at.frame.previous, RemoteAddress{0xdead0000});
  EXPECT_EQ(stack(), "outer:11 inner:31");
}

TEST_P(EntryFrameTest, KeepsFramesOfGenerators) {
  push_first_chunk();
  push_frame(outer, 1);
  const RemoteAddress generator = put_frame(objects.allocate(1024), inner, 1);
  objects.set(generator, at.frame.owner, std::int8_t{1});  // FRAME_OWNED_BY_GENERATOR
  EXPECT_EQ(stack(), "outer:10 inner:30");
}

TEST_P(StackReaderTest, RetriesFramesThatRunInACircle) {
  push_first_chunk();
  const RemoteAddress first = push_frame(outer);
  const RemoteAddress second = push_frame(inner);
  objects.set(first, at.frame.previous, second);
  EXPECT_EQ(error(), ErrorClass::retry);
  objects.set(first, at.frame.previous, first);
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(StackReaderTest, GivesUpACircleOfScatteredFramesInTime) {
  const RemoteAddress first = put_frame(objects.allocate(1024), outer);
  objects.set(first, at.frame.previous, put_frame(objects.allocate(1024), inner));
  EXPECT_EQ(error(), ErrorClass::retry);
  EXPECT_LE(memory.batches(), 3 * max_stack_depth);  // each frame is a read of its own
}

TEST_P(StackReaderTest, RetriesFramesThatLeadNowhere) {
  push_first_chunk();
  const RemoteAddress first = push_frame(outer);
  push_frame(inner);
  for (const std::uint64_t wild : {std::uint64_t{1}, std::uint64_t{0xdead0000}, UINT64_MAX - 4}) {
    objects.set(first, at.frame.previous, RemoteAddress{wild});
    EXPECT_EQ(error(), ErrorClass::retry) << wild;
  }
}

TEST_P(StackReaderTest, RetriesAHeadThatIsNotThere) {
  push_first_chunk();
  push_frame(outer);
  for (const std::uint64_t wild : {std::uint64_t{1}, std::uint64_t{0xdead0000}, UINT64_MAX - 4}) {
    set_head(RemoteAddress{wild});
    EXPECT_EQ(error(), ErrorClass::retry) << wild;
  }
}

TEST_P(StackReaderTest, RetriesAFrameWithoutACodeObject) {
  push_first_chunk();
  const RemoteAddress frame = push_frame(outer);
  for (const RemoteAddress code : {RemoteAddress{}, RemoteAddress{0xdead0000}, frame}) {
    objects.set(frame, at.frame.code, code);
    EXPECT_EQ(error(), ErrorClass::retry) << code.value();
  }
}

TEST_P(StackReaderTest, DropsAThreadWhoseStateIsGone) {
  push_first_chunk();
  push_frame(outer);
  memory.unmap(thread.address, at.thread.struct_size);
  EXPECT_EQ(error(), ErrorClass::drop_thread);
}

TEST_P(StackReaderTest, SaysThatTheTargetIsGone) {
  push_first_chunk();
  push_frame(outer);
  memory.end_process();
  EXPECT_EQ(error(), ErrorClass::target_gone);
}

TEST_P(StackReaderTest, SaysThatTheTargetIsGoneHalfway) {
  push_first_chunk();
  push_frame(outer);
  memory.before_batch([this](std::size_t number) {
    if (number == 1) memory.end_process();
  });
  EXPECT_EQ(error(), ErrorClass::target_gone);
}

TEST_P(StackReaderTest, KeepsTheTopOfAVeryDeepStack) {
  const std::size_t depth = max_stack_depth + 500;
  push_first_chunk();
  for (std::size_t i = 0; i < depth - 1; ++i) push_frame_anywhere(i < 500 ? outer : middle);
  push_frame_anywhere(inner);
  const auto id = reader.read(thread);
  ASSERT_TRUE(id);
  const auto frames = tables.frames(*id);
  ASSERT_EQ(frames.size(), max_stack_depth);
  EXPECT_EQ(tables.function_of(frames.front()), "middle");
  EXPECT_EQ(tables.function_of(frames.back()), "inner");
}

TEST_P(StackReaderTest, NoticesCodeThatIsUsedAnew) {
  push_first_chunk();
  push_frame(outer);
  ASSERT_EQ(stack(), "outer:10");
  codes.put(outer, "newcomer", "app.py", 50);
  EXPECT_EQ(stack(), "newcomer:50");
}

TEST_P(StackReaderTest, RecoversAfterAnError) {
  push_first_chunk();
  const RemoteAddress first = push_frame(outer);
  push_frame(inner);
  objects.set(first, at.frame.previous, RemoteAddress{0xdead0000});
  ASSERT_EQ(error(), ErrorClass::retry);
  objects.set(first, at.frame.previous, RemoteAddress{});
  EXPECT_EQ(stack(), "outer:10 inner:30");
}

TEST_P(StackReaderTest, SurvivesRandomFrames) {
  std::mt19937_64 random{11};
  push_first_chunk();
  const RemoteAddress page = chunked() ? first_chunk : objects.allocate(chunk_size);
  for (int round = 0; round < 200; ++round) {
    for (std::uint64_t i = 0; i < 2048; i += 8) {
      const std::array<std::uint64_t, 4> choices{(page + random() % 2048 / 8 * 8).value(),
                                                 outer.value(), random() % 64, 0};
      memory.put(page + i, choices.at(random() % choices.size()));
    }
    set_head(page + random() % 1900 / 8 * 8);
    if (const auto id = reader.read(thread)) {
      EXPECT_LE(tables.frames(*id).size(), max_stack_depth);
    }
  }
}

}  // namespace
}  // namespace gilspy
