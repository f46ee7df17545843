#pragma once

#include <cstdint>

#include "gilspy/base/time.h"

namespace gilspy {

/// Adds without ever overflowing. One thread's time always fits, but a damaged recording can name
/// thousands of threads and years, and then sums over threads do not.
inline void add_to(Duration& sum, Duration more) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(sum.count(), more.count(), &result)) {
    sum = Duration::max();
  } else {
    sum = Duration{result};
  }
}

/// The share `part` has of `whole`, 0 when there is no whole.
[[nodiscard]] inline double share_of(Duration part, Duration whole) {
  return whole > Duration{} ? to_seconds(part) / to_seconds(whole) : 0.0;
}

}  // namespace gilspy
