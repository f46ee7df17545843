#include "gilspy/elf/elf_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "gilspy/elf/function_names.h"

/// Something of known content in this program's own file.
extern "C" {
extern const std::uint32_t gilspy_test_symbol[3];
const std::uint32_t gilspy_test_symbol[3] = {0x11223344, 0x55667788, 9};
}

namespace gilspy {
namespace {

/// A file of the ELF fuzzer's corpus; make_elf.py beside it says what is in it.
std::string corpus_file(const std::string& name) {
  const auto folder = std::filesystem::path{GILSPY_TESTS} / "fuzz/corpus/elf";
  std::ifstream file{folder / name, std::ios::binary};
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::optional<ElfFile> open_bytes(const std::string& bytes) {
  UniqueFd file{::memfd_create("elf", MFD_CLOEXEC)};
  EXPECT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return ElfFile::open(std::move(file));
}

/// Asks everything there is to ask; whatever the file is, the answers have to come.
void ask_everything(const std::string& bytes) {
  const auto elf = open_bytes(bytes);
  if (!elf) return;
  (void)elf->symbol("_PyRuntime");
  (void)elf->symbol("Py_Version");
  (void)elf->symbol("");
  (void)elf->section(".PyRuntime");
  EXPECT_LE(elf->section_bytes(".PyRuntime").size(), bytes.size());
  EXPECT_LE(elf->section_bytes(".dynsym").size(), bytes.size());
  FunctionNames names;
  names.add(*elf);
  (void)readable_name(names.at(0x1000).name);
  (void)elf->build_id();
  (void)elf->debug_link();
  (void)elf->stripped();
  EXPECT_TRUE(elf->checksum());
  for (const ElfSegment& segment : elf->segments()) {
    (void)elf->value_at(segment.address, 8);
    (void)elf->value_at(segment.address + segment.memory_size - 1, 8);
  }
}

class OwnProgram : public testing::Test {
 protected:
  const std::optional<ElfFile> elf = ElfFile::open(UniqueFd{::open("/proc/self/exe", O_RDONLY)});
};

TEST_F(OwnProgram, HasItsSymbolsAndTheirValues) {
  ASSERT_TRUE(elf);
  const auto symbol = elf->symbol("gilspy_test_symbol");
  ASSERT_TRUE(symbol);
  EXPECT_GE(symbol->size, sizeof(gilspy_test_symbol));
  EXPECT_EQ(elf->value_at(symbol->address, 4), 0x11223344U);
  EXPECT_EQ(elf->value_at(symbol->address, 8), 0x5566778811223344U);
  EXPECT_EQ(elf->value_at(symbol->address + 8, 1), 9U);
  EXPECT_FALSE(elf->symbol("gilspy_no_such_symbol"));
  EXPECT_FALSE(elf->symbol("gilspy_test_symbo"));
}

TEST_F(OwnProgram, HasItsSections) {
  ASSERT_TRUE(elf);
  const auto text = elf->section(".text");
  const auto main_symbol = elf->symbol("main");
  ASSERT_TRUE(text && main_symbol);
  EXPECT_GT(text->size, 0U);
  EXPECT_GE(main_symbol->address, text->address);
  EXPECT_LT(main_symbol->address, text->address + text->size);
  EXPECT_EQ(elf->section_bytes(".text").size(), text->size);
  EXPECT_FALSE(elf->section(".no_such_section"));
  EXPECT_TRUE(elf->section_bytes(".no_such_section").empty());
}

TEST_F(OwnProgram, HasSegmentsThatCoverItsSymbols) {
  ASSERT_TRUE(elf);
  const auto symbol = elf->symbol("gilspy_test_symbol");
  ASSERT_TRUE(symbol);
  EXPECT_TRUE(std::ranges::any_of(elf->segments(), [&](const ElfSegment& segment) {
    return symbol->address >= segment.address &&
           symbol->address - segment.address < segment.memory_size;
  }));
}

TEST_F(OwnProgram, CanBeMovedAround) {
  auto first = ElfFile::open(UniqueFd{::open("/proc/self/exe", O_RDONLY)});
  ASSERT_TRUE(first);
  ElfFile second = std::move(*first);
  EXPECT_TRUE(second.symbol("main"));
  first.reset();
  EXPECT_TRUE(second.symbol("main"));
}

TEST(SmallElf, GivesEveryAnswer) {
  const auto elf = open_bytes(corpus_file("whole"));
  ASSERT_TRUE(elf);
  const auto in_dynsym = elf->symbol("_PyRuntime");
  ASSERT_TRUE(in_dynsym);
  EXPECT_EQ(in_dynsym->address, 0x401000U);
  EXPECT_EQ(in_dynsym->size, 64U);
  const auto in_symtab = elf->symbol("Py_Version");
  ASSERT_TRUE(in_symtab);
  EXPECT_EQ(in_symtab->address, 0x401040U);
  EXPECT_EQ(elf->value_at(in_symtab->address, 4), 0x030b02f0U);
  const auto section = elf->section(".PyRuntime");
  ASSERT_TRUE(section);
  EXPECT_EQ(section->address, 0x401000U);
  EXPECT_EQ(section->size, 64U);
  EXPECT_EQ(elf->section_bytes(".PyRuntime"), std::vector<std::byte>(64, std::byte{'x'}));
  EXPECT_EQ(elf->build_id(), "000102030405060708090a0b0c0d0e0f10111213");
  ASSERT_EQ(elf->segments().size(), 2U);  // the third is a note
  EXPECT_EQ(elf->segments()[1].address, 0x401000U);
  EXPECT_EQ(elf->segments()[1].offset, 0x800U);
  EXPECT_EQ(elf->segments()[1].memory_size, 0x44U);
}

TEST(SmallElf, SaysHowItWasLinkedAndStripped) {
  const auto whole = open_bytes(corpus_file("whole"));
  ASSERT_TRUE(whole);
  EXPECT_FALSE(whole->fixed_address());
  EXPECT_FALSE(whole->stripped());
  EXPECT_FALSE(whole->debug_link());
  EXPECT_TRUE(open_bytes(corpus_file("stripped"))->stripped());
}

TEST(SmallElf, HasTheChecksumOfItsBytes) {
  // What Python's zlib.crc32 says of the file.
  EXPECT_EQ(open_bytes(corpus_file("whole"))->checksum(), 0xddd0e8d9U);
}

TEST(SmallElf, DoesNotClaimSymbolsOfOthers) {
  EXPECT_FALSE(open_bytes(corpus_file("whole"))->symbol("imported"));
}

TEST(SmallElf, HasValuesOnlyInsideItsSegments) {
  const auto elf = open_bytes(corpus_file("whole"));
  ASSERT_TRUE(elf);
  EXPECT_FALSE(elf->value_at(0, 4));
  EXPECT_FALSE(elf->value_at(0x3fffff, 4));
  EXPECT_TRUE(elf->value_at(0x400000, 4));
  EXPECT_FALSE(elf->value_at(0x400800, 4));
  EXPECT_TRUE(elf->value_at(0x401043, 1));
  EXPECT_FALSE(elf->value_at(0x401044, 1));
  EXPECT_FALSE(elf->value_at(UINT64_MAX, 1));
  EXPECT_FALSE(elf->value_at(0x401000, 9));
}

TEST(SmallElf, WithoutSymbolsStillHasItsSection) {
  const auto elf = open_bytes(corpus_file("stripped"));
  ASSERT_TRUE(elf);
  EXPECT_FALSE(elf->symbol("_PyRuntime"));
  EXPECT_TRUE(elf->section(".PyRuntime"));
}

TEST(NotAProgram, IsNotOpened) {
  for (const std::string name : {"object_file", "other_machine", "empty", "script"}) {
    EXPECT_FALSE(open_bytes(corpus_file(name))) << name;
  }
  EXPECT_FALSE(
      open_bytes("\x7f"
                 "ELF"));
  EXPECT_FALSE(ElfFile::open(UniqueFd{}));
  EXPECT_FALSE(ElfFile::open(UniqueFd{::open("/", O_RDONLY)}));
}

TEST(DamagedElf, OfAllLengthsGivesFewerAnswers) {
  const std::string whole = corpus_file("whole");
  for (std::size_t size = 0; size < whole.size(); ++size) ask_everything(whole.substr(0, size));
}

TEST(DamagedElf, WithAnyByteWrongGivesAnswers) {
  const std::string whole = corpus_file("whole");
  // What lies between 0x320 and 0x800 is padding.
  for (std::size_t at = 0; at < whole.size(); at == 0x320 ? at = 0x800 : ++at) {
    for (const unsigned value : {0x00U, 0x01U, 0x7FU, 0xFFU}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(value);
      ask_everything(damaged);
    }
  }
}

TEST(DamagedElf, OfRandomBytesGivesAnswers) {
  std::mt19937 random{13};
  const std::string whole = corpus_file("whole");
  for (int round = 0; round < 500; ++round) {
    std::string bytes = whole.substr(0, 64);
    while (bytes.size() < 1000) bytes.push_back(static_cast<char>(random()));
    ask_everything(bytes);
    std::string damaged = whole;
    for (int i = 0; i < 40; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    ask_everything(damaged);
  }
  ask_everything(std::string(5000, '\xFF'));
}

TEST(DamagedElf, CutWhileItIsOpenGivesFewerAnswers) {
  const std::string whole = corpus_file("whole");
  UniqueFd file{::memfd_create("elf", MFD_CLOEXEC)};
  ASSERT_EQ(::write(file.get(), whole.data(), whole.size()), static_cast<ssize_t>(whole.size()));
  const int writer = ::dup(file.get());
  const auto elf = ElfFile::open(std::move(file));
  ASSERT_TRUE(elf);
  ASSERT_EQ(::ftruncate(writer, 100), 0);
  ::close(writer);
  EXPECT_FALSE(elf->symbol("_PyRuntime"));
  EXPECT_FALSE(elf->section(".PyRuntime"));
  EXPECT_FALSE(elf->value_at(0x401000, 4));
}

}  // namespace
}  // namespace gilspy
