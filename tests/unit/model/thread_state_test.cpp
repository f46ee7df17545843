#include "gilspy/model/thread_state.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

namespace gilspy {
namespace {

TEST(Activity, FollowsFromBothAxes) {
  using enum Activity;
  const auto of = [](GilState gil, CpuState cpu) { return activity_of({gil, cpu, {}, -1}); };
  EXPECT_EQ(of(GilState::holding, CpuState::running), holding_running);
  EXPECT_EQ(of(GilState::holding, CpuState::runnable), holding_running);
  EXPECT_EQ(of(GilState::holding, CpuState::blocked), holding_blocked);
  EXPECT_EQ(of(GilState::waiting, CpuState::blocked), waiting);
  EXPECT_EQ(of(GilState::waiting, CpuState::runnable), waiting);
  EXPECT_EQ(of(GilState::released, CpuState::running), running);
  EXPECT_EQ(of(GilState::none, CpuState::running), running);
  EXPECT_EQ(of(GilState::released, CpuState::runnable), runnable);
  EXPECT_EQ(of(GilState::released, CpuState::blocked), blocked);
  EXPECT_EQ(of(GilState::released, CpuState::stopped), blocked);
  EXPECT_EQ(of(GilState::unknown, CpuState::running), unknown);
  EXPECT_EQ(of(GilState::released, CpuState::unknown), unknown);
}

TEST(BlockKind, ByWhatTheSystemCallWaitsFor) {
  EXPECT_EQ(block_kind_of(SYS_futex), BlockKind::lock);
  EXPECT_EQ(block_kind_of(SYS_recvfrom), BlockKind::io);
  EXPECT_EQ(block_kind_of(SYS_clock_nanosleep), BlockKind::sleep);
  EXPECT_EQ(block_kind_of(SYS_wait4), BlockKind::child);
  EXPECT_EQ(block_kind_of(SYS_epoll_wait), BlockKind::poll);
  EXPECT_EQ(block_kind_of(30000), BlockKind::other);
}

TEST(Describe, NamesTheSystemCall) {
  EXPECT_EQ(describe({GilState::released, CpuState::blocked, BlockKind::io, SYS_recvfrom}),
            "blocked (io: recvfrom)");
  EXPECT_EQ(describe({GilState::holding, CpuState::blocked, BlockKind::sleep, SYS_clock_nanosleep}),
            "holding, blocked (clock_nanosleep)");
  EXPECT_EQ(syscall_name(999), "syscall 999");
}

}  // namespace
}  // namespace gilspy
