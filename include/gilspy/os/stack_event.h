#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "gilspy/base/unique_fd.h"
#include "gilspy/model/ids.h"
#include "gilspy/os/perf_ring.h"
#include "gilspy/os/registers.h"

namespace gilspy {

/// A running thread's registers, and a copy of its stack from the stack pointer on.
struct StackCopy {
  Registers registers;
  std::vector<std::byte> stack;
};

/// Takes them out of a PERF_RECORD_SAMPLE of a StackEvent; nothing when it has none.
[[nodiscard]] std::optional<StackCopy> parse_stack_sample(std::span<const std::byte> body);

/// Has the kernel copy the registers and the stack of a thread, when it is asked to and as soon as
/// the thread runs: a timer on the thread's own clock (perf's cpu-clock) goes off some microseconds
/// later, on its CPU. Nothing is stopped.
class StackEvent {
 public:
  /// Nothing when the kernel does not allow it; `error` is its errno.
  [[nodiscard]] static std::optional<StackEvent> open(Tid tid, int& error);

  /// Asks for one copy, unless one is still to come, and forgets those that came before. False when
  /// the thread is gone.
  [[nodiscard]] bool ask();
  /// The copy, once it has come.
  [[nodiscard]] std::optional<StackCopy> take();

 private:
  StackEvent(UniqueFd event, PerfRing ring) : event_(std::move(event)), ring_(std::move(ring)) {}

  UniqueFd event_;
  PerfRing ring_;
  bool asked_ = false;  ///< and the copy has not come
};

}  // namespace gilspy
