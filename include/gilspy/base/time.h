#pragma once

#include <time.h>

#include <chrono>
#include <cstdint>

namespace gilspy {

/// Nanoseconds; every length of time in gilspy.
using Duration = std::chrono::nanoseconds;

/// A moment on CLOCK_MONOTONIC: libstdc++'s steady_clock reads it, and so do VizTracer and perf
/// (with -k CLOCK_MONOTONIC), so that traces of one run lie on one clock.
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;

[[nodiscard]] inline Time now() { return std::chrono::steady_clock::now(); }

[[nodiscard]] constexpr double to_seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

[[nodiscard]] constexpr std::int64_t to_ns(Time t) { return t.time_since_epoch().count(); }

/// As system calls take it; not negative.
[[nodiscard]] constexpr timespec to_timespec(Duration d) {
  return {d.count() / 1'000'000'000, d.count() % 1'000'000'000};
}

[[nodiscard]] constexpr Time time_from_ns(std::int64_t ns) { return Time{Duration{ns}}; }

}  // namespace gilspy
