#include "classify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "sample/sights.h"

namespace gilspy {
namespace {

using namespace gilspy::testing;  // NOLINT(google-build-using-namespace): the words of these tests
using Kind = SyscallNow::Kind;
using Lanes = std::vector<LaneSight>;
using Gils = std::vector<GilSight>;

ThreadState only(const LaneSight& lane, const GilSight& gil) {
  const auto states = classify(Lanes{lane}, Gils{gil});
  EXPECT_EQ(states.size(), 1U);
  return states.empty() ? ThreadState{} : states.front();
}

std::vector<GilState> gil_states(const Lanes& lanes, const Gils& gils) {
  std::vector<GilState> result;
  for (const ThreadState& each : classify(lanes, gils)) result.push_back(each.gil);
  return result;
}

constexpr GilState unknown = GilState::unknown;
constexpr GilState none = GilState::none;
constexpr GilState released = GilState::released;
constexpr GilState waiting = GilState::waiting;
constexpr GilState holding = GilState::holding;

TEST(Classify, NothingToLookAt) {
  EXPECT_TRUE(classify({}, {}).empty());
  EXPECT_TRUE(classify({}, Gils{held_by(state(1))}).empty());
}

TEST(Classify, HolderThatRuns) {
  EXPECT_EQ(only(on_queue(state(1)), held_by(state(1))),
            (ThreadState{holding, CpuState::running, BlockKind::none, -1}));
}

TEST(Classify, HolderInASystemCallHoldsAcrossIt) {
  EXPECT_EQ(only(in_call(state(1), SYS_clock_nanosleep), held_by(state(1))),
            (ThreadState{holding, CpuState::blocked, BlockKind::sleep, SYS_clock_nanosleep}));
  EXPECT_EQ(only(in_call(state(1), SYS_read), held_by(state(1))),
            (ThreadState{holding, CpuState::blocked, BlockKind::io, SYS_read}));
}

TEST(Classify, HolderInAFutexOfItsOwnStillHolds) {
  EXPECT_EQ(only(in_futex(state(1), RemoteAddress{0x1234}), held_by(state(1))),
            (ThreadState{holding, CpuState::blocked, BlockKind::lock, SYS_futex}));
}

TEST(Classify, LastHolderOfAFreeGilDoesNotHold) {
  GilSight gil = held_by(state(1));
  gil.moment.locked = false;
  EXPECT_EQ(only(on_queue(state(1)), gil).gil, released);
}

TEST(Classify, WaitersInEachOfTheGilsFutexes) {
  const ThreadState waits{waiting, CpuState::blocked, BlockKind::lock, SYS_futex};
  const GilSight gil = held_by(state(9));
  EXPECT_EQ(only(in_cond(state(1)), gil), waits);
  EXPECT_EQ(only(in_switch_cond(state(1)), gil), waits);
  EXPECT_EQ(only(in_mutex(state(1)), gil), waits);
}

TEST(Classify, WaiterInTheNewerFutexCall) {
  const RemoteAddress futex = layout().at.gil.cond.in(gil_at(0)) + 40;
  EXPECT_EQ(only(in_call(state(1), 455, futex.value()), held_by(state(9))).gil, waiting);
}

TEST(Classify, FirstArgumentOfAnotherCallIsNoFutex) {
  const RemoteAddress futex = layout().at.gil.cond.in(gil_at(0)) + 40;
  EXPECT_EQ(only(in_call(state(1), SYS_read, futex.value()), held_by(state(9))).gil, released);
}

TEST(Classify, FutexElsewhereIsAReleasedLock) {
  const ThreadState locked{released, CpuState::blocked, BlockKind::lock, SYS_futex};
  const GilSight gil = held_by(state(9));
  EXPECT_EQ(only(in_futex(state(1), RemoteAddress{0x1234}), gil), locked);
  EXPECT_EQ(only(in_futex(state(1), gil_at(0)), gil), locked);  // before the GIL's own futexes
  EXPECT_EQ(only(in_futex(state(1), gil_at(0) + layout().at.gil.struct_size), gil), locked);
}

TEST(Classify, BlockedThreadsTellTheirCall) {
  const GilSight gil = held_by(state(9));
  EXPECT_EQ(only(in_call(state(1), SYS_epoll_wait), gil),
            (ThreadState{released, CpuState::blocked, BlockKind::poll, SYS_epoll_wait}));
  EXPECT_EQ(only(in_call(state(1), SYS_wait4), gil),
            (ThreadState{released, CpuState::blocked, BlockKind::child, SYS_wait4}));
}

TEST(Classify, PollOfNoDescriptorsIsASleep) {
  const auto kind = [](std::int16_t number, std::uint64_t first, std::uint64_t second) {
    LaneSight lane = in_call(state(1), number, first);
    lane.syscall.arguments[1] = second;
    return only(lane, held_by(state(9))).kind;
  };
  EXPECT_EQ(kind(SYS_select, 0, 7), BlockKind::sleep);
  EXPECT_EQ(kind(SYS_select, 1, 0), BlockKind::poll);
  EXPECT_EQ(kind(SYS_pselect6, 0, 7), BlockKind::sleep);
  EXPECT_EQ(kind(SYS_poll, 0x7ffd0000, 0), BlockKind::sleep);
  EXPECT_EQ(kind(SYS_poll, 0x7ffd0000, 1), BlockKind::poll);
  EXPECT_EQ(kind(SYS_ppoll, 0, 0), BlockKind::sleep);
  EXPECT_EQ(kind(SYS_epoll_wait, 0, 0), BlockKind::poll);
}

TEST(Classify, BlockedOutsideOfASystemCall) {
  const ThreadState fault = only(elsewhere(on_queue(state(1)), Kind::off_cpu), held_by(state(9)));
  EXPECT_EQ(fault.gil, released);
  EXPECT_EQ(fault.cpu, CpuState::blocked);
  EXPECT_EQ(fault.syscall, -1);
}

TEST(Classify, ReadyThreadWithoutACpuIsRunnable) {
  LaneSight lane = on_queue(state(1));
  lane.lacks_cpu = true;
  EXPECT_EQ(only(lane, held_by(state(9))),
            (ThreadState{released, CpuState::runnable, BlockKind::none, -1}));
}

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

/// The GIL went from one to the other while the threads were looked at.
GilSight handed_over(RemoteAddress from, RemoteAddress to) {
  GilSight gil = held_by(from);
  gil.stable = false;
  gil.after = held_by(to).moment;
  return gil;
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

LaneSight at_place(LaneSight lane, PthreadPlace place) {
  lane.place = place;
  return lane;
}
LaneSight in_the_mutex(LaneSight lane) {
  lane.in_mutex = true;
  return lane;
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

TEST(Classify, DisabledGilConcernsNobody) {
  GilSight gil = with_waiters(held_by(state(1)), 5);
  gil.moment.power = GilMoment::Power::off;
  const auto states = classify(
      Lanes{on_queue(state(1)), in_cond(state(2)), in_call(state(3), SYS_read), on_queue(state(4))},
      Gils{gil});
  ASSERT_EQ(states.size(), 4U);
  for (const ThreadState& each : states) EXPECT_EQ(each.gil, none);
  EXPECT_EQ(states[0].cpu, CpuState::running);
  EXPECT_EQ(states[2].kind, BlockKind::io);
}

TEST(Classify, WithTheGilOffThreadsAreAttachedOrNot) {
  GilSight gil = held_by({});
  LaneSight attached = on_queue(state(1));
  attached.attachment = Attachment::attached;
  // While the GIL is on, attached is another word for holding it.
  EXPECT_EQ(only(attached, gil).attachment, Attachment::none);
  gil.moment.power = GilMoment::Power::off;
  EXPECT_EQ(only(attached, gil).attachment, Attachment::attached);
  LaneSight native = on_queue({});
  native.attachment = Attachment::attached;
  EXPECT_EQ(only(native, gil).attachment, Attachment::none);
}

TEST(Classify, NativeThreadHasNoGilState) {
  const GilSight gil = with_waiters(held_by(state(1)), 5);
  EXPECT_EQ(only(on_queue({}), gil), (ThreadState{none, CpuState::running, BlockKind::none, -1}));
  EXPECT_EQ(only(in_call({}, SYS_epoll_wait), gil),
            (ThreadState{none, CpuState::blocked, BlockKind::poll, SYS_epoll_wait}));
  // A null thread state is not the holder of a GIL that nobody holds.
  EXPECT_EQ(only(on_queue({}), held_by({})).gil, none);
}

TEST(Classify, StoppedThread) {
  LaneSight lane = in_cond(state(1));
  lane.stopped = true;
  EXPECT_EQ(only(lane, held_by(state(9))),
            (ThreadState{waiting, CpuState::stopped, BlockKind::none, -1}));
  lane = on_queue(state(1));
  lane.stopped = true;
  lane.lacks_cpu = true;
  EXPECT_EQ(only(lane, held_by(state(1))),
            (ThreadState{holding, CpuState::stopped, BlockKind::none, -1}));
}

TEST(Classify, ThreadThatIsGoneOrCannotBeReadIsUnknown) {
  for (const Kind kind : {Kind::gone, Kind::unreadable}) {
    const LaneSight lane = elsewhere(on_queue(state(1)), kind);
    EXPECT_EQ(only(lane, held_by(state(9))), ThreadState{});
    EXPECT_EQ(only(lane, with_waiters(held_by(state(9)), 1)), ThreadState{});
    LaneSight stopped = lane;
    stopped.stopped = true;
    EXPECT_EQ(only(stopped, held_by(state(9))).gil, unknown);
    EXPECT_EQ(only(elsewhere(on_queue({}), kind), held_by(state(9))),
              (ThreadState{none, CpuState::unknown, BlockKind::none, -1}));
  }
}

TEST(Classify, GilThatCouldNotBeReadLeavesItsThreadsUnknown) {
  const Lanes lanes{on_queue(state(1)), in_cond(state(2)), in_call(state(3), SYS_read),
                    on_queue({})};
  EXPECT_EQ(gil_states(lanes, {GilSight{}}), (std::vector{unknown, unknown, unknown, none}));
}

TEST(Classify, TwoGilsDoNotMix) {
  const Gils gils{with_waiters(held_by(state(1), 0), 1), with_waiters(held_by(state(5), 1), 1)};
  const Lanes lanes{
      on_queue(state(1), 0), in_cond(state(2), 0),  on_queue(state(3), 0),
      on_queue(state(5), 1), on_queue(state(6), 1),
  };
  EXPECT_EQ(gil_states(lanes, gils), (std::vector{holding, waiting, released, holding, waiting}));
}

TEST(Classify, FutexOfAnotherGilIsNotAWaitForTheOwnOne) {
  const Gils gils{held_by(state(1), 0), held_by(state(5), 1)};
  const RemoteAddress other = layout().at.gil.cond.in(gil_at(1)) + 40;
  EXPECT_EQ(gil_states({in_futex(state(2), other, 0), in_futex(state(6), other, 1)}, gils),
            (std::vector{released, waiting}));
}

TEST(Classify, HolderOfAnotherGilDoesNotHoldTheOwnOne) {
  EXPECT_EQ(gil_states({on_queue(state(1), 1)}, {held_by(state(1), 0), held_by(state(5), 1)}),
            (std::vector{released}));
}

TEST(Classify, ThreadOfAnUnknownGilHasNoGilState) {
  EXPECT_EQ(gil_states({on_queue(state(1), 7)}, {held_by(state(1))}), (std::vector{none}));
}

TEST(BlockedInWaitTest, CountsThreadsOnBothConditionVariables) {
  const Lanes lanes{in_cond(state(1)), in_switch_cond(state(2)), in_cond(state(4), 1),
                    in_futex(state(5), RemoteAddress{0x1234})};
  const auto blocked = blocked_in_wait(lanes, 0, held_by({}));
  EXPECT_EQ(blocked.count, 2U);
  EXPECT_TRUE(blocked.certain);
  EXPECT_EQ(blocked_in_wait(lanes, 1, held_by({}, 1)).count, 1U);
  EXPECT_EQ(blocked_in_wait(lanes, 2, held_by({}, 2)).count, 0U);
}

TEST(BlockedInWaitTest, IsCertainWhileOnlyTheHolderRuns) {
  EXPECT_TRUE(blocked_in_wait(Lanes{on_queue(state(1)), in_cond(state(2)), on_queue({}),
                                    in_call(state(3), SYS_read), on_queue(state(4), 1)},
                              0, held_by(state(1)))
                  .certain);
}

TEST(BlockedInWaitTest, IsUncertainWhileAThreadIsOnTheMutex) {
  const auto blocked =
      blocked_in_wait(Lanes{in_cond(state(1)), in_mutex(state(2))}, 0, held_by({}));
  EXPECT_EQ(blocked.count, 2U);
  EXPECT_FALSE(blocked.certain);
}

TEST(BlockedInWaitTest, LeavesOutTheHolderThatWasHandingOver) {
  EXPECT_EQ(blocked_in_wait(Lanes{in_switch_cond(state(1)), in_cond(state(3))}, 0,
                            handed_over(state(1), state(2)))
                .count,
            1U);
}

TEST(BlockedInWaitTest, IsUncertainWhileAnotherThreadRuns) {
  const auto blocked =
      blocked_in_wait(Lanes{in_cond(state(1)), on_queue(state(2))}, 0, held_by(state(9)));
  EXPECT_EQ(blocked.count, 1U);
  EXPECT_FALSE(blocked.certain);
  EXPECT_FALSE(blocked_in_wait(Lanes{on_queue(state(2))}, 0, held_by({})).certain);
}

TEST(BlockedInWaitTest, IsUncertainWhileAThreadCannotBeRead) {
  const Lanes lanes{elsewhere(on_queue(state(1)), Kind::unreadable)};
  EXPECT_FALSE(blocked_in_wait(lanes, 0, held_by({})).certain);
}

TEST(BlockedInWaitTest, IsCertainAboutAThreadThatHandsOver) {
  LaneSight lane = on_queue(state(2));
  lane.handing_over = true;
  EXPECT_TRUE(blocked_in_wait(Lanes{lane}, 0, held_by(state(1))).certain);
}

}  // namespace
}  // namespace gilspy
