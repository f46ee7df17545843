#pragma once

#include <vector>

#include "gilspy/profile/profile.h"

namespace gilspy {

/// A stretch of time.
struct Span {
  Time begin;
  Time end;
  [[nodiscard]] Duration length() const { return end - begin; }
};

/// The waits among a thread's intervals, each in one piece: how a wait looks to the kernel may
/// change in the middle of it.
[[nodiscard]] std::vector<Span> waits_among(const std::vector<Interval>& intervals);

/// How much all threads waited for the GIL up to any moment.
class WaitingTime {
 public:
  explicit WaitingTime(const std::vector<std::vector<Span>>& waits);

  /// Waiter-time within a stretch.
  [[nodiscard]] Duration within(Time begin, Time end) const;

 private:
  struct Step {
    Time at;
    double before;  ///< waiter-seconds up to here; in a damaged recording more than 64 bits of ns
    std::int64_t count;  ///< waiters from here on
  };
  [[nodiscard]] double until(Time at) const;

  std::vector<Step> steps_;
};

}  // namespace gilspy
