#include "kernel_view.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

namespace gilspy {
namespace {

using Kind = Transition::Kind;
using Takes = Transition::Takes;

constexpr ThreadState holding{GilState::holding, CpuState::running, BlockKind::none, -1};
constexpr ThreadState working{GilState::released, CpuState::running, BlockKind::none, -1};
constexpr ThreadState reading{GilState::released, CpuState::blocked, BlockKind::io, SYS_read};
constexpr ThreadState sleeping_holder{GilState::holding, CpuState::blocked, BlockKind::sleep,
                                      SYS_clock_nanosleep};
constexpr ThreadState waiting{GilState::waiting, CpuState::blocked, BlockKind::lock, SYS_futex};

KernelView known(CpuState cpu, bool waits = false, bool knows_waits = true) {
  KernelView view{knows_waits};
  view.know(cpu, waits);
  return view;
}

Transition step(Kind kind, Takes takes = Takes::no, Time at = {}) {
  return {kind, takes, at, Tid{1}, RemoteAddress{}};
}

TEST(KernelView, OfAThreadThatIsNotKnownTheTickIsRight) {
  EXPECT_EQ(KernelView{true}.agreed(waiting), waiting);
  EXPECT_EQ(KernelView{true}.agreed(holding), holding);
}

TEST(KernelView, TheKernelKnowsBetterWhetherAThreadWaits) {
  EXPECT_EQ(known(CpuState::blocked, true).agreed(reading), waiting);
  EXPECT_EQ(known(CpuState::running).agreed(waiting), working);
}

TEST(KernelView, WithSwitchesAloneTheTickKnowsWhetherItWaits) {
  EXPECT_EQ(known(CpuState::blocked, false, false).agreed(waiting), waiting);
}

TEST(KernelView, TheKernelKnowsBetterWhetherAThreadHasACpu) {
  EXPECT_EQ(known(CpuState::runnable).agreed(holding).cpu, CpuState::runnable);
  EXPECT_EQ(known(CpuState::running).agreed(reading), working);
}

TEST(KernelView, AStoppedThreadStaysStopped) {
  ThreadState stopped = working;
  stopped.cpu = CpuState::stopped;
  EXPECT_EQ(known(CpuState::blocked).agreed(stopped), stopped);
}

TEST(KernelView, AThreadThatComesToRunDoesWhatItWasSeenToDo) {
  KernelView view = known(CpuState::running);
  view.learn(holding);
  EXPECT_EQ(view.running(reading, false), holding);
  // But not while another one has the GIL: then it would wait.
  EXPECT_EQ(view.running(reading, true), working);
  EXPECT_EQ(known(CpuState::running).running(reading, false), working);
}

TEST(KernelView, AThreadThatBlocksDoesWhatItWasSeenToDo) {
  KernelView view = known(CpuState::blocked);
  view.learn(reading);
  EXPECT_EQ(view.blocked(working, false), reading);
  EXPECT_EQ(view.blocked(holding, false), reading);
}

TEST(KernelView, OneThatBlocksWhileOthersWaitForItsGilHasKeptIt) {
  KernelView view = known(CpuState::blocked);
  view.learn(reading);
  EXPECT_EQ(view.blocked(holding, true).gil, GilState::holding);
  view.learn(sleeping_holder);
  EXPECT_EQ(view.blocked(holding, true), sleeping_holder);
  EXPECT_EQ(view.blocked(working, false).gil, GilState::released);
}

TEST(KernelView, LearnsOnlyFromTicksThatSawWhatItKnows) {
  KernelView view = known(CpuState::blocked);
  view.learn(holding);
  EXPECT_EQ(view.running(reading, false), working);
  view = known(CpuState::blocked);
  view.learn(waiting);
  EXPECT_EQ(view.blocked(working, false).gil, GilState::released);
}

TEST(KernelView, AMutexAtTheBeginningOfDropGilGivesTheGilAway) {
  KernelView view = known(CpuState::running);
  view.set_held(true);
  EXPECT_FALSE(view.takes(Takes::unless_held));
  view.set_held(false);
  EXPECT_TRUE(view.takes(Takes::unless_held));
  EXPECT_TRUE(view.takes(Takes::yes));
  EXPECT_FALSE(view.takes(Takes::no));
}

TEST(KernelView, IsTakingTheGilForAMomentAfterItsWait) {
  const Time end{std::chrono::seconds{5}};
  KernelView view = known(CpuState::running, true);
  view.follow(step(Kind::wait_ended, Takes::yes, end));
  EXPECT_FALSE(view.waiting());
  EXPECT_TRUE(view.was_taking(end + std::chrono::microseconds{5}));
  EXPECT_FALSE(view.was_taking(end + std::chrono::microseconds{50}));
  view.follow(step(Kind::gave_up));
  EXPECT_FALSE(view.was_taking(end + std::chrono::microseconds{5}));
}

}  // namespace
}  // namespace gilspy
