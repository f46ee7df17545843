#include "rest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace gilspy {
namespace {

class RestTest : public ::testing::Test {
 protected:
  /// A look every millisecond for so long at a thread that blocks in this call.
  void look(int milliseconds, std::int16_t number = 7, bool may_rest = true) {
    for (int i = 0; i < milliseconds; ++i, at += std::chrono::milliseconds{1}) {
      rest.saw(at, 3, {SyscallNow::Kind::in_syscall, number, {1, 2, 3}}, may_rest, [this] {
        ++asked;
        return std::optional{slices};
      });
    }
  }
  /// Looks due in so many milliseconds, at one tick in each, when every look shows the same.
  [[nodiscard]] int looks_in(int milliseconds) {
    int looks = 0;
    for (int i = 0; i < milliseconds; ++i) {
      if (!rest.is_due(at)) {
        at += std::chrono::milliseconds{1};
        continue;
      }
      ++looks;
      look(1);
    }
    return looks;
  }

  Rest rest;
  Time at{};
  std::uint64_t slices = 5;
  int asked = 0;
};

TEST_F(RestTest, AThreadThatBlocksForLongIsLookedAtLessOften) {
  EXPECT_EQ(looks_in(400), 400);
  look(200);
  EXPECT_NEAR(looks_in(160), 10, 1);
}

TEST_F(RestTest, TheyAreNotAllDueInTheSameTick) {
  std::array<Rest, 32> rests;
  std::array<int, 64> due{};
  for (int ms = 0; ms < 800; ++ms) {
    const Time tick{std::chrono::milliseconds{ms}};
    for (std::size_t i = 0; i < rests.size(); ++i) {
      if (!rests[i].is_due(tick)) continue;
      if (ms >= 736) ++due[static_cast<std::size_t>(ms - 736)];
      rests[i].saw(tick, i, {SyscallNow::Kind::in_syscall, 7, {}}, true,
                   [] { return std::optional<std::uint64_t>{5}; });
    }
  }
  EXPECT_LE(*std::ranges::max_element(due), 3);
}

TEST_F(RestTest, SlowTicksFindItDueEachTime) {
  look(600);
  for (int i = 0; i < 5; ++i) {
    at += std::chrono::milliseconds{100};
    EXPECT_TRUE(rest.is_due(at));
    look(1);
  }
  EXPECT_TRUE(rest.is_resting());
}

TEST_F(RestTest, OneThatGetsACpuNowAndThenDoesNotRest) {
  for (int i = 0; i < 20; ++i) {
    look(100);
    ++slices;
  }
  EXPECT_FALSE(rest.is_resting());
}

TEST_F(RestTest, OneThatHasHadACpuIsLookedAtAgain) {
  look(600);
  ASSERT_TRUE(rest.is_resting());
  ++slices;
  look(1);
  EXPECT_FALSE(rest.is_resting());
}

TEST_F(RestTest, AnotherCallEndsIt) {
  look(600);
  look(1, 8);
  EXPECT_FALSE(rest.is_resting());
}

TEST_F(RestTest, WhoMayNotDoesNotRest) {
  look(2000, 7, false);
  EXPECT_FALSE(rest.is_resting());
}

TEST_F(RestTest, AsksForSlicesAFewTimesASecondOnly) {
  for (int i = 0; i < 10; ++i) {
    look(100);
    ++slices;
  }
  EXPECT_LE(asked, 5);
}

}  // namespace
}  // namespace gilspy
