#include "gilspy/python_offsets/version.h"

#include <gtest/gtest.h>

namespace gilspy {
namespace {

TEST(VersionTest, IsTakenFromPyVersionHex) {
  EXPECT_EQ(Version::from_hex(0x030b02f0), (Version{3, 11, 2}));
  EXPECT_EQ(Version::from_hex(0x030d00a1), (Version{3, 13, 0}));  // 3.13.0a1
  EXPECT_EQ(Version::from_hex(0x02071200), (Version{2, 7, 18}));
  EXPECT_EQ(Version::from_hex(0), Version{});
}

TEST(VersionTest, IgnoresBitsThatAreNotOfAVersion) {
  EXPECT_EQ(Version::from_hex(0xdeadbeef030b02f0), (Version{3, 11, 2}));
}

TEST(VersionTest, HasAText) {
  EXPECT_EQ((Version{3, 12, 1}.text()), "3.12.1");
  EXPECT_EQ((Version{3, 9, 25}.text()), "3.9.25");
}

TEST(VersionTest, IsOrderedByNumbersNotByText) {
  EXPECT_LT((Version{3, 9, 0}), (Version{3, 11, 0}));
  EXPECT_LT((Version{3, 11, 9}), (Version{3, 11, 10}));
  EXPECT_LT((Version{2, 99, 99}), (Version{3, 0, 0}));
}

}  // namespace
}  // namespace gilspy
