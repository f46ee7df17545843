#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "trace_records.h"

namespace gilspy {

/// The kernel's records between the rings and the next tick. No tick is made while the recording
/// has no room, which may be for long: then the first of them are kept, and the others counted as
/// lost.
class RecordBacklog {
 public:
  /// Some seconds' worth of a busy program, and 6 MB.
  static constexpr std::size_t most_kept = 1 << 17;

  void keep(const TraceRecord& record);
  /// Those up to `at`, in the order of time: all that there were, then that so many were lost.
  [[nodiscard]] std::vector<TraceRecord> take_until(Time at);
  [[nodiscard]] const std::vector<TraceRecord>& kept() const { return kept_; }
  void clear();

  /// In all.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  void lose_from(Time full);

  std::vector<TraceRecord> kept_;
  std::optional<Time> full_since_;  ///< the earliest that found no room
  std::uint64_t lost_ = 0;
  std::uint64_t lost_since_ = 0;  ///< then
};

}  // namespace gilspy
