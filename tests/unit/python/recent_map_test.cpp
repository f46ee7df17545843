#include "gilspy/python/recent_map.h"

#include <gtest/gtest.h>

namespace gilspy {
namespace {

Time at_second(int second) { return time_from_ns(second * 1'000'000'000LL); }

TEST(RecentMap, ForgetsNothingWhileThereIsLittle) {
  RecentMap<int, int> map{4};
  for (int i = 0; i < 4; ++i) map[i] = 10 * i;
  map.trim(at_second(1000));
  EXPECT_EQ(map.size(), 4U);
  ASSERT_NE(map.find(3), nullptr);
  EXPECT_EQ(*map.find(3), 30);
}

TEST(RecentMap, KeepsWhatIsUsedAgainAndAgainAmongThoseThatPass) {
  RecentMap<int, int> map{4};
  map[0] = 7;
  for (int passing = 1; passing < 1000; ++passing) {
    map.trim(at_second(passing));
    EXPECT_EQ(map[0], 7);
    map[passing] = passing;
    ASSERT_LE(map.size(), 30U);
  }
  EXPECT_EQ(map.find(1), nullptr);
}

TEST(RecentMap, HoldsAsManyAsAreInUse) {
  RecentMap<int, int> map{4};
  for (int second = 0; second < 100; ++second) {
    for (int i = 0; i < 1000; ++i) {
      map.trim(at_second(second));
      map[i] = i;
    }
  }
  EXPECT_EQ(map.size(), 1000U);
}

TEST(RecentMap, LookingIsNotUsing) {
  RecentMap<int, int> map{2};
  for (int i = 0; i < 3; ++i) map[i] = i;
  map.trim(at_second(5));
  for (int i = 1; i < 9; ++i) map[i] = i;
  EXPECT_NE(map.find(0), nullptr);
  map.trim(at_second(12));
  EXPECT_EQ(map.find(0), nullptr);
  EXPECT_NE(map.find(1), nullptr);
}

}  // namespace
}  // namespace gilspy
