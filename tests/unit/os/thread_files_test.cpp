#include "gilspy/os/thread_files.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "os/waiting_process.h"

namespace gilspy {
namespace {

using Kind = SyscallNow::Kind;

TEST(ParseSyscall, ThreadOnARunQueue) {
  EXPECT_EQ(parse_syscall("running\n").kind, Kind::running);
}

TEST(ParseSyscall, FutexWithItsArguments) {
  const SyscallNow now = parse_syscall(
      "202 0x7f3b2c001a98 0x189 0x0 0xffffffffffffffff 0x7fff5 0x10 0x7ffd33b4f4e0 "
      "0x7f3b2ca8d197\n");
  EXPECT_EQ(now.kind, Kind::in_syscall);
  EXPECT_EQ(now.number, 202);
  EXPECT_EQ(now.arguments, (std::array<std::uint64_t, 6>{0x7f3b2c001a98, 0x189, 0, UINT64_MAX,
                                                         0x7fff5, 0x10}));
}

TEST(ParseSyscall, BlockedOutsideOfASystemCall) {
  const SyscallNow now = parse_syscall("-1 0x7ffd33b4f4e0 0x7f3b2ca8d197\n");
  EXPECT_EQ(now.kind, Kind::off_cpu);
  EXPECT_EQ(now.number, -1);
}

TEST(ParseSyscall, OfGarbageIsUnreadable) {
  for (const std::string_view text :
       {"", " ", "\n", "garbage", "202", "202 ", "202 x", "0x", "70000 0x1 0x2 0x3 0x4 0x5 0x6",
        "202 0x1 0x2 0x3 0x4 0x5", "202 0x1 0x2 0x3 0x4 0x5 0x", "202 0x1 0x2 0x3 nonsense 0x5 0x6",
        "202 0x11111111111111111 0x2 0x3 0x4 0x5 0x6"}) {
    const SyscallNow now = parse_syscall(text);
    EXPECT_EQ(now.kind, Kind::unreadable) << text;
    EXPECT_EQ(now.number, -1) << text;
  }
}

TEST(ParseSyscall, CutBeforeItsLastArgumentIsUnreadable) {
  const std::string_view whole = "7 0xa1 0xa2 0xa3 0xa4 0xa5 0xa6 0x7ffd33b4f4e0 0x7f3b2ca8d197\n";
  for (std::size_t size = 0; size < whole.find("a6"); ++size) {
    EXPECT_EQ(parse_syscall(whole.substr(0, size)).kind, Kind::unreadable) << size;
  }
  EXPECT_EQ(parse_syscall(whole.substr(0, whole.find(" 0x7ffd"))).kind, Kind::in_syscall);
}

TEST(ParseSchedstat, ReadsItsThreeNumbers) {
  const auto stat = parse_schedstat("123456789012 4567 89\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->ran, Duration{123456789012});
  EXPECT_EQ(stat->ready, Duration{4567});
  EXPECT_EQ(stat->slices, 89U);
}

TEST(ParseSchedstat, OfGarbageGivesNothing) {
  for (const std::string_view text :
       {"", "1", "1 2", "1 2 ", "a 2 3", "1 b 3", "1 2 c", "99999999999999999999 2 3"}) {
    EXPECT_FALSE(parse_schedstat(text)) << text;
  }
}

TEST(ParseContextSwitches, AddsVoluntaryAndForcedOnes) {
  EXPECT_EQ(parse_context_switches("Name:\tpython3\nvoluntary_ctxt_switches:\t1000\n"
                                   "nonvoluntary_ctxt_switches:\t17\n"),
            1017U);
}

TEST(ParseContextSwitches, NeedsBothLines) {
  EXPECT_FALSE(parse_context_switches(""));
  EXPECT_FALSE(parse_context_switches("Name:\ta\nvoluntary_ctxt_switches:\t1\n"));
  EXPECT_FALSE(parse_context_switches("Name:\ta\nnonvoluntary_ctxt_switches:\t1\n"));
  EXPECT_FALSE(parse_context_switches("Name:\ta\nvoluntary_ctxt_switches:\t1\n"
                                      "nonvoluntary_ctxt_switches:\t"));
  EXPECT_FALSE(parse_context_switches("Name:\ta\nvoluntary_ctxt_switches:\tmany\n"
                                      "nonvoluntary_ctxt_switches:\t1\n"));
}

TEST(ThreadFilesTest, SayThatTheReaderItselfRuns) {
  const auto process = ProcDir::open(Pid{::getpid()});
  ASSERT_TRUE(process);
  const ThreadFiles files{*process, Tid{static_cast<std::int32_t>(::gettid())}};
  EXPECT_EQ(files.syscall().kind, Kind::running);
  EXPECT_EQ(files.state(), 'R');
  const auto sched = files.schedstat();
  const auto left = files.context_switches();
  ASSERT_TRUE(sched);
  ASSERT_TRUE(left);
  EXPECT_GT(sched->ran.count(), 0);
  EXPECT_GT(sched->slices, 0U);
}

TEST(ThreadFilesTest, ShowTheSystemCallOfABlockedThread) {
  const testing::WaitingProcess child;
  const auto process = ProcDir::open(child.pid());
  ASSERT_TRUE(process);
  const ThreadFiles files{*process, child.tid()};
  const Time give_up = now() + std::chrono::seconds{30};
  SyscallNow call = files.syscall();
  while ((call.kind != Kind::in_syscall || call.number != SYS_read) && now() < give_up) {
    std::this_thread::yield();
    call = files.syscall();
  }
  EXPECT_EQ(call.kind, Kind::in_syscall);
  EXPECT_EQ(call.number, SYS_read);
  EXPECT_EQ(call.arguments[2], 1U);  // bytes asked for
  EXPECT_EQ(files.state(), 'S');
}

TEST(ThreadFilesTest, SayThatAnEndedThreadIsGone) {
  testing::WaitingProcess child;
  const auto process = ProcDir::open(child.pid());
  ASSERT_TRUE(process);
  const ThreadFiles files{*process, child.tid()};
  child.reap();
  EXPECT_EQ(files.syscall().kind, Kind::gone);
  EXPECT_EQ(files.state(), '?');
  EXPECT_FALSE(files.schedstat());
  EXPECT_FALSE(files.context_switches());
  EXPECT_EQ(ThreadFiles(*process, child.tid()).syscall().kind, Kind::gone);
}

}  // namespace
}  // namespace gilspy
