#include "gilspy/os/move_to_cpu.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "gilspy/os/thread_files.h"

namespace gilspy {
namespace {

class MoveToCpuTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0); }
  void TearDown() override { ::sched_setaffinity(0, sizeof before, &before); }

  cpu_set_t before{};
};

TEST_F(MoveToCpuTest, LeavesOpenWhereElseToRun) {
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    EXPECT_TRUE(move_to_cpu(cpu)) << cpu;
    cpu_set_t after;
    ASSERT_EQ(::sched_getaffinity(0, sizeof after, &after), 0);
    EXPECT_TRUE(CPU_EQUAL(&before, &after)) << cpu;
  }
}

TEST_F(MoveToCpuTest, GoesNowhereElse) {
  int cpu = 0;
  while (!CPU_ISSET(cpu, &before)) ++cpu;
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  ASSERT_EQ(::sched_setaffinity(0, sizeof only, &only), 0);
  EXPECT_TRUE(move_to_cpu(cpu));
  EXPECT_EQ(::sched_getcpu(), cpu);
  for (int other = 0; other < CPU_SETSIZE; ++other) {
    if (other == cpu) continue;
    EXPECT_FALSE(move_to_cpu(other)) << other;
  }
  for (const int none : {-1, CPU_SETSIZE, 1 << 30}) EXPECT_FALSE(move_to_cpu(none)) << none;
  EXPECT_FALSE(leave_cpu());
  EXPECT_EQ(::sched_getcpu(), cpu);
}

TEST_F(MoveToCpuTest, LeavesACpu) {
  if (CPU_COUNT(&before) < 2) GTEST_SKIP() << "there is only one CPU to run on";
  // We may be moved back at once; but not always.
  int tries = 0;
  int cpu = 0;
  do {
    cpu = ::sched_getcpu();
    ASSERT_TRUE(leave_cpu());
  } while (::sched_getcpu() == cpu && ++tries < 1000);
  EXPECT_LT(tries, 1000);
  cpu_set_t after;
  ASSERT_EQ(::sched_getaffinity(0, sizeof after, &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST_F(MoveToCpuTest, IsWhereTheKernelSaysAThreadIs) {
  // Nothing can move the thread that may run on one CPU only.
  const auto process = ProcDir::open(Pid{::getpid()});
  if (!process) FAIL();
  const ThreadFiles files{*process, Tid{::gettid()}};
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    ASSERT_EQ(::sched_setaffinity(0, sizeof only, &only), 0);
    EXPECT_EQ(files.cpu(), cpu);
  }
}

}  // namespace
}  // namespace gilspy
