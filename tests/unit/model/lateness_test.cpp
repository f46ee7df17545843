#include "gilspy/model/lateness.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace gilspy {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Lateness, OfNoTicksThereIsNone) {
  const Lateness late;
  EXPECT_EQ(late.ticks(), 0U);
  EXPECT_TRUE(late.counts().empty());
  EXPECT_EQ(late.quantile(0.5), Duration{});
  EXPECT_EQ(late.worst(), Duration{});
}

TEST(Lateness, QuantilesAreRightToAnEighth) {
  Lateness late;
  for (int i = 1; i <= 1000; ++i) late.count(microseconds{i});
  EXPECT_EQ(late.ticks(), 1000U);
  EXPECT_NEAR(to_seconds(late.quantile(0.5)), 500e-6, 500e-6 / 8);
  EXPECT_NEAR(to_seconds(late.quantile(0.99)), 990e-6, 990e-6 / 8);
  EXPECT_NEAR(to_seconds(late.quantile(0.1)), 100e-6, 100e-6 / 8);
  EXPECT_EQ(late.worst(), milliseconds{1});
  EXPECT_EQ(late.quantile(1), milliseconds{1});
}

TEST(Lateness, OneTickIsWithinItsBucketAndNotBeyondItself) {
  for (std::int64_t ns = 1; ns < 20'000'000'000; ns = ns * 5 / 4 + 1) {
    Lateness late;
    late.count(nanoseconds{ns});
    EXPECT_LE(late.quantile(1), nanoseconds{ns});
    // A bucket is a quarter wide.
    if (ns >= 1024 && ns < 17'000'000'000) {
      EXPECT_GE(late.quantile(1).count(), ns * 3 / 4) << ns;
    }
  }
}

TEST(Lateness, TheMedianOfManyIsNotMovedByOne) {
  Lateness late;
  for (int i = 0; i < 99; ++i) late.count(microseconds{10});
  late.count(seconds{2});
  EXPECT_NEAR(to_seconds(late.quantile(0.5)), 10e-6, 2e-6);
  EXPECT_EQ(late.worst(), seconds{2});
}

TEST(Lateness, WhoIsEarlyIsNotLate) {
  Lateness late;
  late.count(nanoseconds{-5});
  EXPECT_EQ(late.ticks(), 1U);
  EXPECT_EQ(late.worst(), Duration{});
  EXPECT_EQ(late.quantile(0.5), Duration{});
}

TEST(Lateness, PartsAddUpToTheWhole) {
  Lateness whole;
  Lateness sum;
  for (int part = 0; part < 5; ++part) {
    Lateness one;
    for (int i = 0; i < 100; ++i) {
      one.count(microseconds{1 << part} + nanoseconds{i});
      whole.count(microseconds{1 << part} + nanoseconds{i});
    }
    sum.add(one.counts(), one.worst());
  }
  EXPECT_EQ(sum.counts(), whole.counts());
  EXPECT_EQ(sum.ticks(), 500U);
  EXPECT_EQ(sum.worst(), whole.worst());
  EXPECT_EQ(sum.quantile(0.3), whole.quantile(0.3));
  sum.clear();
  EXPECT_EQ(sum.ticks(), 0U);
}

TEST(Lateness, TakesWhateverItIsGiven) {
  Lateness late;
  late.count(Duration::max());
  EXPECT_EQ(late.counts().size(), Lateness::buckets);
  late.add(std::vector<std::uint64_t>(500, std::numeric_limits<std::uint64_t>::max()),
           Duration::min());
  EXPECT_EQ(late.worst(), Duration::max());
  EXPECT_GE(late.quantile(0.5), Duration{});
}

}  // namespace
}  // namespace gilspy
