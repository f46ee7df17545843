#pragma once

#include <cstdint>
#include <optional>

#include "gilspy/base/time.h"
#include "gilspy/model/thread_state.h"

namespace gilspy {

/// Counts over time how many threads want a CPU, with and without those that wait for the GIL: what
/// a build without the GIL could gain at most. It assumes that nothing else stands in the threads'
/// way: no other lock, no memory bandwidth.
class CpuDemand {
 public:
  /// CPUs the target may use; 0 when it is not known.
  void set_cores(std::uint32_t cores) { cores_ = cores; }
  void enter(Time at, ThreadState state);
  void leave(Time at, ThreadState state);
  void advance(Time at);

  /// mean(min(wanted, cores)) / mean(min(wanted but not waiting for the GIL, cores)), from 1 to the
  /// number of cores; nothing without cores, or when hardly any thread could run during `wall`.
  [[nodiscard]] std::optional<double> potential(Duration wall) const;

 private:
  std::uint32_t cores_ = 0;
  std::uint32_t want_ = 0;
  std::uint32_t may_run_ = 0;
  Time since_{};
  double wanted_seconds_ = 0;  ///< never more than `cores_` at a time
  double had_seconds_ = 0;     ///< likewise
};

}  // namespace gilspy
