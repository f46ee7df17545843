#include <gtest/gtest.h>

#include <string>

#include "gilspy/os/proc.h"

namespace gilspy {
namespace {

/// Fields 3 to 41, see proc(5).
constexpr std::string_view fields =
    "S 17 4242 18 34816 4242 4194304 1234 0 0 0 10 5 0 0 20 0 3 0 987654 12345678 900 "
    "18446744073709551615 94000000000000 94000000001000 140732900000000 0 0 0 "
    "0 0 16781312 1 0 0 17 57 0 0\n";

std::optional<ProcStat> stat_of(std::string_view name) {
  return parse_stat("4242 (" + std::string(name) + ") " + std::string(fields));
}

TEST(ParseStat, FindsItsFields) {
  const auto stat = stat_of("python3");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, Pid{17});
  EXPECT_EQ(stat->threads, 3U);
  EXPECT_EQ(stat->start_ticks, 987654U);
  EXPECT_EQ(stat->start_stack, 140732900000000U);
  EXPECT_EQ(stat->cpu, 57);
}

TEST(ParseStat, IsNotMisledByTheCommandName) {
  for (const std::string_view name :
       {"", " ", ")", "(", ") (", "a) R 99 99", ") S 1 2 3 4 5 6 7 8 9", "tmux: server", "\n"}) {
    const auto stat = stat_of(name);
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->state, 'S') << name;
    EXPECT_EQ(stat->parent, Pid{17}) << name;
    EXPECT_EQ(stat->start_ticks, 987654U) << name;
    EXPECT_EQ(stat->start_stack, 140732900000000U) << name;
  }
}

TEST(ParseStat, OfACutTextGivesNothing) {
  const std::string whole = "4242 (a b) " + std::string(fields);
  const std::size_t last_field = whole.find("57");
  for (std::size_t size = 0; size <= last_field; ++size) {
    EXPECT_FALSE(parse_stat(std::string_view{whole}.substr(0, size))) << size;
  }
  EXPECT_TRUE(parse_stat(std::string_view{whole}.substr(0, last_field + 2)));
}

TEST(ParseStat, OfGarbageGivesNothing) {
  EXPECT_FALSE(parse_stat("garbage"));
  EXPECT_FALSE(parse_stat(")"));
  EXPECT_FALSE(parse_stat("1 (a) "));
  EXPECT_FALSE(parse_stat("1 (a) S x 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"));
  EXPECT_FALSE(parse_stat("1 (a) S 1 " + std::string(200, ' ')));
}

}  // namespace
}  // namespace gilspy
