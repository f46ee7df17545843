#include "classify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "sample/sights.h"

namespace gilspy {
namespace {

using namespace gilspy::testing;  // NOLINT(google-build-using-namespace): the words of these tests
using Kind = SyscallNow::Kind;

constexpr GilState none = GilState::none;
constexpr GilState released = GilState::released;
constexpr GilState waiting = GilState::waiting;
constexpr GilState holding = GilState::holding;

TEST(Classify, WithoutACountRunningThreadsAreTakenAtTheirWord) {
  EXPECT_EQ(gil_states({on_queue(state(1)), on_queue(state(2))}, {held_by(state(1))}),
            (std::vector{holding, released}));
}

TEST(Classify, CountOfWaitersThatAddsUpLeavesRunnersReleased) {
  const Lanes lanes{on_queue(state(1)), in_cond(state(2)), on_queue(state(3)), on_queue(state(4))};
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 1)}),
            (std::vector{holding, waiting, released, released}));
  // Torn: fewer inside than seen blocked.
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 0)}),
            (std::vector{holding, waiting, released, released}));
}

TEST(Classify, EachUncountedWaiterIsAThreadOnTheRunQueue) {
  const Lanes lanes{on_queue(state(1)), in_cond(state(2)), on_queue(state(3)), on_queue(state(4)),
                    on_queue(state(5))};
  const auto with = [&](std::uint32_t waiters) {
    return gil_states(lanes, {with_waiters(held_by(state(1)), waiters)});
  };
  EXPECT_EQ(std::ranges::count(with(2), waiting), 2);
  EXPECT_EQ(std::ranges::count(with(3), waiting), 3);
  EXPECT_EQ(with(4), (std::vector{holding, waiting, waiting, waiting, waiting}));
  // More than there are threads in doubt: never the holder.
  EXPECT_EQ(with(400), (std::vector{holding, waiting, waiting, waiting, waiting}));
}

TEST(Classify, WaitersInTheHandOverCountAsBlockedToo) {
  const Lanes lanes{on_queue(state(1)), in_switch_cond(state(2)), on_queue(state(3))};
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 1)}),
            (std::vector{holding, waiting, released}));
}

TEST(Classify, WaitersOnTheMutexMayBeTheOnesCounted) {
  const Lanes lanes{on_queue(state(1)), in_mutex(state(2)), on_queue(state(3))};
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 1)}),
            (std::vector{holding, waiting, released}));
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 2)}),
            (std::vector{holding, waiting, waiting}));
}

TEST(Classify, WhoWaitedBeforeIsTheLikelierWaiter) {
  Lanes lanes{on_queue(state(1)), on_queue(state(2)), on_queue(state(3)), on_queue(state(4))};
  lanes[3].waited_before = true;
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 1)}),
            (std::vector{holding, released, released, waiting}));
  lanes[2].waited_before = true;
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 2)}),
            (std::vector{holding, released, waiting, waiting}));
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 3)}),
            (std::vector{holding, waiting, waiting, waiting}));
}

TEST(Classify, OnlyThreadsOnTheRunQueueCanBeUncountedWaiters) {
  LaneSight stopped = on_queue(state(4));
  stopped.stopped = true;
  const Lanes lanes{in_call(state(2), SYS_read), in_futex(state(3), RemoteAddress{0x1234}), stopped,
                    on_queue({})};
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 4)}),
            (std::vector{released, released, released, none}));
}

TEST(Classify, RunnableWaiterWaits) {
  LaneSight lane = on_queue(state(2));
  lane.lacks_cpu = true;
  EXPECT_EQ(only(lane, with_waiters(held_by(state(1)), 1)),
            (ThreadState{waiting, CpuState::runnable, BlockKind::none, -1}));
}

TEST(Classify, ThreadThatHandsOverWaits) {
  LaneSight lane = on_queue(state(2));
  lane.handing_over = true;
  lane.lacks_cpu = true;
  EXPECT_EQ(only(lane, held_by(state(1))),
            (ThreadState{waiting, CpuState::runnable, BlockKind::none, -1}));
  // It is in no wait that glibc counts, so the one counted there is another.
  EXPECT_EQ(gil_states({lane, on_queue(state(3))}, {with_waiters(held_by(state(1)), 1)}),
            (std::vector{waiting, waiting}));
}

TEST(Classify, HolderIsNotHandingOver) {
  LaneSight lane = on_queue(state(1));
  lane.handing_over = true;
  EXPECT_EQ(only(lane, held_by(state(1))).gil, holding);
}

TEST(Classify, ATickDuringAHandOffIsToldAsOfItsFirstMoment) {
  const GilSight gil = handed_over(state(1), state(2));
  const Lanes lanes{on_queue(state(1)), on_queue(state(2)), in_call(state(3), SYS_read),
                    in_cond(state(4)), on_queue({})};
  EXPECT_EQ(gil_states(lanes, {gil}), (std::vector{holding, waiting, released, waiting, none}));
}

TEST(Classify, WhatTheOldHolderBlocksInCameAfterItGaveTheGilAway) {
  const GilSight gil = handed_over(state(1), state(2));
  EXPECT_EQ(only(in_switch_cond(state(1)), gil),
            (ThreadState{holding, CpuState::running, BlockKind::none, -1}));
  // Without a hand-over it keeps the GIL across the call.
  EXPECT_EQ(only(in_call(state(1), SYS_read), held_by(state(1))).cpu, CpuState::blocked);
}

TEST(Classify, WhoTakesAFreeGilDidNotWaitForIt) {
  EXPECT_EQ(only(on_queue(state(2)), handed_over({}, state(2))).gil, released);
}

TEST(Classify, HolderWhoseGilMovedAndCameBackHoldsIt) {
  EXPECT_EQ(only(on_queue(state(1)), handed_over(state(1), state(1))).gil, holding);
}

TEST(Classify, WhoTookTheGilMeanwhileIsOneOfTheWaitersCounted) {
  const GilSight gil = with_waiters(handed_over(state(1), state(2)), 1);
  EXPECT_EQ(gil_states({on_queue(state(1)), on_queue(state(2)), on_queue(state(3))}, {gil}),
            (std::vector{holding, waiting, released}));
}

TEST(Classify, TheOldHolderIsNoneOfTheWaitersCounted) {
  const GilSight gil = with_waiters(handed_over(state(1), state(2)), 1);
  EXPECT_EQ(gil_states({in_switch_cond(state(1)), on_queue(state(3))}, {gil}),
            (std::vector{holding, waiting}));
}

TEST(Classify, WhoHasNotRunSinceItWaitedIsTheWaiter) {
  const GilSight gil = with_waiters(held_by(state(1)), 1);
  LaneSight ran = on_queue(state(2));
  ran.waited_before = true;
  LaneSight waits = on_queue(state(3));
  waits.waited_before = waits.waits_since = true;
  EXPECT_EQ(gil_states({ran, waits}, {gil}), (std::vector{released, waiting}));
}

TEST(Classify, WhoHasWorkedSinceItWaitedComesLast) {
  const GilSight gil = with_waiters(held_by(state(1)), 1);
  LaneSight worked = on_queue(state(2));
  worked.waited_before = worked.worked_since = worked.lacks_cpu = true;
  LaneSight other = on_queue(state(3));
  other.lacks_cpu = true;
  EXPECT_EQ(gil_states({worked, other}, {gil}), (std::vector{released, waiting}));
}

TEST(Classify, WhoseLibcSaysThatItWaitsDoesSo) {
  const LaneSight lane = at_place(on_queue(state(2)), PthreadPlace::gil_wait);
  EXPECT_EQ(only(lane, held_by(state(1))).gil, waiting);
  EXPECT_EQ(only(lane, with_waiters(held_by(state(1)), 0)).gil, waiting);
  // It had the GIL at the first look, and has come to wait since.
  EXPECT_EQ(only(at_place(on_queue(state(1)), PthreadPlace::gil_wait), held_by(state(1))).gil,
            holding);
}

TEST(Classify, WhoseLibcSaysThatItWaitsIsOneOfThoseCounted) {
  const Lanes lanes{on_queue(state(2)), at_place(on_queue(state(3)), PthreadPlace::gil_wait),
                    in_cond(state(4))};
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 2)}),
            (std::vector{released, waiting, waiting}));
  EXPECT_EQ(gil_states(lanes, {with_waiters(held_by(state(1)), 3)}),
            (std::vector{waiting, waiting, waiting}));
}

TEST(Classify, WhoIsInAnotherCallIsNoneOfTheWaitersCounted) {
  EXPECT_EQ(gil_states({at_place(on_queue(state(2)), PthreadPlace::other_call), on_queue(state(3))},
                       {with_waiters(held_by(state(1)), 2)}),
            (std::vector{released, waiting}));
}

TEST(Classify, WhoHasTheMutexToTakeTheGilWaits) {
  EXPECT_EQ(only(in_the_mutex(on_queue(state(2))), held_by(state(1))).gil, waiting);
  // The holder has it to give the GIL away.
  EXPECT_EQ(only(in_the_mutex(on_queue(state(1))), held_by(state(1))).gil, holding);
}

TEST(Classify, WhoHasLetGoOfTheGilButNotOfTheMutexDoesNotWait) {
  GilSight gil = with_waiters(held_by(state(1)), 1);
  gil.moment.locked = false;
  EXPECT_EQ(gil_states({in_the_mutex(on_queue(state(1))), on_queue(state(2))}, {gil}),
            (std::vector{released, waiting}));
}

TEST(Classify, WhereEachThreadTellsOnlyThoseAtTheMutexAreMissing) {
  GilSight gil = with_waiters(held_by(state(1)), 9);
  const Lanes lanes{on_queue(state(2)), at_place(on_queue(state(3)), PthreadPlace::gil_wait),
                    in_cond(state(4)), in_mutex(state(5)), on_queue(state(6))};
  const auto with = [&](std::uint32_t at_mutex) {
    gil.mutex_waiters = at_mutex;
    return std::ranges::count(gil_states(lanes, {gil}), waiting);
  };
  EXPECT_EQ(with(0), 3);
  EXPECT_EQ(with(1), 3);  // the one that blocks on it
  EXPECT_EQ(with(2), 4);
  EXPECT_EQ(with(3), 5);
  EXPECT_EQ(with(400), 5);
}

TEST(Classify, AThreadThatIsToldOfLeavesTheCountCertain) {
  const GilSight gil = held_by(state(1));
  const auto blocked = [&](const LaneSight& lane) {
    return blocked_in_wait(Lanes{in_cond(state(2)), lane}, 0, gil);
  };
  EXPECT_FALSE(blocked(on_queue(state(3))).certain);
  const BlockedInWait waiter = blocked(at_place(on_queue(state(3)), PthreadPlace::gil_wait));
  EXPECT_TRUE(waiter.certain);
  EXPECT_EQ(waiter.count, 2U);
  EXPECT_TRUE(blocked(at_place(on_queue(state(3)), PthreadPlace::other_call)).certain);
}

TEST(Classify, WhereNothingTellsWhoWaitsTheyTakeTurns) {
  const Lanes lanes{on_queue(state(2)), on_queue(state(3)), on_queue(state(4))};
  const Gils gils{with_waiters(held_by(state(1)), 1)};
  for (std::size_t turn = 0; turn < 6; ++turn) {
    const auto states = classify(lanes, gils, turn);
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      EXPECT_EQ(states[i].gil, i == turn % lanes.size() ? waiting : released) << turn;
    }
  }
}

}  // namespace
}  // namespace gilspy
