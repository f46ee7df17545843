#include "call_check.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <random>
#include <vector>

#include "fake_memory.h"

namespace gilspy {
namespace {

constexpr RemoteAddress code_begin{0x7f0000000000};
constexpr RemoteAddress data_begin{0x7f0000002000};
constexpr RemoteAddress function = code_begin + 0x400;
constexpr RemoteAddress stub = code_begin + 0x800;
constexpr RemoteAddress pointer = data_begin + 0x10;
constexpr RemoteAddress back = code_begin + 0x205;

/// A file with code, and with data that the dynamic loader writes to.
class CallCheckTest : public testing::Test {
 protected:
  CallCheckTest() {
    memory_.put_zeros(code_begin, 0x2000);
    memory_.put_zeros(data_begin, 0x1000);
    code_.update({{{code_begin, code_begin + 0x2000}, 0, true, false, true, 7, "/lib/a.so"},
                  {{data_begin, data_begin + 0x1000}, 0x2000, true, true, false, 7, "/lib/a.so"}});
  }
  /// An instruction that ends at `end`: these bytes, and the distance from its end to `to`.
  void put(RemoteAddress end, std::initializer_list<std::uint8_t> opcode, RemoteAddress to) {
    memory_.put(end - 4, static_cast<std::uint32_t>(to.value() - end.value()));
    RemoteAddress at = end - 4 - opcode.size();
    for (const std::uint8_t byte : opcode) {
      memory_.put(at, byte);
      at = at + 1;
    }
  }
  [[nodiscard]] bool is_call() { return is_call_to(code_, back, function); }

  FakeMemory memory_;
  CodeMap code_{memory_};
};

TEST_F(CallCheckTest, KnowsACallByItsAddress) {
  put(back, {0xe8}, function);
  EXPECT_TRUE(is_call());
}

TEST_F(CallCheckTest, OneOfAnotherFunctionIsNone) {
  put(back, {0xe8}, function + 1);
  EXPECT_FALSE(is_call());
}

TEST_F(CallCheckTest, NoCallIsNone) {
  put(back, {0xe9}, function);
  EXPECT_FALSE(is_call());
}

TEST_F(CallCheckTest, KnowsACallByAPointer) {
  put(back, {0xff, 0x15}, pointer);
  EXPECT_FALSE(is_call());
  memory_.put(pointer, function);
  EXPECT_TRUE(is_call());
}

TEST_F(CallCheckTest, KnowsACallThroughALinkageTable) {
  memory_.put(pointer, function);
  put(back, {0xe8}, stub);
  put(stub + 6, {0xff, 0x25}, pointer);
  EXPECT_TRUE(is_call());
}

TEST_F(CallCheckTest, KnowsALinkageTableOfCheckedBranches) {
  memory_.put(pointer, function);
  put(back, {0xe8}, stub);
  put(stub + 10, {0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25}, pointer);
  EXPECT_TRUE(is_call());
}

TEST_F(CallCheckTest, KnowsALinkageTableWithBounds) {
  memory_.put(pointer, function);
  put(back, {0xe8}, stub);
  put(stub + 11, {0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25}, pointer);
  EXPECT_TRUE(is_call());
}

TEST_F(CallCheckTest, CodeThatCannotBeReadCallsNothing) {
  EXPECT_FALSE(is_call_to(code_, code_begin + 2, code_begin - 100));
  EXPECT_FALSE(is_call_to(code_, RemoteAddress{5}, RemoteAddress{0}));
}

TEST_F(CallCheckTest, RandomCodeHarmsNothing) {
  std::mt19937_64 random{5};
  for (std::uint64_t at = 0; at < 0x2000; at += 8) memory_.put(code_begin + at, random());
  for (int i = 0; i < 5000; ++i) (void)is_call_to(code_, code_begin + random() % 0x2000, function);
}

}  // namespace
}  // namespace gilspy
