#include "pace.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gilspy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time start{seconds{1000}};

RunOptions settling() {
  RunOptions options;
  options.settle_after = seconds{60};
  return options;
}

TEST(Pace, SettlesOnceItsTimeHasCome) {
  Pace pace{settling(), start, {}};
  EXPECT_FALSE(pace.is_to_judge(start + seconds{59}));
  ASSERT_TRUE(pace.is_to_judge(start + seconds{60}));
  const auto change = pace.judge(start + seconds{60}, seconds{1}, 60'000);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->rates, Pace::settled_rates);
  EXPECT_NE(change->why.find("0.5 %"), std::string::npos);
  EXPECT_EQ(pace.ticks().period(),
            Duration{static_cast<std::int64_t>(std::llround(1e9 / Pace::settled_rates.state_hz))});
}

TEST(Pace, KeepsWithinItsShareFromThenOn) {
  Pace pace{settling(), start, {}};
  const Time settled = start + seconds{60};
  ASSERT_TRUE(pace.judge(settled, seconds{1}, 60'000));
  // 0.4 % is kept to, and 1 % lowers the stacks first.
  const Time first = settled + Pace::settled_period;
  EXPECT_FALSE(pace.is_to_judge(first - milliseconds{1}));
  ASSERT_TRUE(pace.is_to_judge(first));
  EXPECT_FALSE(pace.judge(first, seconds{1} + milliseconds{40}, 61'200));
  const auto change =
      pace.judge(first + Pace::settled_period, seconds{1} + milliseconds{140}, 62'400);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->rates.state_hz, Pace::settled_rates.state_hz);
  EXPECT_LT(change->rates.stack_hz, Pace::settled_rates.stack_hz);
}

TEST(Pace, StaysAsItIsWhereRatesWereAskedFor) {
  Pace pace{RunOptions{}, start, {}};
  EXPECT_FALSE(pace.is_to_judge(start + std::chrono::hours{10}));
}

TEST(StackPace, LooksAsOftenAsItIsAskedTo) {
  StackPace pace{100};
  int looks = 0;
  for (int tick = 0; tick < 1000; ++tick) looks += pace.due(start + milliseconds{tick}) ? 1 : 0;
  EXPECT_NEAR(looks, 100, 5);
}

}  // namespace
}  // namespace gilspy
