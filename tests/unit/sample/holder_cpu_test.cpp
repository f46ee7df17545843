#include "holder_cpu.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace gilspy {
namespace {

void stay_on(int cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  ::sched_setaffinity(0, sizeof only, &only);
}

/// A thread that is on the CPU it was told to be on.
class Holder {
 public:
  Holder() {
    while (tid_ == 0) std::this_thread::yield();
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    ending_ = true;
    thread_.join();
  }

  [[nodiscard]] Tid tid() const { return Tid{tid_}; }
  void go_to(int cpu) {
    wanted_ = cpu;
    while (there_ != cpu) std::this_thread::yield();
  }

 private:
  void work() {
    tid_ = ::gettid();
    while (!ending_) {
      if (wanted_ != there_) {
        stay_on(wanted_);
        there_ = wanted_.load();
      }
      std::this_thread::yield();
    }
  }

  std::atomic<int> tid_{0};
  std::atomic<int> wanted_{-1};
  std::atomic<int> there_{-1};
  std::atomic<bool> ending_{false};
  std::thread thread_{[this] { work(); }};
};

TEST(HolderCpuTest, FollowsTheThreadWhereverItGoes) {
  const auto process = ProcDir::open(Pid{::getpid()});
  if (!process) FAIL();
  Holder holder;
  const Lane lane{*process, holder.tid(), {}};
  HolderCpu follower;
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    holder.go_to(cpu);
    // We may be moved on at once; but not always.
    int tries = 0;
    do follower.go_to(lane);
    while (::sched_getcpu() != cpu && ++tries < 1000);
    EXPECT_LT(tries, 1000) << cpu;
  }
}

TEST(HolderCpuTest, LeavesItToTheThread) {
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  if (CPU_COUNT(&allowed) < 2) GTEST_SKIP() << "there is only one CPU to run on";
  const auto process = ProcDir::open(Pid{::getpid()});
  if (!process) FAIL();
  Holder holder;
  int cpu = 0;
  while (!CPU_ISSET(cpu, &allowed)) ++cpu;
  holder.go_to(cpu);
  const Lane lane{*process, holder.tid(), {}};
  HolderCpu follower;
  int tries = 0;
  do {
    follower.go_to(lane);
    follower.leave();
  } while (::sched_getcpu() == cpu && ++tries < 1000);
  EXPECT_LT(tries, 1000);
}

}  // namespace
}  // namespace gilspy
