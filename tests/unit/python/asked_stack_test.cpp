#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "stack_fixture.h"

namespace gilspy {
namespace {

/// A stack that is read together with other things.
class AskedStackTest : public StackReaderTest {
 protected:
  AskedStackTest() {
    push_first_chunk();
    push_frame(outer);
    push_frame(inner);
  }

  /// Reads what is asked for, up to so many slots; returns how many those were in all.
  std::size_t ask(std::size_t up_to = SIZE_MAX) {
    std::vector<ReadSlot> slots;
    reader.ask(thread, slots);
    const auto part = std::span{slots}.first(std::min(up_to, slots.size()));
    reader.answer({*memory.read_batch(part), std::chrono::microseconds{5}});
    return slots.size();
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, AskedStackTest,
                         testing::ValuesIn(minors_where([](const Layout&) { return true; })));

TEST_P(AskedStackTest, TakesNoOtherRead) {
  ASSERT_EQ(stack(), "outer:10 inner:30");
  ASSERT_GT(ask(), 0U);
  const std::size_t before = memory.batches();
  EXPECT_EQ(stack(), "outer:10 inner:30");
  EXPECT_EQ(memory.batches(), before);
  // An answer is good for one read.
  EXPECT_EQ(stack(), "outer:10 inner:30");
  EXPECT_GT(memory.batches(), before);
}

TEST_P(AskedStackTest, IsThatOfTheMomentItWasAskedFor) {
  ASSERT_EQ(stack(), "outer:10 inner:30");
  ask();
  push_frame(middle);
  EXPECT_EQ(stack(), "outer:10 inner:30");
  EXPECT_EQ(stack(), "outer:10 inner:30 middle:20");
}

TEST_P(AskedStackTest, IsReadAnewWhatEverWasAnswered) {
  ASSERT_EQ(stack(), "outer:10 inner:30");
  const std::size_t slots = ask();
  for (std::size_t answered = 1; answered <= slots; ++answered) {
    ask(answered);
    EXPECT_EQ(stack(), "outer:10 inner:30") << answered;
  }
}

TEST_P(AskedStackTest, OfAThreadNeverSeenIsReadAsUsual) {
  ask();
  EXPECT_EQ(stack(), "outer:10 inner:30");
}

TEST_P(AskedStackTest, NoticesCodeThatIsUsedAnew) {
  ASSERT_EQ(stack(), "outer:10 inner:30");
  codes.put(inner, "newcomer", "app.py", 50);
  ask();
  EXPECT_EQ(stack(), "outer:10 newcomer:50");
}

}  // namespace
}  // namespace gilspy
