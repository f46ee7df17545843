#include "kernel_trace.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace gilspy {
namespace {

constexpr RemoteRange first{RemoteAddress{0x7f0000001000}, RemoteAddress{0x7f00000010c0}};
constexpr RemoteRange second{RemoteAddress{0x55550000}, RemoteAddress{0x55550100}};

TEST(FutexFilter, LetsThroughEachRange) {
  EXPECT_EQ(futex_filter({}), "");
  EXPECT_EQ(futex_filter(std::array{first}), "(uaddr >= 0x7f0000001000 && uaddr < 0x7f00000010c0)");
  EXPECT_EQ(futex_filter(std::array{first, second}),
            "(uaddr >= 0x7f0000001000 && uaddr < 0x7f00000010c0) || "
            "(uaddr >= 0x55550000 && uaddr < 0x55550100)");
}

TEST(KernelTrace, FollowsThreadsMadeLater) {
  const auto self = ProcDir::open(Pid{::getpid()});
  ASSERT_TRUE(self);
  KernelTrace trace{*self, std::array{first}};
  if (trace.source() == TraceSource::sampled) GTEST_SKIP() << trace.why_not();
  Tid later{};
  std::thread{[&] {
    later = Tid{::gettid()};
    for (int i = 0; i < 5; ++i) std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }}.join();
  trace.drain();
  int blocked = 0;
  Time last;
  for (const TraceRecord& record : trace.take_until(now())) {
    EXPECT_GE(record.at, last);
    last = record.at;
    if (record.tid == later && record.kind == TraceRecord::Kind::blocked) ++blocked;
  }
  EXPECT_GE(blocked, 5);
  EXPECT_EQ(trace.lost(), 0U);
}

}  // namespace
}  // namespace gilspy
