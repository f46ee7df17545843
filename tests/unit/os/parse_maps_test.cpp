#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "gilspy/os/proc.h"

namespace gilspy {
namespace {

constexpr std::string_view ordinary =
    "55d0c1000000-55d0c1005000 r--p 00000000 fe:01 1835033                    /usr/bin/python3.11\n"
    "55d0c1005000-55d0c1200000 r-xp 00005000 fe:01 1835033                    /usr/bin/python3.11\n"
    "55d0c2aa0000-55d0c2b00000 rw-p 00000000 00:00 0                          [heap]\n"
    "7f1200000000-7f1200021000 rw-p 00000000 00:00 0 \n"
    "7f1210000000-7f1210001000 ---p 00000000 00:00 0 \n"
    "7f1220000000-7f1220010000 rw-s 0001a000 00:05 77                         /dev/zero (deleted)\n"
    "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

void expect_equal(const Mapping& a, const Mapping& b) {
  EXPECT_EQ(a.range.begin, b.range.begin);
  EXPECT_EQ(a.range.end, b.range.end);
  EXPECT_EQ(a.offset, b.offset);
  EXPECT_EQ(a.readable, b.readable);
  EXPECT_EQ(a.writable, b.writable);
  EXPECT_EQ(a.executable, b.executable);
  EXPECT_EQ(a.inode, b.inode);
  EXPECT_EQ(a.path, b.path);
}

Mapping only_mapping(std::string_view line) {
  const auto maps = parse_maps(line);
  EXPECT_EQ(maps.size(), 1U) << line;
  return maps.empty() ? Mapping{} : maps.front();
}

TEST(ParseMaps, ReadsEveryFieldOfAFileMapping) {
  const auto maps = parse_maps(ordinary);
  ASSERT_EQ(maps.size(), 8U);
  const Mapping& code = maps[1];
  EXPECT_EQ(code.range.begin, RemoteAddress{0x55d0c1005000});
  EXPECT_EQ(code.range.end, RemoteAddress{0x55d0c1200000});
  EXPECT_EQ(code.offset, 0x5000U);
  EXPECT_TRUE(code.readable);
  EXPECT_FALSE(code.writable);
  EXPECT_TRUE(code.executable);
  EXPECT_EQ(code.inode, 1835033U);
  EXPECT_EQ(code.path, "/usr/bin/python3.11");
}

TEST(ParseMaps, ReadsMappingsWithoutAFile) {
  const auto maps = parse_maps(ordinary);
  ASSERT_EQ(maps.size(), 8U);
  EXPECT_EQ(maps[2].path, "[heap]");
  EXPECT_EQ(maps[2].inode, 0U);
  EXPECT_TRUE(maps[2].writable);
  EXPECT_EQ(maps[3].path, "");
  EXPECT_FALSE(maps[4].readable || maps[4].writable || maps[4].executable);
  EXPECT_EQ(maps[7].range.end, RemoteAddress{0xffffffffff601000});
}

TEST(ParseMaps, KeepsTheMarkOfADeletedFile) {
  const auto maps = parse_maps(ordinary);
  ASSERT_EQ(maps.size(), 8U);
  EXPECT_EQ(maps[5].path, "/dev/zero (deleted)");
  EXPECT_EQ(maps[5].offset, 0x1a000U);
  EXPECT_EQ(maps[5].inode, 77U);
}

TEST(ParseMaps, KeepsSpacesInAPath) {
  EXPECT_EQ(only_mapping("1000-2000 r--p 00000000 08:01 5    /opt/my  app/lib python.so \n").path,
            "/opt/my  app/lib python.so ");
}

TEST(ParseMaps, NeedsNoLineEndAfterTheLastLine) {
  EXPECT_EQ(only_mapping("1000-2000 r--p 00003000 08:01 5 /a").path, "/a");
  EXPECT_EQ(only_mapping("1000-2000 r--p 00003000 08:01 5").inode, 5U);
}

TEST(ParseMaps, LeavesOutLinesThatMakeNoSense) {
  EXPECT_TRUE(parse_maps("").empty());
  EXPECT_TRUE(parse_maps("\n\n\n").empty());
  for (const std::string_view line :
       {"garbage", "-2000 r--p 0 08:01 5 /a", "1000 r--p 0 08:01 5 /a", "1000-2000", "1000-2000 ",
        "1000-2000 r--p", "1000-2000 r--p ", "1000-2000 r--p xyz 08:01 5 /a",
        "1000-2000 r--p 0 08:01", "1000-2000 r--p 0 08:01 x /a", "2000-1000 r--p 0 08:01 5 /a",
        "11111111111111111-2 r--p 0 08:01 5 /a"}) {
    EXPECT_TRUE(parse_maps(line).empty()) << line;
  }
  EXPECT_EQ(only_mapping("garbage\n1000-2000 r--p 0 08:01 5 /a\n\nmore garbage\n").path, "/a");
}

TEST(ParseMaps, OfACutTextGivesTheLinesBeforeTheCut) {
  const auto whole = parse_maps(ordinary);
  for (std::size_t size = 0; size < ordinary.size(); ++size) {
    const std::string_view cut = ordinary.substr(0, size);
    const auto lines = static_cast<std::size_t>(std::ranges::count(cut, '\n'));
    const auto maps = parse_maps(cut);
    ASSERT_GE(maps.size(), lines) << size;
    ASSERT_LE(maps.size(), lines + 1) << size;
    for (std::size_t i = 0; i < lines; ++i) expect_equal(maps[i], whole[i]);
  }
}

TEST(ParseMaps, SurvivesRandomText) {
  std::mt19937 random{3};
  constexpr std::string_view alphabet = "0123456789abcdefrwxp-: /\n[]()";
  for (int round = 0; round < 2000; ++round) {
    std::string text(ordinary.substr(0, random() % ordinary.size()));
    for (std::size_t i = 0; i < 1 + text.size() / 40; ++i) {
      text.insert(random() % (text.size() + 1), 1, alphabet[random() % alphabet.size()]);
    }
    for (const Mapping& mapping : parse_maps(text)) {
      EXPECT_LE(mapping.range.begin, mapping.range.end) << text;
    }
  }
}

}  // namespace
}  // namespace gilspy
