#include "gilspy/locate/binaries.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "gilspy/os/process_memory.h"

namespace gilspy {
namespace {

/// Something of known place in this program.
const int anchor = 7;

Mapping mapping(std::uint64_t begin, std::uint64_t offset, std::uint64_t inode, std::string path) {
  Mapping result;
  result.range = {RemoteAddress{begin}, RemoteAddress{begin + 0x1000}};
  result.offset = offset;
  result.readable = true;
  result.inode = inode;
  result.path = std::move(path);
  return result;
}

class BinariesTest : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> paths(const std::vector<Mapping>& maps) const {
    std::vector<std::string> result;
    for (const Binary& binary : candidate_binaries(self, maps)) result.push_back(binary.path);
    return result;
  }

  const ProcDir self = ProcDir::open(Pid{::getpid()}).value();
  const std::string program = self.link("exe").value();
};

using Paths = std::vector<std::string>;

TEST_F(BinariesTest, AreLibrariesFirstAndThenTheProgram) {
  EXPECT_EQ(paths({mapping(0x1000, 0, 5, program), mapping(0x8000, 0, 6, "/usr/lib/libc.so.6"),
                   mapping(0x9000, 0, 7, "/opt/lib/libpython3.11.so.1.0"),
                   mapping(0xa000, 0, 8, "/opt/lib/libpython3.so")}),
            (Paths{"/opt/lib/libpython3.11.so.1.0", "/opt/lib/libpython3.so", program}));
}

TEST_F(BinariesTest, AreNamedByTheirFileNotByTheirFolder) {
  EXPECT_EQ(
      paths({mapping(0x1000, 0, 5, "/opt/libpython3.11/json.so"),
             mapping(0x2000, 0, 6, "/opt/mylibpython3.11.so"),
             mapping(0x3000, 0, 7, "/usr/bin/python3"), mapping(0x4000, 0, 8, program + ".old")}),
      Paths{});
}

TEST_F(BinariesTest, AreOnlyMappedFiles) {
  EXPECT_EQ(paths({}), Paths{});
  EXPECT_EQ(paths({mapping(0x1000, 0, 0, "[heap]"), mapping(0x2000, 0, 0, ""),
                   mapping(0x3000, 0, 0, "libpython3.11.so")}),
            Paths{});
}

TEST_F(BinariesTest, AreFoundWhenDeleted) {
  EXPECT_EQ(paths({mapping(0x1000, 0, 5, "/opt/libpython3.12.so.1.0 (deleted)")}),
            Paths{"/opt/libpython3.12.so.1.0 (deleted)"});
}

TEST_F(BinariesTest, BeginAtTheLowestOffsetWhereverItIsMapped) {
  const auto found =
      candidate_binaries(self, {mapping(0x5000, 0x4000, 9, "/lib/libpython3.11.so"),
                                mapping(0x9000, 0, 9, "/lib/libpython3.11.so"),
                                mapping(0x7000, 0x2000, 9, "/lib/libpython3.11.so")});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].first.offset, 0U);
  EXPECT_EQ(found[0].first.range.begin, RemoteAddress{0x9000});
  EXPECT_FALSE(found[0].is_executable_file);
}

TEST_F(BinariesTest, WithTheSameNameAreTwoWhenTheyAreTwoFiles) {
  const auto found = candidate_binaries(self, {mapping(0x5000, 0, 9, "/lib/libpython3.11.so"),
                                               mapping(0x9000, 0, 10, "/lib/libpython3.11.so")});
  EXPECT_EQ(found.size(), 2U);
}

TEST_F(BinariesTest, OfThisProcessIsItsProgram) {
  const auto found = candidate_binaries(self, self.maps());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].path, program);
  EXPECT_TRUE(found[0].is_executable_file);
  const auto elf = open_binary(self, found[0], {});
  ASSERT_TRUE(elf);
  const auto bias = load_bias(*elf, found[0].first);
  ASSERT_TRUE(bias);
  // `anchor` has internal linkage and no symbol in a stripped build; main is where it is linked.
  const auto main_symbol = elf->symbol("main");
  ASSERT_TRUE(main_symbol);
  const auto& maps = self.maps();
  const RemoteAddress at{main_symbol->address + *bias};
  EXPECT_TRUE(std::ranges::any_of(maps, [&](const Mapping& m) {
    return m.executable && m.path == program && m.range.contains(at);
  }));
  const std::uint64_t linked = reinterpret_cast<std::uintptr_t>(&anchor) - *bias;
  EXPECT_EQ(elf->value_at(linked, sizeof(anchor)), 7U);
}

/// This program, as if it were a library that map_files does not give.
Binary found_by_name(const ProcDir& self) {
  Binary binary = candidate_binaries(self, self.maps()).at(0);
  binary.is_executable_file = false;
  binary.first.range = {RemoteAddress{0x1000}, RemoteAddress{0x2000}};
  return binary;
}

TEST_F(BinariesTest, AreOpenedByNameWhenItIsTheSameFile) {
  Binary binary = found_by_name(self);
  EXPECT_TRUE(open_binary(self, binary, {}));
  binary.path += " (deleted)";  // and written anew under the old name
  EXPECT_TRUE(open_binary(self, binary, {}));
}

TEST_F(BinariesTest, AreNotOpenedWhenTheFileIsAnotherOne) {
  Binary binary = found_by_name(self);
  binary.first.inode += 1;
  EXPECT_FALSE(open_binary(self, binary, {}));
  EXPECT_FALSE(open_binary(
      self,
      {"/no/such/libpython3.11.so", false, mapping(0x1000, 0, 9, "/no/such/libpython3.11.so")},
      {}));
}

TEST_F(BinariesTest, WithAnotherInodeAreToldByTheirBuildId) {
  const auto program_begin = candidate_binaries(self, self.maps()).at(0).first.range.begin;
  ProcessMemory memory{self.pid()};
  const auto loaded = LoadedElf::read(memory, program_begin);
  ASSERT_TRUE(loaded);
  if (loaded->build_id().empty()) GTEST_SKIP() << "this compiler gives none";
  Binary binary = found_by_name(self);
  binary.first.inode += 1;
  EXPECT_TRUE(open_binary(self, binary, loaded));
  binary.path = "/bin/sh";
  EXPECT_FALSE(open_binary(self, binary, loaded));
}

TEST_F(BinariesTest, LoadedTwiceAreTwo) {
  const auto found =
      candidate_binaries(self, {mapping(0x5000, 0, 9, "/lib/libpython3.11.so"),
                                mapping(0x6000, 0x1000, 9, "/lib/libpython3.11.so"),
                                mapping(0x9000, 0, 9, "/lib/libpython3.11.so"),
                                mapping(0xa000, 0x1000, 9, "/lib/libpython3.11.so")});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].first.range.begin, RemoteAddress{0x5000});
  EXPECT_EQ(found[1].first.range.begin, RemoteAddress{0x9000});
}

TEST_F(BinariesTest, AreNoMoreThanCanBeLookedAt) {
  std::vector<Mapping> maps;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    maps.push_back(mapping(0x10000 * i, 0, 9, "/lib/libpython3.11.so"));
  }
  EXPECT_LE(candidate_binaries(self, maps).size(), 64U);
}

TEST_F(BinariesTest, HaveNoBiasWhenNoSegmentBeginsAtTheMapping) {
  const auto binary = candidate_binaries(self, self.maps()).at(0);
  const auto elf = open_binary(self, binary, {});
  ASSERT_TRUE(elf);
  const Mapping far = mapping(0x5000, std::uint64_t{1} << 40, 9, program);
  EXPECT_FALSE(load_bias(*elf, far));
}

TEST(LoadBias, OfAProgramLinkedAtAFixedPlaceIsCountedFromThere) {
  // The first segment of this file is linked at 0x400000, see make_elf.py beside it.
  const auto path = std::filesystem::path{GILSPY_TESTS} / "fuzz/corpus/elf/whole";
  const auto elf = ElfFile::open(UniqueFd{::open(path.c_str(), O_RDONLY)});
  ASSERT_TRUE(elf);
  EXPECT_EQ(load_bias(*elf, mapping(0x400000, 0, 9, "/bin/a")), 0U);
  EXPECT_EQ(load_bias(*elf, mapping(0x7f0000400000, 0, 9, "/bin/a")), 0x7f0000000000U);
}

TEST(LoadBias, IsTheSameWhenTheBeginningOfTheFileIsNotMappedAnyMore) {
  const auto elf = ElfFile::open(UniqueFd{::open("/proc/self/exe", O_RDONLY)});
  ASSERT_TRUE(elf);
  constexpr std::uint64_t bias = 0x7f0000000000;
  for (const ElfSegment& segment : elf->segments()) {
    if (segment.file_size < 0x3000) continue;
    // A piece from the middle of the segment.
    const std::uint64_t page = (segment.offset & ~std::uint64_t{4095}) + 0x1000;
    const std::uint64_t address = bias + (segment.address & ~std::uint64_t{4095}) + 0x1000;
    EXPECT_EQ(load_bias(*elf, mapping(address, page, 9, "/bin/a")), bias);
  }
}

TEST_F(BinariesTest, HaveTheSameBiasByEachOfTheirSegments) {
  const auto maps = self.maps();
  const auto binary = candidate_binaries(self, maps).at(0);
  const auto elf = open_binary(self, binary, {});
  ASSERT_TRUE(elf);
  const auto bias = load_bias(*elf, binary.first);
  int compared = 0;
  for (const ElfSegment& segment : elf->segments()) {
    const std::uint64_t page = segment.address & ~std::uint64_t{4095};
    EXPECT_TRUE(std::ranges::any_of(maps,
                                    [&](const Mapping& m) {
                                      return m.path == program &&
                                             m.range.contains(RemoteAddress{page + bias.value()});
                                    }))
        << std::hex << segment.address;
    ++compared;
  }
  EXPECT_GT(compared, 1);
}

}  // namespace
}  // namespace gilspy
