#include "classify.h"

#include <gtest/gtest.h>

#include <vector>

#include "sample/sights.h"

namespace gilspy {
namespace {

using namespace gilspy::testing;  // NOLINT(google-build-using-namespace): the words of these tests
using Kind = SyscallNow::Kind;

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

}  // namespace
}  // namespace gilspy
