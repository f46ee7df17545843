#include "gilspy/os/tracepoints.h"

#include <gtest/gtest.h>

#include <string>

namespace gilspy {
namespace {

// As kernel 6.18 has it in events/syscalls/sys_enter_futex/format.
constexpr std::string_view sys_enter_futex =
    "name: sys_enter_futex\n"
    "ID: 522\n"
    "format:\n"
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
    "\n"
    "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
    "\tfield:u32 * uaddr;\toffset:16;\tsize:8;\tsigned:0;\n"
    "\tfield:int op;\toffset:24;\tsize:8;\tsigned:0;\n"
    "\tfield:char comm[16];\toffset:32;\tsize:16;\tsigned:0;\n"
    "\n"
    "print fmt: \"uaddr: 0x%08lx, op: 0x%08lx\", ((unsigned long)(REC->uaddr))\n";

TEST(ParseTracepoint, ReadsIdAndFields) {
  const auto point = parse_tracepoint(sys_enter_futex);
  ASSERT_TRUE(point);
  EXPECT_EQ(point->id, 522U);
  EXPECT_EQ(point->field("uaddr"), (TracepointField{"uaddr", 16, 8}));
  EXPECT_EQ(point->field("op"), (TracepointField{"op", 24, 8}));
  EXPECT_EQ(point->field("comm"), (TracepointField{"comm", 32, 16}));
  EXPECT_FALSE(point->field("format"));
}

TEST(ParseTracepoint, WithoutAnIdThereIsNone) {
  for (const std::string_view text : {"", "ID:\n", "ID: 0\n", "ID: -4\n", "name: x\nID: x\n"}) {
    EXPECT_FALSE(parse_tracepoint(text)) << text;
  }
}

TEST(ParseTracepoint, LinesThatMakeNoSenseAreLeftOut) {
  const auto point = parse_tracepoint(
      "ID: 5\n"
      "\tfield:;\toffset:1;\tsize:2;\n"
      "\tfield:int a\toffset:1\tsize:2\n"
      "\t;field:int b\toffset:1;\tsize:2;\n"
      "\tfield:int c;\toffset:x;\tsize:2;\n"
      "\tfield:int d;\tsize:2;\n"
      "\tfield:int e;\toffset:99999999999;\tsize:2;\n"
      "\tfield:int f;\toffset:8;\tsize:4");
  ASSERT_TRUE(point);
  ASSERT_EQ(point->fields.size(), 1U);
  EXPECT_EQ(point->fields[0], (TracepointField{"f", 8, 4}));
}

TEST(ParseTracepoint, EveryBeginningOfItIsParsedWithoutHarm) {
  for (std::size_t size = 0; size < sys_enter_futex.size(); ++size) {
    const auto point = parse_tracepoint(std::string{sys_enter_futex.substr(0, size)});
    EXPECT_EQ(point.has_value(), size > sys_enter_futex.find("ID: 5") + 4) << size;
  }
}

}  // namespace
}  // namespace gilspy
