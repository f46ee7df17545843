#include "gilspy/elf/function_names.h"

#include <fcntl.h>
#include <gtest/gtest.h>

extern "C" {
[[gnu::noinline]] int gilspy_test_function(int number) noexcept { return number + 1; }
int gilspy_test_alias(int number) noexcept
    __attribute__((alias("gilspy_test_function"), noinline, nothrow));
}

namespace gilspy {
namespace {

TEST(FunctionNames, OfThisProgram) {
  const auto elf = ElfFile::open(UniqueFd{::open("/proc/self/exe", O_RDONLY)});
  ASSERT_TRUE(elf);
  FunctionNames names;
  names.add(*elf);
  const auto symbol = elf->symbol("gilspy_test_function");
  ASSERT_TRUE(symbol);
  // Of two names in one place the shorter.
  EXPECT_EQ(names.at(symbol->address).name, "gilspy_test_alias");
  EXPECT_EQ(names.at(symbol->address + symbol->size - 1).name, "gilspy_test_alias");
  EXPECT_NE(names.at(symbol->address + symbol->size).name, "gilspy_test_alias");
  EXPECT_EQ(names.at(symbol->address + 1).begin, symbol->address);
}

TEST(FunctionNames, OutsideOfAllFunctionsThereIsNone) {
  const auto elf = ElfFile::open(UniqueFd{::open("/proc/self/exe", O_RDONLY)});
  FunctionNames names;
  EXPECT_EQ(names.at(0x1000).name, "");
  names.add(*elf);
  EXPECT_EQ(names.at(0).name, "");
  EXPECT_EQ(names.at(UINT64_MAX).name, "");
}

TEST(ReadableName, LeavesOutWhatToolsHaveAdded) {
  EXPECT_EQ(readable_name("list_sort_impl.isra.0"), "list_sort_impl");
  EXPECT_EQ(readable_name("_PyEval_EvalFrameDefault.cold"), "_PyEval_EvalFrameDefault");
  EXPECT_EQ(readable_name("clock_nanosleep@@GLIBC_2.17"), "clock_nanosleep");
  EXPECT_EQ(readable_name(".name"), ".name");
}

TEST(ReadableName, SpellsOutCxxNames) {
  EXPECT_EQ(readable_name("_ZN5numpy4sortEPdl"), "numpy::sort(double*, long)");
  EXPECT_EQ(readable_name("_ZN5nump"), "_ZN5nump");
}

TEST(ReadableName, IsNoLongerThanALine) {
  EXPECT_LE(readable_name(std::string(5000, 'x')).size(), 123U);
  EXPECT_EQ(readable_name(""), "");
}

}  // namespace
}  // namespace gilspy
