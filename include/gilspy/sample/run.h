#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "gilspy/sample/sampler.h"

namespace gilspy {

/// A descriptor to look at while sampling: when it becomes readable its handler is called, and may
/// end the run.
struct Watch {
  int fd = -1;
  std::function<std::optional<EndReason>()> on_ready;
};

struct RunOptions {
  SamplerOptions rates;
  std::optional<Duration> duration;  ///< nothing: until something else ends it
  /// The share of a core that sampling may use. Rates are lowered to keep within it, the stacks'
  /// first, and raised again.
  std::optional<double> cpu_budget;
  /// After so long sampling is to cost half a percent of a core at most, at lower rates. For those
  /// who have asked neither for rates nor for a budget: what is left on must not be felt.
  std::optional<Duration> settle_after;
};

/// Ticks on absolute, jittered deadlines until the duration is over, a watch ends it, or the target
/// ends or execs. Moments that passed before we had a CPU, or at which the sink had no room, are
/// counted as missed, not made up for.
[[nodiscard]] EndReason run(Sampler& sampler, const RunOptions& options,
                            const std::vector<Watch>& watches);

/// Waits until `deadline`, or until a watch's handler gives a reason to end.
[[nodiscard]] std::optional<EndReason> wait_until(Time deadline, const std::vector<Watch>& watches);

}  // namespace gilspy
