#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "gilspy/profile/profile.h"

namespace gilspy {

/// Who had the GIL while a thread waited for it, and for how long of that wait; the one that had it
/// longest first. Nobody where the holder was not known, or the GIL was free.
[[nodiscard]] std::vector<std::pair<Tid, Duration>> holders_during(const Profile& profile,
                                                                   Tid waiter,
                                                                   const Interval& wait);

/// What the timeline says of a GIL; empty when it says nothing.
[[nodiscard]] const std::vector<HolderInterval>& holders_of(const Profile& profile, GilId gil);

/// From `at` on so many threads wait.
struct WaiterCount {
  Time at;
  std::int64_t waiters = 0;
};

/// How many threads wait for this GIL, as it changes; from the beginning of the run on.
[[nodiscard]] std::vector<WaiterCount> waiters_of(const Profile& profile, GilId gil);

}  // namespace gilspy
