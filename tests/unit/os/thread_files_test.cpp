#include "gilspy/os/thread_files.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string_view>
#include <thread>

#include "os/waiting_process.h"

namespace gilspy {
namespace {

using Kind = SyscallNow::Kind;

TEST(ParseSyscall, ThreadOnARunQueue) { EXPECT_EQ(parse_syscall("running\n").kind, Kind::running); }

TEST(ParseSyscall, FutexWithItsArguments) {
  const SyscallNow now = parse_syscall(
      "202 0x7f3b2c001a98 0x189 0x0 0xffffffffffffffff 0x7fff5 0x10 0x7ffd33b4f4e0 "
      "0x7f3b2ca8d197\n");
  EXPECT_EQ(now.kind, Kind::in_syscall);
  EXPECT_EQ(now.number, 202);
  EXPECT_EQ(now.arguments,
            (std::array<std::uint64_t, 6>{0x7f3b2c001a98, 0x189, 0, UINT64_MAX, 0x7fff5, 0x10}));
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
  for (std::size_t size = 0; size < whole.find("0xa6"); ++size) {
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
  EXPECT_FALSE(
      parse_context_switches("Name:\ta\nvoluntary_ctxt_switches:\t1\n"
                             "nonvoluntary_ctxt_switches:\t"));
  EXPECT_FALSE(
      parse_context_switches("Name:\ta\nvoluntary_ctxt_switches:\tmany\n"
                             "nonvoluntary_ctxt_switches:\t1\n"));
}

/// Looks again and again until what it sees is `wanted`, or half a minute is over.
SyscallNow look_for(const ThreadFiles& files, Kind wanted, std::int16_t number) {
  const Time give_up = now() + std::chrono::seconds{30};
  while (true) {
    const SyscallNow call = files.syscall();
    if ((call.kind == wanted && call.number == number) || now() > give_up) return call;
    std::this_thread::yield();
  }
}

TEST(ThreadFilesTest, ShowAThreadThatRuns) {
  const auto process = ProcDir::open(Pid{::getpid()});
  ASSERT_TRUE(process);
  std::atomic<int> tid = 0;
  std::atomic<bool> enough = false;
  std::thread thread{[&] {
    tid = ::gettid();
    tid.notify_one();
    while (!enough) {
    }
  }};
  tid.wait(0);
  const ThreadFiles files{*process, Tid{tid}};
  const SyscallNow call = look_for(files, Kind::running, -1);
  const char state = files.state();
  const auto sched = files.schedstat();
  const auto left = files.context_switches();
  enough = true;
  thread.join();
  EXPECT_EQ(call.kind, Kind::running);
  EXPECT_EQ(state, 'R');
  ASSERT_TRUE(sched);
  ASSERT_TRUE(left);
  EXPECT_GT(sched->slices, 0U);
}

TEST(ThreadFilesTest, ShowTheSystemCallOfABlockedThread) {
  const testing::WaitingProcess child;
  const auto process = ProcDir::open(child.pid());
  ASSERT_TRUE(process);
  const ThreadFiles files{*process, child.tid()};
  const SyscallNow call = look_for(files, Kind::in_syscall, SYS_read);
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
  EXPECT_FALSE(files.cpu());
  EXPECT_FALSE(files.schedstat());
  EXPECT_FALSE(files.context_switches());
  EXPECT_EQ(ThreadFiles(*process, child.tid()).syscall().kind, Kind::gone);
}

}  // namespace
}  // namespace gilspy
