#include "classify.h"

#include <sys/syscall.h>

#include <algorithm>

namespace gilspy {
namespace {

constexpr std::int16_t futex_wait_number = 455;  // futex_wait(2), kernel 6.7; address first as well

/// select() and poll() of no descriptors at all are how programs sleep: time.sleep() up to 3.10
/// does.
BlockKind kind_of(const SyscallNow& call) {
  const bool by_count_first = call.number == SYS_select || call.number == SYS_pselect6;
  const bool by_count_second = call.number == SYS_poll || call.number == SYS_ppoll;
  if (by_count_first && call.arguments[0] == 0) return BlockKind::sleep;
  if (by_count_second && call.arguments[1] == 0) return BlockKind::sleep;
  return block_kind_of(call.number);
}

bool on_run_queue(const LaneSight& lane) {
  return lane.syscall.kind == SyscallNow::Kind::running && !lane.stopped;
}

/// It has taken the GIL between the first look at it and the second.
bool takes_it(const LaneSight& lane, const GilSight& gil) {
  return !gil.stable && lane.thread_state == gil.after.holder() &&
         lane.thread_state != gil.moment.holder();
}

/// It had the GIL at the first look, and may have given it away before it was looked at itself.
bool may_have_left(const LaneSight& lane, const GilSight& gil) {
  return !gil.stable && lane.thread_state == gil.moment.holder();
}

CpuState cpu_state(const LaneSight& lane) {
  if (lane.stopped) return CpuState::stopped;
  switch (lane.syscall.kind) {
    case SyscallNow::Kind::running: return lane.lacks_cpu ? CpuState::runnable : CpuState::running;
    case SyscallNow::Kind::in_syscall:
    case SyscallNow::Kind::off_cpu: return CpuState::blocked;
    case SyscallNow::Kind::gone:
    case SyscallNow::Kind::unreadable: break;
  }
  return CpuState::unknown;
}

/// On a run queue with a thread state, and not the holder: inside take_gil or running without the
/// GIL.
bool in_doubt(const LaneSight& lane, const GilSight& gil) {
  return on_run_queue(lane) && !lane.handing_over && !takes_it(lane, gil) &&
         lane.thread_state != gil.moment.holder();
}

/// It let go of the GIL and is still inside drop_gil: it wants nothing but a CPU.
bool is_dropping(const LaneSight& lane, const GilSight& gil) {
  return lane.in_mutex && lane.thread_state == gil.moment.last_holder;
}

/// In doubt no more: its libc says that it is inside the wait, or it has the mutex to take the GIL.
bool surely_waits(const LaneSight& lane, const GilSight& gil) {
  if (!in_doubt(lane, gil)) return false;
  return lane.place == PthreadPlace::gil_wait || (lane.in_mutex && !is_dropping(lane, gil));
}

/// In doubt, and nothing speaks against its being a waiter.
bool may_wait(const LaneSight& lane, const GilSight& gil) {
  return in_doubt(lane, gil) && lane.place != PthreadPlace::other_call && !is_dropping(lane, gil);
}

/// Towards the GIL, but for threads in doubt, who count as released here.
GilState gil_state(const LaneSight& lane, const GilSight& gil) {
  if (gil.reader == nullptr) return GilState::unknown;
  if (!gil.moment.enabled()) return GilState::none;
  if (lane.thread_state == gil.moment.holder()) return GilState::holding;
  if (waits_for(lane.syscall, *gil.reader)) return GilState::waiting;
  // Somebody else had it at the first look.
  if (takes_it(lane, gil) && gil.moment.locked) return GilState::waiting;
  if (lane.handing_over || surely_waits(lane, gil)) return GilState::waiting;
  const bool told = lane.syscall.kind != SyscallNow::Kind::gone &&
                    lane.syscall.kind != SyscallNow::Kind::unreadable;
  // Otherwise it may be blocked on the GIL or on anything else.
  return told ? GilState::released : GilState::unknown;
}

/// Everything but the GIL axis of threads in doubt.
ThreadState first_look(const LaneSight& lane, std::span<const GilSight> gils) {
  ThreadState state;
  state.cpu = cpu_state(lane);
  const bool has_gil = !lane.thread_state.is_null() && lane.gil < gils.size();
  // What it blocks in it may have come to after it gave the GIL away.
  if (has_gil && state.cpu == CpuState::blocked && may_have_left(lane, gils[lane.gil])) {
    state.cpu = CpuState::running;
  }
  if (state.cpu == CpuState::blocked) {
    state.syscall = lane.syscall.number;
    state.kind = kind_of(lane.syscall);
  }
  if (!has_gil) {
    state.gil = GilState::none;
    return state;
  }
  const GilSight& gil = gils[lane.gil];
  state.gil = gil_state(lane, gil);
  if (gil.reader != nullptr && !gil.moment.enabled()) state.attachment = lane.attachment;
  return state;
}

/// Which of the threads in doubt wait most surely: lower comes first.
int doubt_of(const LaneSight& lane) {
  if (lane.waits_since) return 0;
  if (lane.worked_since) return 3;
  // A waiter wakes every switch interval, and stays a waiter.
  if (lane.waited_before) return 1;
  // Inside the wait a thread needs a CPU for no more than a moment.
  return lane.lacks_cpu ? 2 : 3;
}

/// Threads that are known to want the GIL's mutexes, or to have the one to take the GIL.
std::uint32_t told_at_mutex(std::span<const LaneSight> lanes, std::size_t gil_index,
                            const GilSight& gil) {
  return static_cast<std::uint32_t>(std::ranges::count_if(lanes, [&](const LaneSight& lane) {
    if (lane.thread_state.is_null() || lane.gil != gil_index || may_have_left(lane, gil)) {
      return false;
    }
    if (lane.place != PthreadPlace::gil_wait && surely_waits(lane, gil)) return true;
    return waits_for(lane.syscall, *gil.reader) &&
           !gil.reader->is_cond_address(lane.syscall.arguments[0]);
  }));
}

/// Of the threads in doubt as many wait as glibc counts inside the wait beyond those seen there.
void settle_doubts(std::span<const LaneSight> lanes, std::size_t gil_index, const GilSight& gil,
                   std::size_t turn, std::span<ThreadState> states) {
  if (gil.reader == nullptr || !gil.moment.enabled()) return;
  const auto counted = gil.mutex_waiters ? gil.mutex_waiters : gil.cond_waiters;
  if (!counted) return;
  std::uint32_t told = gil.mutex_waiters ? told_at_mutex(lanes, gil_index, gil)
                                         : blocked_in_wait(lanes, gil_index, gil).count;
  std::vector<std::size_t> doubtful;
  for (std::size_t n = 0; n < lanes.size(); ++n) {
    const std::size_t i = (n + turn) % lanes.size();
    const LaneSight& lane = lanes[i];
    if (lane.thread_state.is_null() || lane.gil != gil_index || !on_run_queue(lane)) continue;
    if (takes_it(lane, gil) && states[i].gil == GilState::waiting) ++told;
    if (may_wait(lane, gil) && states[i].gil == GilState::released) doubtful.push_back(i);
  }
  if (*counted <= told) return;
  std::ranges::stable_sort(doubtful, {}, [&](std::size_t i) { return doubt_of(lanes[i]); });
  const std::size_t waiting = std::min<std::size_t>(*counted - told, doubtful.size());
  for (const std::size_t i : std::span{doubtful}.first(waiting)) {
    states[i].gil = GilState::waiting;
  }
}

}  // namespace

bool is_futex(const SyscallNow& call) {
  return call.kind == SyscallNow::Kind::in_syscall &&
         (call.number == SYS_futex || call.number == futex_wait_number);
}

bool waits_for(const SyscallNow& call, const GilReader& gil) {
  return is_futex(call) && gil.is_wait_address(call.arguments[0]);
}

BlockedInWait blocked_in_wait(std::span<const LaneSight> lanes, std::size_t gil_index,
                              const GilSight& gil) {
  BlockedInWait blocked;
  for (const LaneSight& lane : lanes) {
    if (lane.thread_state.is_null() || lane.gil != gil_index) continue;
    if (may_have_left(lane, gil)) continue;
    if (waits_for(lane.syscall, *gil.reader)) {
      ++blocked.count;
      // On a mutex: before it waits, which nobody counts, or after it.
      if (!gil.reader->is_cond_address(lane.syscall.arguments[0])) blocked.certain = false;
    } else if (surely_waits(lane, gil)) {
      ++blocked.count;
      if (lane.place != PthreadPlace::gil_wait) blocked.certain = false;
    } else if (may_wait(lane, gil) || lane.syscall.kind == SyscallNow::Kind::unreadable) {
      blocked.certain = false;
    }
  }
  return blocked;
}

std::vector<ThreadState> classify(std::span<const LaneSight> lanes, std::span<const GilSight> gils,
                                  std::size_t turn) {
  std::vector<ThreadState> states;
  states.reserve(lanes.size());
  for (const LaneSight& lane : lanes) states.push_back(first_look(lane, gils));
  for (std::size_t i = 0; i < gils.size(); ++i) settle_doubts(lanes, i, gils[i], turn, states);
  return states;
}

}  // namespace gilspy
