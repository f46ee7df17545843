#include "gilspy/elf/source_lines.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>

// Each on lines of its own, which the tests name.
namespace {
[[gnu::always_inline]] inline int put_in_place(int number) {
  asm volatile("" : "+r"(number)::"memory");
  return number * 3;
}
constexpr int function_line = __LINE__ + 2;
}  // namespace
extern "C" [[gnu::noinline]] int gilspy_test_source(int number) {
  asm volatile(".globl gilspy_test_place\ngilspy_test_place:" : "+r"(number));
  return put_in_place(number) + 1;
}

namespace gilspy {
namespace {

std::optional<ElfFile> own_program() {
  return ElfFile::open(UniqueFd{::open("/proc/self/exe", O_RDONLY)});
}

class SourceLinesTest : public testing::Test {
 protected:
  [[nodiscard]] static std::uint64_t address_of(const char* symbol) {
    const auto found = own_program()->symbol(symbol);
    EXPECT_TRUE(found) << symbol;
    return found ? found->address : 0;
  }
  std::optional<SourceLines> lines_ = SourceLines::open(std::move(own_program().value()));
};

TEST_F(SourceLinesTest, TellWhereAFunctionIsWritten) {
  ASSERT_TRUE(lines_);
  const std::uint64_t begin = address_of("gilspy_test_source");
  const auto function = lines_->function_at(begin);
  ASSERT_TRUE(function);
  EXPECT_TRUE(function->file.ends_with("tests/unit/elf/source_lines_test.cpp")) << function->file;
  EXPECT_EQ(function->first_line, function_line);
  EXPECT_EQ(function->begin, begin);
}

TEST_F(SourceLinesTest, TellTheLineThatIsExecuted) {
  ASSERT_TRUE(lines_);
  const std::uint64_t place = address_of("gilspy_test_place");
  const auto function = lines_->function_at(place);
  ASSERT_TRUE(function);
  EXPECT_EQ(function->first_line, function_line);
  EXPECT_GT(function->line_at(place), function_line);
  // Of what was put in place there the line that calls it.
  for (std::uint64_t at = place; at < function->end; ++at) {
    EXPECT_LE(function->line_at(at), function_line + 3);
    EXPECT_GE(function->line_at(at), function_line);
  }
}

TEST_F(SourceLinesTest, KnowNothingOfWhatIsNoCode) {
  ASSERT_TRUE(lines_);
  EXPECT_FALSE(lines_->function_at(0));
  EXPECT_FALSE(lines_->function_at(UINT64_MAX));
}

/// Of the fuzzer's seeds: corpus/make_source_lines.py.
std::optional<SourceLines> lines_of_seed(const std::string& name) {
  const std::string path = std::string{GILSPY_TESTS} + "/fuzz/corpus/source_lines/" + name;
  auto elf = ElfFile::open(UniqueFd{::open(path.c_str(), O_RDONLY)});
  EXPECT_TRUE(elf) << name;
  return elf ? SourceLines::open(std::move(*elf)) : std::nullopt;
}

TEST(SourceLinesOfSeeds, AreThereInEachVersionOfDwarf) {
  for (const char* name : {"dwarf_5", "dwarf_4", "dwarf_2_strict", "compressed"}) {
    EXPECT_TRUE(lines_of_seed(name)) << name;
  }
  EXPECT_FALSE(lines_of_seed("no_debug_information"));
}

TEST(SourceLinesOfSeeds, AreNotReadWhereAStringDoesNotEnd) {
  EXPECT_FALSE(lines_of_seed("strings_without_end"));
  EXPECT_FALSE(lines_of_seed("line_strings_without_end"));
}

TEST(SourceLinesOfSeeds, AreNotReadWhereAnotherFileWouldBeOpened) {
  EXPECT_FALSE(lines_of_seed("shares_with_another_file"));
}

TEST_F(SourceLinesTest, EndOnDamagedInformation) {
  std::ifstream file{"/proc/self/exe", std::ios::binary};
  const std::string whole{std::istreambuf_iterator<char>{file}, {}};
  const std::uint64_t address = address_of("gilspy_test_place");
  const auto debug = whole.size() / 4;  // the sections of debug information lie behind the code
  std::mt19937_64 random{9};
  const UniqueFd copy{::memfd_create("damaged", MFD_CLOEXEC)};
  ASSERT_EQ(::write(copy.get(), whole.data(), whole.size()), std::ssize(whole));
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 2000; ++i) {
      const auto byte = static_cast<char>(random());
      const auto at = static_cast<off_t>(debug + random() % (whole.size() - debug));
      ASSERT_EQ(::pwrite(copy.get(), &byte, 1, at), 1);
    }
    auto elf = ElfFile::open(UniqueFd{::dup(copy.get())});
    auto lines = elf ? SourceLines::open(std::move(*elf)) : std::nullopt;
    if (lines) (void)lines->function_at(address);
  }
}

}  // namespace
}  // namespace gilspy
