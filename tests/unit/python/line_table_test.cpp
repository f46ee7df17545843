#include "gilspy/python/line_table.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <random>
#include <sstream>
#include <string>

namespace gilspy {
namespace {

using Kind = Traits::LineTable;

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

std::vector<std::byte> from_hex(const std::string& hex) {
  std::vector<std::byte> result;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    result.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return result;
}

/// What CPython says about its own tables; the recipe beside the files explains the format.
struct Recorded {
  std::string version;
  Kind kind;
};

void PrintTo(const Recorded& recorded, std::ostream* out) { *out << recorded.version; }

class RecordedLines : public testing::TestWithParam<Recorded> {};

INSTANTIATE_TEST_SUITE_P(
    Versions, RecordedLines,
    testing::Values(Recorded{"3.7", Kind::lnotab}, Recorded{"3.8", Kind::lnotab},
                    Recorded{"3.9", Kind::lnotab}, Recorded{"3.10", Kind::ranges},
                    Recorded{"3.11", Kind::locations}, Recorded{"3.12", Kind::locations},
                    Recorded{"3.13", Kind::locations}),
    [](const auto& test) {
      std::string name = test.param.version;
      name[1] = '_';
      return "V" + name;
    });

TEST_P(RecordedLines, AreFoundAtEveryInstruction) {
  const auto folder = std::filesystem::path{GILSPY_TESTS} / "fixtures/line_tables";
  std::ifstream file{folder / (GetParam().version + ".txt")};
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  ASSERT_EQ(line, "version " + GetParam().version);
  int instructions = 0;
  while (std::getline(file, line)) {
    std::array<char, 128> name{};
    std::uint32_t first_line = 0;
    std::uint32_t size = 0;
    ASSERT_EQ(
        std::sscanf(line.c_str(), "code %127s first=%u size=%u", name.data(), &first_line, &size),
        3);
    std::string word;
    std::string hex;
    ASSERT_TRUE(std::getline(file, line));
    std::istringstream{line} >> word >> hex;
    ASSERT_EQ(word, "table");
    const LineTable table{GetParam().kind, first_line, from_hex(hex)};

    ASSERT_TRUE(std::getline(file, line));
    std::istringstream runs{line};
    runs >> word;
    ASSERT_EQ(word, "lines");
    std::vector<std::pair<std::uint32_t, std::uint32_t>> starts;
    for (std::uint32_t offset = 0, at = 0; runs >> offset && runs.get() == ':' && runs >> at;) {
      starts.emplace_back(offset, at);
    }
    starts.emplace_back(size, 0);
    ASSERT_EQ(starts.front().first, 0U);
    for (std::size_t run = 0; run + 1 < starts.size(); ++run) {
      for (std::uint32_t offset = starts[run].first; offset < starts[run + 1].first; offset += 2) {
        ASSERT_EQ(table.line_at(offset), starts[run].second) << name.data() << " at " << offset;
        ++instructions;
      }
    }
  }
  EXPECT_GT(instructions, 2000);
}

TEST(LineTable, WithoutEntries) {
  EXPECT_EQ(LineTable{}.line_at(0), 0U);
  // A function on one line has an empty lnotab.
  EXPECT_EQ(LineTable(Kind::lnotab, 7, {}).line_at(1000), 7U);
  EXPECT_EQ(LineTable(Kind::ranges, 7, {}).line_at(0), 0U);
  EXPECT_EQ(LineTable(Kind::locations, 7, {}).line_at(0), 0U);
}

TEST(LineTable, LnotabGoesBackwards) {
  const LineTable table{Kind::lnotab, 10, bytes({4, 5, 2, 0xFD, 0, 1})};
  EXPECT_EQ(table.line_at(3), 10U);
  EXPECT_EQ(table.line_at(4), 15U);
  EXPECT_EQ(table.line_at(6), 13U);
  EXPECT_EQ(table.line_at(UINT32_MAX - 1), 13U);
}

TEST(LineTable, RangesWithoutALineLeaveTheLineAlone) {
  const LineTable table{Kind::ranges, 10, bytes({2, 1, 4, 0x80, 2, 0, 0, 5, 2, 0xFF})};
  EXPECT_EQ(table.line_at(0), 11U);
  EXPECT_EQ(table.line_at(2), 0U);
  EXPECT_EQ(table.line_at(6), 11U);
  EXPECT_EQ(table.line_at(8), 15U);
  EXPECT_EQ(table.line_at(10), 0U);
}

TEST(LineTable, LocationsOfEachForm) {
  const LineTable table{Kind::locations, 10,
                        bytes({0x80 | 0 << 3 | 1, 0x12,            // short, 2 units: line 10
                               0x80 | 12 << 3, 1, 2,               // one line, +2: 12
                               0x80 | 13 << 3, 0x40 | 0x08, 0x06,  // svarint 392: +196: 208
                               0x80 | 14 << 3, 0x03, 0, 1, 1,      // long, svarint -1: 207
                               0x80 | 15 << 3,                     // none
                               0x80 | 9 << 3 | 7, 0x7F})};         // short, 8 units: 207
  EXPECT_EQ(table.line_at(2), 10U);
  EXPECT_EQ(table.line_at(4), 12U);
  EXPECT_EQ(table.line_at(6), 208U);
  EXPECT_EQ(table.line_at(8), 207U);
  EXPECT_EQ(table.line_at(10), 0U);
  EXPECT_EQ(table.line_at(12), 207U);
  EXPECT_EQ(table.line_at(27), 207U);
  EXPECT_EQ(table.line_at(28), 0U);
}

TEST(LineTable, LinesThatCannotBeAreNone) {
  EXPECT_EQ(LineTable(Kind::ranges, 1, bytes({2, 0xF0})).line_at(0), 0U);
  EXPECT_EQ(LineTable(Kind::lnotab, UINT32_MAX, bytes({2, 1})).line_at(0), 0U);
  // The longest varints there are, and longer.
  const LineTable table{
      Kind::locations, 1,
      bytes({0x80 | 13 << 3, 0x7E, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x7F, 0x3F})};
  EXPECT_EQ(table.line_at(0), 0U);
}

TEST(LineTable, CutOffTablesEndEarly) {
  EXPECT_EQ(LineTable(Kind::lnotab, 3, bytes({4})).line_at(8), 3U);
  EXPECT_EQ(LineTable(Kind::ranges, 3, bytes({4, 1, 4})).line_at(4), 0U);
  const LineTable table{Kind::locations, 3, bytes({0x80 | 14 << 3, 0x42})};
  EXPECT_EQ(table.line_at(0), 4U);
  EXPECT_EQ(table.line_at(2), 0U);
  // A varint without its last byte ends where the next entry begins.
  const LineTable cut{Kind::locations, 3, bytes({0x80 | 13 << 3, 0x42, 0x80 | 11 << 3, 1, 1})};
  EXPECT_EQ(cut.line_at(0), 4U);
  EXPECT_EQ(cut.line_at(2), 5U);
}

TEST(LineTable, SurvivesRandomBytes) {
  std::mt19937 random{7};
  for (const Kind kind : {Kind::lnotab, Kind::ranges, Kind::locations}) {
    for (std::size_t size = 0; size < 600; ++size) {
      std::vector<std::byte> content(size);
      for (std::byte& byte : content) byte = static_cast<std::byte>(random());
      const LineTable table{kind, static_cast<std::uint32_t>(random()), content};
      for (std::uint32_t offset = 0; offset < 2000; offset += 100) {
        EXPECT_LE(table.line_at(offset), static_cast<std::uint32_t>(INT32_MAX));
      }
    }
  }
}

}  // namespace
}  // namespace gilspy
