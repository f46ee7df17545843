#include "schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <vector>

namespace gilspy {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Time start{seconds{1000}};

/// The gaps of somebody who is never late.
std::vector<Duration> gaps_of(Schedule schedule, std::size_t count) {
  std::vector<Duration> gaps;
  std::uint64_t missed = 0;
  Time last = start;
  while (gaps.size() < count) {
    const Time moment = schedule.next(last, missed);
    gaps.push_back(moment - last);
    last = moment;
  }
  EXPECT_EQ(missed, 0U);
  return gaps;
}

double share_below(const std::vector<Duration>& gaps, Duration limit) {
  return static_cast<double>(std::ranges::count_if(gaps, [&](Duration g) { return g < limit; })) /
         static_cast<double>(gaps.size());
}

TEST(Schedule, WithoutARateThereIsNoPace) {
  EXPECT_FALSE((Schedule{start, 0}).paced());
  EXPECT_TRUE((Schedule{start, 10}).paced());
  EXPECT_EQ((Schedule{start, 10}).period(), milliseconds{100});
}

TEST(Schedule, HasAsManyMomentsASecondAsAskedFor) {
  const auto gaps = gaps_of(Schedule{start, 1000}, 20'000);
  for (std::size_t second = 0; second < 20; ++second) {
    Duration sum{};
    for (const Duration gap : std::span{gaps}.subspan(1000 * second, 1000)) sum += gap;
    EXPECT_NEAR(std::chrono::duration<double>(sum).count(), 1.0, 0.03) << second;
  }
}

TEST(Schedule, GapsAreThoseOfAPoissonProcess) {
  const auto gaps = gaps_of(Schedule{start, 1000}, 50'000);
  // 1 - exp(-x), for gaps whose mean is one.
  EXPECT_NEAR(share_below(gaps, microseconds{50}), 0.049, 0.004);
  EXPECT_NEAR(share_below(gaps, microseconds{500}), 0.393, 0.01);
  EXPECT_NEAR(share_below(gaps, milliseconds{1}), 0.632, 0.01);
  EXPECT_NEAR(share_below(gaps, milliseconds{2}), 0.865, 0.01);
  EXPECT_EQ(share_below(gaps, milliseconds{4}), 1.0);
}

TEST(Schedule, AGapSaysNothingOfTheNext) {
  const auto gaps = gaps_of(Schedule{start, 1000}, 50'000);
  std::vector<Duration> after_short;
  for (std::size_t i = 1; i < gaps.size(); ++i) {
    if (gaps[i - 1] < microseconds{100}) after_short.push_back(gaps[i]);
  }
  EXPECT_NEAR(share_below(after_short, microseconds{500}), 0.393, 0.05);
}

TEST(Schedule, TellsTheNextMomentAhead) {
  Schedule schedule{start, 1000};
  std::uint64_t missed = 0;
  Time last = start;
  for (int i = 0; i < 100; ++i) {
    const Time upcoming = schedule.upcoming();
    last = schedule.next(last, missed);
    EXPECT_EQ(last, upcoming);
  }
}

TEST(Schedule, AMomentThatIsJustOverIsMadeUpFor) {
  Schedule schedule{start, 1000};
  std::uint64_t missed = 0;
  const Time first = schedule.next(start, missed);
  // The look takes until just before the next moment but one.
  Schedule same{start, 1000};
  static_cast<void>(same.next(start, missed));
  const Time second = same.next(start, missed);
  EXPECT_GT(second, first);
  EXPECT_EQ(schedule.next(second, missed), second);
  EXPECT_EQ(schedule.due(), second);
  EXPECT_EQ(missed, 0U);
}

TEST(Schedule, SeveralThatAreOverForAMomentAreMadeUpForOneByOne) {
  Schedule schedule{start, 1000};
  Schedule same{start, 1000};
  std::uint64_t missed = 0;
  // Until three of them lie within a fifth of a period.
  std::array<Time, 3> moments{};
  while (moments[0] == Time{} || moments[2] - moments[0] > microseconds{200}) {
    moments = {moments[1], moments[2], same.next(moments[2], missed)};
  }
  const Time late = moments[2] + microseconds{1};
  Time due;
  while (due < moments[0]) {
    static_cast<void>(schedule.next(due, missed));
    due = schedule.due();
  }
  for (const Time moment : {moments[1], moments[2]}) {
    EXPECT_EQ(schedule.next(late, missed), moment);
    EXPECT_EQ(schedule.due(), moment);
  }
  EXPECT_GT(schedule.next(late, missed), late);
  EXPECT_EQ(missed, 0U);
}

TEST(Schedule, OfManyThatAreOverOneIsMadeUpFor) {
  Schedule schedule{start, 1000};
  std::uint64_t missed = 0;
  const Time late = start + seconds{3};
  EXPECT_EQ(schedule.next(late, missed), late);
  EXPECT_NEAR(static_cast<double>(missed), 2999, 10);
  // The moment that is made up for was one of the first.
  EXPECT_LE(schedule.due(), start + milliseconds{4});
  missed = 0;
  EXPECT_GT(schedule.next(late, missed), late);
  EXPECT_EQ(missed, 0U);
}

}  // namespace
}  // namespace gilspy
