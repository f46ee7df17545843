#include "perf_map.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gilspy {
namespace {

std::string name_at(const PerfMap& map, std::uint64_t code) {
  const JitFunction function = map.at(RemoteAddress{code});
  EXPECT_EQ(function.name.empty(), !function.range.contains(RemoteAddress{code}));
  return function.name;
}

PerfMap map_of(std::string_view lines) {
  PerfMap map;
  map.add(lines);
  return map;
}

TEST(PerfMap, NamesWhatLiesInAFunction) {
  const PerfMap map = map_of("7f00 10 first\n7f20 8 second one(int)\n");
  EXPECT_EQ(name_at(map, 0x7eff), "");
  EXPECT_EQ(name_at(map, 0x7f00), "first");
  EXPECT_EQ(name_at(map, 0x7f0f), "first");
  EXPECT_EQ(name_at(map, 0x7f10), "");
  EXPECT_EQ(name_at(map, 0x7f20), "second one(int)");
  EXPECT_EQ(map.at(RemoteAddress{0x7f21}).range,
            (RemoteRange{RemoteAddress{0x7f20}, RemoteAddress{0x7f28}}));
}

TEST(PerfMap, LastLineForAPlaceCounts) {
  // In the middle of one, over the end of one and the beginning of the next, over all.
  PerfMap map = map_of("100 100 old\n140 20 middle\n");
  EXPECT_EQ(name_at(map, 0x13f), "old");
  EXPECT_EQ(name_at(map, 0x140), "middle");
  EXPECT_EQ(name_at(map, 0x15f), "middle");
  EXPECT_EQ(name_at(map, 0x160), "old");
  EXPECT_EQ(name_at(map, 0x1ff), "old");
  map.add("158 10 over\n");
  EXPECT_EQ(name_at(map, 0x157), "middle");
  EXPECT_EQ(name_at(map, 0x158), "over");
  EXPECT_EQ(name_at(map, 0x167), "over");
  EXPECT_EQ(name_at(map, 0x168), "old");
  map.add("80 200 all\n");
  EXPECT_EQ(name_at(map, 0x80), "all");
  EXPECT_EQ(name_at(map, 0x27f), "all");
  EXPECT_EQ(map.size(), 1U);
  map.add("80 200 same place\n");
  EXPECT_EQ(name_at(map, 0x80), "same place");
  EXPECT_EQ(map.size(), 1U);
}

TEST(PerfMap, LeavesOutWhatMakesNoSense) {
  const PerfMap map = map_of(
      "\n100\n100 10\n100 10 \nxyz 10 a\n100 0 a\nffffffffffffffff 2 a\n-100 10 a\n"
      "10000000000000000 10 a\n100  10x a\n 100 10 a\n0x200 0x10 good\r\n300 10 last");
  EXPECT_EQ(map.size(), 2U);
  EXPECT_EQ(name_at(map, 0x200), "good");
  EXPECT_EQ(name_at(map, 0x300), "last");
}

TEST(PerfMap, IsBounded) {
  PerfMap map = map_of("1 1 " + std::string(100'000, 'x') + "\n");
  EXPECT_LT(name_at(map, 1).size(), 1000U);
  for (int i = 0; i < 600'000; ++i) map.add(std::to_string(i) + "00 1 f\n");
  EXPECT_LT(map.size(), 600'000U);
  EXPECT_GT(map.size(), 100'000U);
}

class PerfMapFileTest : public testing::Test {
 public:
  PerfMapFileTest(const PerfMapFileTest&) = delete;
  PerfMapFileTest& operator=(const PerfMapFileTest&) = delete;
  ~PerfMapFileTest() override { std::filesystem::remove_all(folder_); }

 protected:
  PerfMapFileTest() = default;

  void write(std::string_view text, std::ios::openmode mode = std::ios::app) const {
    std::ofstream{path_, mode} << text;
  }

  std::string template_ = std::filesystem::temp_directory_path() / "gilspy-map-XXXXXX";
  const std::filesystem::path folder_ = ::mkdtemp(template_.data());
  const std::filesystem::path path_ = folder_ / "perf-1.map";
  PerfMapFile file_{[this] { return UniqueFd{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)}; }};
};

TEST_F(PerfMapFileTest, IsReadAsItGrows) {
  EXPECT_FALSE(file_.refresh());
  write("100 10 one\n200 1");
  EXPECT_TRUE(file_.refresh());
  EXPECT_EQ(name_at(file_.map(), 0x100), "one");
  EXPECT_FALSE(file_.refresh());
  // The line that was not whole yet.
  write("0 two\n");
  EXPECT_TRUE(file_.refresh());
  EXPECT_EQ(name_at(file_.map(), 0x20f), "two");
  EXPECT_EQ(file_.map().size(), 2U);
}

TEST_F(PerfMapFileTest, IsReadAnewWhenItIsAnotherOne) {
  write("100 10 one\n200 10 two\n");
  EXPECT_TRUE(file_.refresh());
  write("100 10 uno\n", std::ios::trunc);
  EXPECT_TRUE(file_.refresh());
  EXPECT_EQ(name_at(file_.map(), 0x100), "uno");
  EXPECT_EQ(name_at(file_.map(), 0x200), "");
  std::filesystem::rename(path_, folder_ / "other");
  EXPECT_FALSE(file_.refresh());
  EXPECT_EQ(name_at(file_.map(), 0x100), "uno");
  write("300 10 three, in a longer file\n");
  EXPECT_TRUE(file_.refresh());
  EXPECT_EQ(name_at(file_.map(), 0x100), "");
  EXPECT_EQ(name_at(file_.map(), 0x300), "three, in a longer file");
}

TEST_F(PerfMapFileTest, GetsPastALineThatDoesNotEnd) {
  write(std::string(3'000'000, 'x') + "\n100 10 one\n");
  EXPECT_TRUE(file_.refresh());
  EXPECT_EQ(name_at(file_.map(), 0x100), "one");
}

}  // namespace
}  // namespace gilspy
