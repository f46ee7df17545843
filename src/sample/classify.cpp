#include "classify.h"

#include <sys/syscall.h>

#include <algorithm>

namespace gilspy {
namespace {

constexpr std::int16_t futex_wait_number = 455;  // futex_wait(2), kernel 6.7; address first as well

bool is_futex(const SyscallNow& call) {
  return call.kind == SyscallNow::Kind::in_syscall &&
         (call.number == SYS_futex || call.number == futex_wait_number);
}

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
  return on_run_queue(lane) && !lane.handing_over && lane.thread_state != gil.moment.holder();
}

/// Towards the GIL, but for threads in doubt, who count as released here.
GilState gil_state(const LaneSight& lane, const GilSight& gil) {
  if (gil.reader == nullptr) return GilState::unknown;
  if (!gil.moment.enabled()) return GilState::none;
  // True at its own moment, whatever the GIL did meanwhile.
  if (waits_for(lane.syscall, *gil.reader)) return GilState::waiting;
  const bool holds = lane.thread_state == gil.moment.holder();
  const bool held = lane.thread_state == gil.holder_before;
  if (!gil.stable && (holds || held)) return GilState::unknown;
  if (holds) return GilState::holding;
  if (lane.handing_over) return GilState::waiting;
  const bool told = lane.syscall.kind != SyscallNow::Kind::gone &&
                    lane.syscall.kind != SyscallNow::Kind::unreadable;
  // Otherwise it may be blocked on the GIL or on anything else.
  return told ? GilState::released : GilState::unknown;
}

/// Everything but the GIL axis of threads in doubt.
ThreadState first_look(const LaneSight& lane, std::span<const GilSight> gils) {
  ThreadState state;
  state.cpu = cpu_state(lane);
  if (state.cpu == CpuState::blocked) {
    state.syscall = lane.syscall.number;
    state.kind = kind_of(lane.syscall);
  }
  if (lane.thread_state.is_null() || lane.gil >= gils.size()) {
    state.gil = GilState::none;
    return state;
  }
  const GilSight& gil = gils[lane.gil];
  state.gil = gil_state(lane, gil);
  if (gil.reader != nullptr && !gil.moment.enabled()) state.attachment = lane.attachment;
  return state;
}

/// Of the threads in doubt as many wait as glibc counts inside the wait beyond those seen blocked
/// there. When it is some but not all, those that waited at the tick before come first: a waiter
/// wakes every switch interval, and stays a waiter.
void settle_doubts(std::span<const LaneSight> lanes, std::size_t gil_index, const GilSight& gil,
                   std::span<ThreadState> states) {
  if (gil.reader == nullptr || !gil.moment.enabled() || !gil.cond_waiters) return;
  const BlockedInWait blocked = blocked_in_wait(lanes, gil_index, gil);
  if (*gil.cond_waiters <= blocked.count) return;
  std::uint32_t left = *gil.cond_waiters - blocked.count;
  for (const bool waited_before : {true, false}) {
    for (std::size_t i = 0; i < lanes.size() && left > 0; ++i) {
      const LaneSight& lane = lanes[i];
      if (lane.thread_state.is_null() || lane.gil != gil_index || !in_doubt(lane, gil) ||
          lane.waited_before != waited_before || states[i].gil != GilState::released) {
        continue;
      }
      states[i].gil = GilState::waiting;
      --left;
    }
  }
}

}  // namespace

bool waits_for(const SyscallNow& call, const GilReader& gil) {
  return is_futex(call) && gil.is_wait_address(call.arguments[0]);
}

BlockedInWait blocked_in_wait(std::span<const LaneSight> lanes, std::size_t gil_index,
                              const GilSight& gil) {
  BlockedInWait blocked;
  for (const LaneSight& lane : lanes) {
    if (lane.thread_state.is_null() || lane.gil != gil_index) continue;
    if (is_futex(lane.syscall) && gil.reader->is_cond_address(lane.syscall.arguments[0])) {
      ++blocked.count;
    } else if (in_doubt(lane, gil) || lane.syscall.kind == SyscallNow::Kind::unreadable) {
      blocked.certain = false;
    }
  }
  return blocked;
}

std::vector<ThreadState> classify(std::span<const LaneSight> lanes,
                                  std::span<const GilSight> gils) {
  std::vector<ThreadState> states;
  states.reserve(lanes.size());
  for (const LaneSight& lane : lanes) states.push_back(first_look(lane, gils));
  for (std::size_t i = 0; i < gils.size(); ++i) settle_doubts(lanes, i, gils[i], states);
  return states;
}

}  // namespace gilspy
