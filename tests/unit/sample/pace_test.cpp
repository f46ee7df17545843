#include "pace.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gilspy {
namespace {

using std::chrono::microseconds;
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

/// Of ticks that follow each other at the pace's own rate from `at` on, as many as come in that
/// time, those that look at stacks. A tick takes `states`, and one with stacks `stacks` more.
int looks_in(Pace& pace, Time& at, Duration time, Duration states, Duration stacks) {
  int looks = 0;
  for (const Time end = at + time; at < end; at += pace.ticks().period()) {
    const bool due = pace.stacks_due(at);
    looks += due ? 1 : 0;
    pace.looked(due ? states + stacks : states);
  }
  return looks;
}

RunOptions every_stack() {
  RunOptions options;
  options.rates.stack_hz = 0;
  return options;
}

TEST(Pace, LeavesOutStacksThatWouldCostItPrecedence) {
  Pace pace{every_stack(), start, {}};
  Time at = start;
  if (!pace.goes_first()) GTEST_SKIP() << "no right to a real-time policy";
  EXPECT_EQ(looks_in(pace, at, seconds{1}, microseconds{50}, microseconds{50}), 1000);
  EXPECT_FALSE(pace.take_note());
  // 160 us of each millisecond are left for both: 50 go to states, and 110 are a third of a look.
  EXPECT_NEAR(looks_in(pace, at, seconds{9}, microseconds{50}, microseconds{330}), 3000, 100);
  EXPECT_TRUE(pace.goes_first());
  EXPECT_TRUE(pace.take_note());
  EXPECT_FALSE(pace.take_note());
}

TEST(Pace, GetsPrecedenceBackWhereStatesAloneMayHaveIt) {
  Pace pace{every_stack(), start, {}};
  Time at = start;
  if (!pace.goes_first()) GTEST_SKIP() << "no right to a real-time policy";
  // Once we had no CPU ourselves.
  pace.looked(milliseconds{250});
  while (pace.goes_first()) pace.looked({});
  EXPECT_LE(looks_in(pace, at, milliseconds{199}, microseconds{50}, microseconds{900}), 2);
  pace.looked(microseconds{50});
  EXPECT_TRUE(pace.goes_first());
}

TEST(Pace, LooksAtSomeStacksWhereStatesTakeAllThereIs) {
  Pace pace{every_stack(), start, {}};
  Time at = start;
  if (!pace.goes_first()) GTEST_SKIP() << "no right to a real-time policy";
  looks_in(pace, at, seconds{1}, microseconds{170}, microseconds{500});
  EXPECT_NEAR(looks_in(pace, at, seconds{1}, microseconds{170}, microseconds{500}), 10, 1);
  EXPECT_TRUE(pace.goes_first());
  // And all again as soon as there is room.
  looks_in(pace, at, milliseconds{100}, microseconds{50}, microseconds{50});
  EXPECT_EQ(looks_in(pace, at, seconds{1}, microseconds{50}, microseconds{50}), 1000);
}

TEST(Pace, LooksAtAllStacksWithoutPrecedence) {
  Pace pace{every_stack(), start, {}};
  Time at = start;
  if (!pace.goes_first()) GTEST_SKIP() << "no right to a real-time policy";
  // With states alone it takes too much: there is nothing to be had for leaving stacks out.
  looks_in(pace, at, seconds{1}, microseconds{300}, microseconds{100});
  EXPECT_FALSE(pace.goes_first());
  EXPECT_EQ(looks_in(pace, at, seconds{1}, microseconds{300}, microseconds{100}), 1000);
}

TEST(StackPace, LooksAsOftenAsItIsAskedTo) {
  StackPace pace{100};
  int looks = 0;
  for (int tick = 0; tick < 1000; ++tick) looks += pace.due(start + milliseconds{tick}) ? 1 : 0;
  EXPECT_NEAR(looks, 100, 5);
}

}  // namespace
}  // namespace gilspy
