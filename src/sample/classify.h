#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gilspy/model/thread_state.h"
#include "gilspy/os/thread_files.h"
#include "gilspy/python/gil.h"
#include "gilspy/python/pthread_waits.h"

namespace gilspy {

/// A GIL as one tick saw it: read before and after the threads' system calls. The tick is told as
/// of the first read: to look again until nothing changes would show too few of the short holds.
struct GilSight {
  const GilReader* reader = nullptr;          ///< null: it could not be read at this tick
  GilMoment moment;                           ///< the first of the two reads
  bool stable = true;                         ///< both reads show the same hold
  GilMoment after;                            ///< the second; matters when not stable
  std::optional<std::uint32_t> cond_waiters;  ///< threads inside the wait for it, when known
  /// Of these, who want the mutex or have it; known where every thread tells of the others itself.
  std::optional<std::uint32_t> mutex_waiters;
};

/// A thread as one tick saw it.
struct LaneSight {
  RemoteAddress thread_state;  ///< null: a native thread
  std::size_t gil = 0;         ///< index of its GIL; meaningful when thread_state is not null
  SyscallNow syscall;
  /// Of one that has had no CPU since the tick before: it stands where it stood.
  std::optional<SchedStat> sched;
  bool lacks_cpu = false;     ///< on a run queue, but without a CPU
  bool handing_over = false;  ///< lost its CPU inside drop_gil, after the GIL was asked of it
  Attachment attachment = Attachment::none;    ///< of a free-threaded build's thread state
  PthreadPlace place = PthreadPlace::unknown;  ///< as its libc tells; while on a run queue
  bool in_mutex = false;                       ///< it had the GIL's mutex when the tick began
  bool stopped = false;                        ///< job control or a tracer
  bool waited_before = false;                  ///< waiting for the GIL at the tick before
  bool waits_since = false;                    ///< and has not run since it was seen waiting
  bool worked_since = false;                   ///< it has run since, for longer than a waiter does
};

/// Blocks on a futex.
[[nodiscard]] bool is_futex(const SyscallNow& call);

/// Blocks on one of this GIL's futexes: to take it, or to hand it over.
[[nodiscard]] bool waits_for(const SyscallNow& call, const GilReader& gil);

/// Says where each thread stands. Pure: everything it knows is in its arguments. Where there are
/// fewer waiters than threads that may be one, and nothing tells which, `turn` decides: a number
/// that is another one at each tick, so that no thread is always preferred.
[[nodiscard]] std::vector<ThreadState> classify(std::span<const LaneSight> lanes,
                                                std::span<const GilSight> gils,
                                                std::size_t turn = 0);

/// How many of these threads block on the GIL's condition variables, and whether that is all there
/// is to know: false when a thread on a run queue might be inside the wait too.
struct BlockedInWait {
  std::uint32_t count = 0;
  bool certain = true;
};
[[nodiscard]] BlockedInWait blocked_in_wait(std::span<const LaneSight> lanes, std::size_t gil_index,
                                            const GilSight& gil);

}  // namespace gilspy
