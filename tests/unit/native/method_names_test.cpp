#include "method_names.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "fake_memory.h"
#include "gilspy/native/code_map.h"
#include "gilspy/os/process_memory.h"

extern "C" {
[[gnu::noinline]] void* gilspy_test_method(void* self, void* argument) {
  return self != nullptr ? argument : self;
}

/// PyMethodDef, as a module has it in its data.
struct TestMethod {
  const char* name;
  void* (*function)(void*, void*);
  int flags;
  const char* doc;
};
// Not const, and seen from outside: so that it is there.
extern TestMethod gilspy_test_methods[5];
TestMethod gilspy_test_methods[5] = {
    {"do_things", gilspy_test_method, 0x8, "do_things(x)"},
    {"not a name", gilspy_test_method, 0x8, nullptr},
    {"odd_flags", gilspy_test_method, 0x7000, nullptr},
    {"no_flags", gilspy_test_method, 0, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
}

namespace gilspy {
namespace {

/// This program as a target.
class OwnProgram : public testing::Test {
 protected:
  OwnProgram() {
    CodeMap code{memory_};
    code.update(ProcDir::open(Pid{::getpid()})->maps());
    const auto at = RemoteAddress{reinterpret_cast<std::uint64_t>(&gilspy_test_method)};
    bias_ = load_bias(elf_, code.module_at(at)->file.first).value();
    begin_ = at.value() - bias_;
  }

  ElfFile elf_ = *ElfFile::open(UniqueFd{::open("/proc/self/exe", O_RDONLY)});
  ProcessMemory memory_{Pid{::getpid()}};
  std::uint64_t bias_ = 0;
  std::uint64_t begin_ = 0;
};

TEST_F(OwnProgram, KnowsWhereItsFunctionsBegin) {
  const auto begins = function_begins(elf_);
  EXPECT_TRUE(std::ranges::is_sorted(begins));
  EXPECT_TRUE(std::ranges::binary_search(begins, begin_));
}

TEST_F(OwnProgram, NamesAFunctionByTheMethodThatItImplements) {
  std::vector<std::string> names;
  for (const NamedFunction& method : find_methods(elf_, memory_, bias_)) {
    if (method.begin != begin_) continue;
    EXPECT_GT(method.end, method.begin);
    names.push_back(method.name);
  }
  EXPECT_EQ(names, std::vector<std::string>{"do_things()"});
}

TEST_F(OwnProgram, FindsNothingInMemoryThatIsSomethingElse) {
  std::mt19937_64 random{1};
  FakeMemory noise;
  for (const ElfSegment& segment : elf_.segments()) {
    for (std::uint64_t at = 0; at < segment.file_size; at += 8) {
      noise.put(RemoteAddress{segment.address + bias_ + at},
                random() % 2 == 0 ? random() : bias_ + random() % 0x100000);
    }
  }
  EXPECT_TRUE(find_methods(elf_, noise, bias_).empty());
  FakeMemory nothing;
  EXPECT_TRUE(find_methods(elf_, nothing, bias_).empty());
}

}  // namespace
}  // namespace gilspy
