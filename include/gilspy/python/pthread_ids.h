#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "gilspy/base/memory_reader.h"

namespace gilspy {

/// Finds kernel thread ids from pthread_self() values, which is all CPython keeps before 3.11.
/// A pthread_t points at the libc's struct pthread, and the thread's id lies somewhere near its
/// start (glibc 2.36: at 720). The place is learnt once per target: where all of the process's
/// known ids are.
class PthreadIds {
 public:
  /// The thread id behind `pthread`, learning the place first if need be.
  /// `all`: pthread_self() of the Python threads; `tids`: all of the process's thread ids, as it
  /// sees them itself. Nothing when the memory does not tell.
  [[nodiscard]] std::optional<std::int32_t> tid_of(MemoryReader& memory, std::uint64_t pthread,
                                                   std::span<const std::uint64_t> all,
                                                   std::span<const std::int32_t> tids);

 private:
  void learn(MemoryReader& memory, std::span<const std::uint64_t> all,
             std::span<const std::int32_t> tids);

  std::optional<std::uint64_t> offset_;
};

}  // namespace gilspy
