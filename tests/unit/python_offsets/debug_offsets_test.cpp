#include "gilspy/python_offsets/debug_offsets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "debug_places.h"

namespace gilspy {
namespace {

using Bytes = std::vector<std::byte>;

/// The _Py_DebugOffsets of a real CPython, see tests/fixtures/debug_offsets/make.
Bytes image(const std::string& name) {
  const auto file =
      std::filesystem::path{GILSPY_TESTS} / "fixtures/debug_offsets" / (name + ".bin");
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}

void set(Bytes& bytes, std::int32_t place, std::uint64_t value) {
  ASSERT_GE(place, 0);
  std::memcpy(bytes.data() + place, &value, sizeof(value));
}

/// "thread.(size) 312" of every row that differs from the table.
std::vector<std::string> differences(const Layout& table, const Layout& told) {
  const auto before = layout_rows(table);
  const auto after = layout_rows(told);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    texts.push_back(std::string(after[i].structure) + "." +
                    (after[i].field.empty() ? "(size)" : std::string(after[i].field)) + " " +
                    std::to_string(after[i].offset));
  }
  return texts;
}

struct Real {
  std::string name;
  Version version;
  bool free_threaded;
  std::vector<std::string> moved;  ///< what this patch release has elsewhere than the table
};

class RealDebugOffsets : public testing::TestWithParam<Real> {};

// Two sources that know nothing of each other: debug info read by the generator made the tables.
TEST_P(RealDebugOffsets, AgreeWithTheTablesButForWhatThePatchReleaseMoved) {
  const Layout& table = *layout_for(GetParam().version, GetParam().free_threaded);
  const Bytes bytes = image(GetParam().name);
  ASSERT_EQ(bytes.size(), debug_offsets_size(table));
  const auto told = apply_debug_offsets(table, bytes);
  ASSERT_TRUE(told) << told.error();
  EXPECT_EQ(differences(table, *told), GetParam().moved);
}

INSTANTIATE_TEST_SUITE_P(
    Pythons, RealDebugOffsets,
    testing::Values(
        Real{"3.13.0", {3, 13, 0}, false, {}},
        Real{"3.13.18",
             {3, 13, 18},
             false,
             {"runtime.(size) 283408", "interpreter.(size) 194984", "thread.(size) 312"}},
        Real{"3.14.10", {3, 14, 10}, false, {}},
        Real{"3.15.2", {3, 15, 2}, false, {"runtime.(size) 346568", "interpreter.(size) 226240"}},
        Real{"3.13.5t", {3, 13, 5}, true, {}}),
    [](const auto& test) {
      std::string name = test.param.name;
      std::ranges::replace(name, '.', '_');
      return name;
    });

class DebugOffsetsTest : public testing::Test {
 protected:
  [[nodiscard]] std::string refusal() const {
    const auto told = apply_debug_offsets(table, bytes);
    return told ? "" : told.error();
  }

  const Layout& table = *layout_for({3, 13, 0}, false);
  const DebugPlaces& places = debug_places_of(table);
  Bytes bytes = image("3.13.0");
};

TEST_F(DebugOffsetsTest, AFieldThatAPatchReleaseMovesIsFoundWhereItSays) {
  set(bytes, places.thread_struct_size, 312);
  set(bytes, places.thread_current_frame, 80);
  const auto told = apply_debug_offsets(table, bytes);
  ASSERT_TRUE(told) << told.error();
  EXPECT_THAT(differences(table, *told),
              testing::ElementsAre("thread.(size) 312", "thread.current_frame 80"));
}

TEST_F(DebugOffsetsTest, AFieldItDoesNotTellMovesWithTheOneInFrontOfIt) {
  // A new word in front of gil.locked. Only locked and last_holder are told, both moved by it.
  const auto base = load<std::uint64_t>(bytes, static_cast<std::uint64_t>(places.gil_base));
  set(bytes, places.gil_last_holder, *base + 16);
  set(bytes, places.gil_locked, *base + 24);
  const auto told = apply_debug_offsets(table, bytes);
  ASSERT_TRUE(told) << told.error();
  EXPECT_THAT(differences(table, *told),
              testing::ElementsAre("gil.(size) 216", "gil.last_holder 16", "gil.locked 24",
                                   "gil.switch_number 32", "gil.cond 40", "gil.mutex 88",
                                   "gil.switch_cond 128", "gil.switch_mutex 176"));
}

TEST_F(DebugOffsetsTest, NothingIsUsedOfImpossibleOnes) {
  const Bytes good = bytes;
  EXPECT_EQ(refusal(), "");
  set(bytes, places.thread_current_frame, 76);
  EXPECT_THAT(refusal(), testing::HasSubstr("thread.current_frame"));  // not aligned
  bytes = good;
  set(bytes, places.thread_current_frame, 304);  // begins where the struct ends
  EXPECT_THAT(refusal(), testing::HasSubstr("thread.current_frame"));
  bytes = good;
  set(bytes, places.thread_current_frame, ~0ULL);
  EXPECT_NE(refusal(), "");
  bytes = good;
  set(bytes, places.thread_struct_size, 0);
  EXPECT_THAT(refusal(), testing::HasSubstr("thread would have 0 bytes"));
  bytes = good;
  set(bytes, places.thread_struct_size, std::uint64_t{1} << 40);
  EXPECT_THAT(refusal(), testing::HasSubstr("thread"));
  bytes = good;
  set(bytes, places.gil_base, std::uint64_t{1} << 50);
  EXPECT_NE(refusal(), "");
  bytes = good;
  bytes.pop_back();
  EXPECT_NE(refusal(), "");
}

TEST_F(DebugOffsetsTest, WhateverTheBytesAreEveryFieldLiesInsideItsStruct) {
  std::mt19937_64 random{20261123};  // NOLINT(cert-msc51-cpp): the same every time
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    bytes = image("3.13.0");
    for (int changes = 1 + static_cast<int>(random() % 3); changes > 0; --changes) {
      const auto place = static_cast<std::int32_t>(24 + 8 * (random() % 70));
      set(bytes, place, random() % 4 == 0 ? random() : random() % 512);
    }
    const auto told = apply_debug_offsets(table, bytes);
    if (!told) continue;
    ++accepted;
    std::int64_t size = 0;
    for (const LayoutRow& row : layout_rows(*told)) {
      if (row.field.empty()) {
        size = row.offset;
      } else if (row.offset >= 0) {
        ASSERT_LE(row.offset + static_cast<std::int64_t>(row.width), size)
            << row.structure << '.' << row.field;
      }
    }
  }
  EXPECT_GT(accepted, 100);  // otherwise nothing was tried
}

TEST(DebugOffsets, VersionsWithoutThemSaySo) {
  const Layout& table = *layout_for({3, 12, 0}, false);
  EXPECT_EQ(debug_offsets_size(table), 0U);
  EXPECT_FALSE(apply_debug_offsets(table, Bytes(4096)));
}

TEST(LayoutRows, AreTheSameListForEveryVersion) {
  const auto first = layout_rows(all_layouts().front());
  for (const Layout& layout : all_layouts()) {
    const auto rows = layout_rows(layout);
    ASSERT_EQ(rows.size(), first.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].structure, first[i].structure);
      EXPECT_EQ(rows[i].field, first[i].field);
      EXPECT_EQ(rows[i].width, first[i].width);
    }
  }
}

}  // namespace
}  // namespace gilspy
