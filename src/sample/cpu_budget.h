#pragma once

#include <cstdint>
#include <optional>

#include "gilspy/base/time.h"

namespace gilspy {

/// Keeps the rates so low that sampling uses no more than a share of a core: first the stacks' rate
/// falls, down to one look a second, then the states', down to ten; they rise again in the reverse
/// order as soon as twice as much would fit well.
class CpuBudget {
 public:
  struct Rates {
    double state_hz = 0;  ///< 0: as fast as it goes
    double stack_hz = 0;  ///< 0: at every tick
    friend bool operator==(const Rates&, const Rates&) = default;
  };

  /// Over how long what was spent is judged.
  static constexpr Duration period = std::chrono::milliseconds{500};

  CpuBudget(double share, Rates asked);

  /// Tells what was used in so much time, and the ticks made in it. The rates from now on when they
  /// are others.
  [[nodiscard]] std::optional<Rates> spent(Duration cpu, Duration of, std::uint64_t ticks);

 private:
  /// One of the two rates.
  struct Rate {
    double asked = 0;
    double least = 0;
    double highest = 0;  ///< what `asked` comes to: it may be 0
    double now = 0;

    [[nodiscard]] bool lower(double factor, double ticks_per_second);
    [[nodiscard]] bool raise();
  };

  double share_;
  Rate state_;
  Rate stack_;
};

}  // namespace gilspy
