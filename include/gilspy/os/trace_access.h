#pragma once

#include <string>
#include <vector>

#include "gilspy/os/access.h"

/// Whether the kernel's own records may be had here, and what helps where not.
namespace gilspy {

struct TraceObstacle {
  std::string finding;
  std::string fix;
  [[nodiscard]] std::string text() const { return finding + "; fix: " + fix; }
};

/// What the errno of a tracepoint that cannot be read means.
[[nodiscard]] TraceObstacle why_no_tracepoint(int error);
/// What the errno of an event that cannot be opened means.
[[nodiscard]] TraceObstacle why_no_perf_event(int error);

/// Tries both on gilspy itself: futex calls (for exact waits) and context switches.
[[nodiscard]] std::vector<AccessCheck> check_tracing();

}  // namespace gilspy
