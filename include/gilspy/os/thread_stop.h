#pragma once

#include <optional>

#include "gilspy/model/ids.h"
#include "gilspy/os/registers.h"

namespace gilspy {

/// One thread of another process, stopped (ptrace: PTRACE_SEIZE, PTRACE_INTERRUPT) for as long as
/// this lives. No signal is sent and none gets lost, and nothing is written to the thread. If
/// gilspy dies in between, by SIGKILL too, the kernel lets the thread go on (ptrace(2): tracees of
/// a tracer that ends are detached, as PTRACE_O_EXITKILL is not asked for).
/// Ends in the thread it began in: a tracer is a thread, not a process.
class ThreadStop {
 public:
  /// Waits until the thread has stopped: microseconds for one that runs. Nothing when it is gone,
  /// or another tracer has it, or the permission is missing.
  [[nodiscard]] static std::optional<ThreadStop> stop(Tid tid);

  ThreadStop(const ThreadStop&) = delete;
  ThreadStop& operator=(const ThreadStop&) = delete;
  ThreadStop(ThreadStop&& other) noexcept;
  ThreadStop& operator=(ThreadStop&& other) noexcept;
  ~ThreadStop();

  /// Where it stands. Nothing when it has been killed meanwhile.
  [[nodiscard]] std::optional<Registers> registers() const;

 private:
  explicit ThreadStop(Tid tid) : tid_(tid) {}
  void release();

  Tid tid_;         ///< no_thread: moved from
  int signal_ = 0;  ///< one that was on its way to the thread when it stopped; handed on at the end
};

}  // namespace gilspy
