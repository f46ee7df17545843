#include "gilspy/os/thread_stop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace gilspy {
namespace {

using std::chrono::steady_clock;

/// A child that counts in memory it shares with the test, and how often SIGUSR1 reached it.
class ThreadStopTest : public testing::Test {
 protected:
  struct Shared {
    std::atomic<unsigned long> count;
    std::atomic<int> signals;
  };

  void SetUp() override {
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    shared = new (memory) Shared{};
    reached = &shared->signals;
    child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::signal(SIGUSR1, [](int) { ++*reached; });
      while (true) ++shared->count;
    }
    wait_until([this] { return shared->count > 1000; });
  }
  void TearDown() override {
    ::kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ::munmap(shared, sizeof(Shared));
  }

  template <class Condition>
  static void wait_until(Condition condition) {
    const auto deadline = steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
      ASSERT_LT(steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }
  void expect_goes_on() {
    wait_until([this, before = shared->count.load()] { return shared->count > before + 1000; });
  }

  static std::atomic<int>* reached;
  Shared* shared = nullptr;
  pid_t child = -1;
};

std::atomic<int>* ThreadStopTest::reached = nullptr;

TEST_F(ThreadStopTest, StopsForAsLongAsItLives) {
  for (int i = 0; i < 100; ++i) {
    {
      const auto stopped = ThreadStop::stop(Tid{child});
      ASSERT_TRUE(stopped);
      const unsigned long before = shared->count;
      std::this_thread::sleep_for(std::chrono::microseconds{200});
      EXPECT_EQ(shared->count, before);
    }
    expect_goes_on();
  }
}

TEST_F(ThreadStopTest, NoSignalGetsLost) {
  for (int i = 1; i <= 200; ++i) {
    ASSERT_EQ(::kill(child, SIGUSR1), 0);
    {
      EXPECT_TRUE(ThreadStop::stop(Tid{child}));
    }
    wait_until([&] { return shared->signals == i; });
  }
}

TEST_F(ThreadStopTest, ASecondTracerIsRefused) {
  auto first = ThreadStop::stop(Tid{child});
  ASSERT_TRUE(first);
  EXPECT_FALSE(ThreadStop::stop(Tid{child}));
  const ThreadStop moved = std::move(*first);
  first.reset();
  EXPECT_FALSE(ThreadStop::stop(Tid{child}));
}

TEST_F(ThreadStopTest, ATracerThatDiesLeavesItRunning) {
  const pid_t tracer = ::fork();
  ASSERT_GE(tracer, 0);
  if (tracer == 0) {
    const auto stopped = ThreadStop::stop(Tid{child});
    if (stopped) ::raise(SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(tracer, &status, 0), tracer);
  ASSERT_TRUE(WIFSIGNALED(status));
  expect_goes_on();
}

TEST(ThreadStop, WhatIsGoneCannotBeStopped) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(7);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(ThreadStop::stop(Tid{child}));
  // Its exit status is still there for its parent.
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace gilspy
