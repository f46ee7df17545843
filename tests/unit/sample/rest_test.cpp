#include "rest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace gilspy {
namespace {

class RestTest : public ::testing::Test {
 protected:
  /// So many milliseconds, with a tick in each, of a thread that blocks in this call. How often it
  /// was looked at or asked.
  int pass(int milliseconds, std::int16_t number = 7, bool may_rest = true) {
    int looks = 0;
    for (int i = 0; i < milliseconds; ++i, at += std::chrono::milliseconds{1}) {
      if (!rest.is_due(at)) continue;
      ++looks;
      if (rest.is_resting()) rest.asked(at, slices);
      if (rest.is_resting()) continue;
      rest.saw(at, 3, threads, {SyscallNow::Kind::in_syscall, number, {1, 2, 3}}, may_rest, [this] {
        ++asked;
        return std::optional{slices};
      });
    }
    return looks;
  }

  Rest rest;
  Time at{};
  std::uint64_t slices = 5;
  int asked = 0;
  std::size_t threads = 5;
};

TEST_F(RestTest, AThreadThatBlocksForLongIsLookedAtLessOften) {
  EXPECT_EQ(pass(400), 400);
  pass(200);
  EXPECT_NEAR(pass(160), 10, 1);
}

TEST_F(RestTest, AmongManyItRestsSooner) {
  threads = 300;
  EXPECT_EQ(pass(100), 100);
  pass(10);
  EXPECT_NEAR(pass(160), 10, 1);
}

TEST_F(RestTest, TheyAreNotAllDueInTheSameTick) {
  std::array<Rest, 32> rests;
  std::array<int, 64> due{};
  for (int ms = 0; ms < 800; ++ms) {
    const Time tick{std::chrono::milliseconds{ms}};
    for (std::size_t i = 0; i < rests.size(); ++i) {
      if (!rests[i].is_due(tick)) continue;
      if (ms >= 736) ++due[static_cast<std::size_t>(ms - 736)];
      if (rests[i].is_resting()) rests[i].asked(tick, 5);
      if (rests[i].is_resting()) continue;
      rests[i].saw(tick, i, rests.size(), {SyscallNow::Kind::in_syscall, 7, {}}, true,
                   [] { return std::optional<std::uint64_t>{5}; });
    }
  }
  EXPECT_LE(*std::ranges::max_element(due), 3);
}

TEST_F(RestTest, SlowTicksFindItDueEachTime) {
  pass(600);
  for (int i = 0; i < 5; ++i) {
    at += std::chrono::milliseconds{100};
    EXPECT_EQ(pass(1), 1);
  }
  EXPECT_TRUE(rest.is_resting());
}

TEST_F(RestTest, ALookOutOfTurnDoesNotPutTheNextOneOff) {
  pass(600);
  for (int i = 0; i < 5; ++i) rest.asked(at, slices);
  EXPECT_NEAR(pass(160), 10, 1);
}

TEST_F(RestTest, OneThatGetsACpuNowAndThenDoesNotRest) {
  for (int i = 0; i < 20; ++i) {
    pass(100);
    ++slices;
  }
  EXPECT_FALSE(rest.is_resting());
}

TEST_F(RestTest, OneThatHasHadACpuIsLookedAtAgain) {
  pass(600);
  ASSERT_TRUE(rest.is_resting());
  ++slices;
  pass(16);
  EXPECT_EQ(pass(100), 100);
}

TEST_F(RestTest, OneThatCannotBeAskedIsLookedAtAgain) {
  pass(600);
  rest.asked(at, std::nullopt);
  EXPECT_FALSE(rest.is_resting());
}

TEST_F(RestTest, AnotherCallIsAnotherBeginning) {
  pass(300);
  EXPECT_EQ(pass(400, 8), 400);
}

TEST_F(RestTest, WhoMayNotDoesNotRest) {
  pass(2000, 7, false);
  EXPECT_FALSE(rest.is_resting());
}

TEST_F(RestTest, OneMayRestFromItsFirstLookOn) {
  EXPECT_EQ(pass(1), 1);
  rest.rest_from_here(at, 3, slices);
  EXPECT_NEAR(pass(160), 10, 1);
  EXPECT_TRUE(rest.is_resting());
}

TEST_F(RestTest, WhoHasRunSinceTheCountBeforeThatLookIsFoundOutWhenAsked) {
  const std::uint64_t before = slices++;
  pass(1);
  rest.rest_from_here(at, 3, before);
  pass(17);
  EXPECT_FALSE(rest.is_resting());
  EXPECT_EQ(pass(20), 20);
}

TEST_F(RestTest, WhoRunsOrCannotBeAskedDoesNotRestFromThereOn) {
  rest.saw(at, 3, threads, {SyscallNow::Kind::running, -1, {}}, false,
           [] { return std::optional<std::uint64_t>{}; });
  rest.rest_from_here(at, 3, slices);
  EXPECT_FALSE(rest.is_resting());
  pass(1);
  rest.rest_from_here(at, 3, std::nullopt);
  EXPECT_FALSE(rest.is_resting());
}

TEST_F(RestTest, AsksForSlicesAFewTimesASecondOnly) {
  for (int i = 0; i < 10; ++i) {
    pass(100);
    ++slices;
  }
  EXPECT_LE(asked, 5);
}

}  // namespace
}  // namespace gilspy
