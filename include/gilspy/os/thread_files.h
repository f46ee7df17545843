#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gilspy/base/time.h"
#include "gilspy/base/unique_fd.h"
#include "gilspy/model/ids.h"
#include "gilspy/os/proc.h"

namespace gilspy {

/// What /proc/PID/task/TID/syscall says (fs/proc/base.c, proc_pid_syscall).
struct SyscallNow {
  enum class Kind : std::uint8_t {
    running,     ///< on a run queue: on a CPU, or ready without one
    in_syscall,  ///< off CPU inside system call `number`
    off_cpu,     ///< off CPU outside system calls: a page fault, or stopped
    gone,        ///< the thread has ended
    unreadable,  ///< denied, or made no sense
  } kind = Kind::unreadable;
  std::int16_t number = -1;
  std::array<std::uint64_t, 6> arguments{};
  /// Of the thread in user mode, while it is off CPU.
  std::uint64_t stack_pointer = 0;
  std::uint64_t instruction = 0;
};

/// Parses one such line.
[[nodiscard]] SyscallNow parse_syscall(std::string_view text);

/// What /proc/PID/task/TID/schedstat says (Documentation/scheduler/sched-stats.rst).
struct SchedStat {
  Duration ran{};            ///< time on a CPU; grows at scheduler ticks while the thread runs
  Duration ready{};          ///< time ready without a CPU; grows when it gets one
  std::uint64_t slices = 0;  ///< times it was given a CPU
};
[[nodiscard]] std::optional<SchedStat> parse_schedstat(std::string_view text);

/// How often the thread has left a CPU, from the two ctxt_switches lines of
/// /proc/PID/task/TID/status.
[[nodiscard]] std::optional<std::uint64_t> parse_context_switches(std::string_view text);

/// One thread's files in /proc, kept open: a pread costs 1.5-2 us where an open costs ten. Of most
/// threads only the first two are ever read: the others are opened when they are asked for.
class ThreadFiles {
 public:
  /// `process` must outlive it.
  ThreadFiles(const ProcDir& process, Tid tid);

  [[nodiscard]] SyscallNow syscall() const;
  [[nodiscard]] std::optional<SchedStat> schedstat() const;
  /// Times it has left a CPU. It is on one now exactly when it has been given one once more than
  /// that (kernel/sched/core.c counts the one in __schedule, kernel/sched/stats.h the other).
  [[nodiscard]] std::optional<std::uint64_t> context_switches() const;
  /// R S D T t Z, as in /proc/PID/stat; '?' when gone.
  [[nodiscard]] char state() const;
  /// That it runs on, or ran on last; nothing when it is gone.
  [[nodiscard]] std::optional<int> cpu() const;

 private:
  [[nodiscard]] UniqueFd open(std::string_view name) const;
  [[nodiscard]] std::optional<ProcStat> stat() const;

  const ProcDir* process_;
  Tid tid_;
  UniqueFd syscall_;
  UniqueFd schedstat_;
  mutable UniqueFd stat_;
  mutable UniqueFd status_;
};

}  // namespace gilspy
