#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gilspy/base/unique_fd.h"
#include "gilspy/model/events.h"
#include "gilspy/os/perf_ring.h"
#include "gilspy/os/proc.h"
#include "record_backlog.h"

namespace gilspy {

/// Has the kernel record what a process's threads do: their context switches and, where it is
/// allowed, their futex calls on given addresses (the tracepoint sys_enter_futex).
///
/// There is a ring per CPU, and for each of the threads there is an event per CPU. Threads made
/// later inherit their maker's events inside the kernel, from their first moment on, and cost no
/// file descriptor: no event may be closed before the end, for it takes those with it.
class KernelTrace {
 public:
  /// Records of the process's threads from now on. Where less is allowed than was hoped for,
  /// source() tells what there is, and why_not() the reason with its fix.
  KernelTrace(const ProcDir& process, std::span<const RemoteRange> futexes);

  [[nodiscard]] TraceSource source() const { return source_; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] std::uint64_t lost() const { return backlog_.lost(); }

  /// Has only calls on these addresses recorded; cheap when they are those of before.
  void watch(std::span<const RemoteRange> futexes);
  /// Moves what the rings hold into memory, as far as there is to be room; cheap enough for any
  /// moment.
  void drain();
  /// The drained records up to `at`, in the order of time. The rings must have been drained since.
  [[nodiscard]] std::vector<TraceRecord> take_until(Time at) { return backlog_.take_until(at); }
  /// Becomes readable when a ring is half full.
  [[nodiscard]] int fd() const { return half_full_.get(); }

 private:
  [[nodiscard]] bool start();
  [[nodiscard]] bool follow_new_threads();
  [[nodiscard]] bool follow(Tid tid);
  [[nodiscard]] UniqueFd open_event(Tid tid, std::size_t cpu);
  [[nodiscard]] bool add_ring(int event);
  void stop();

  const ProcDir& process_;
  TraceSource source_ = TraceSource::sampled;
  std::string why_not_;
  int error_ = 0;
  std::optional<FutexPoint> point_;
  bool threads_alone_ = true;  // inherit to threads, not to child processes
  std::vector<RemoteRange> futexes_;
  std::string filter_;  // that lets only calls on these through
  std::vector<int> cpus_;
  UniqueFd half_full_;
  std::vector<UniqueFd> events_;
  std::vector<PerfRing> rings_;  // by CPU
  std::set<Tid> followed_;
  RecordBacklog backlog_;
};

/// A filter for sys_enter_futex that lets through only calls on these addresses.
[[nodiscard]] std::string futex_filter(std::span<const RemoteRange> futexes);

}  // namespace gilspy
