#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cpu_budget.h"
#include "gilspy/sample/run.h"
#include "precedence.h"
#include "schedule.h"
#include "stack_allowance.h"

namespace gilspy {

/// Whether the stacks' moment has come at a tick.
class StackPace {
 public:
  /// `hz` 0: at each.
  explicit StackPace(double hz);
  [[nodiscard]] bool due(Time now);
  /// Whether the next one comes so soon that nothing is to be made for the time until then.
  [[nodiscard]] bool is_near(Time now) const { return next_ - now < near; }

 private:
  static constexpr Duration near = std::chrono::milliseconds{4};

  Duration period_{};
  Time next_;
};

/// When to tick and when to look at stacks. Rates change to keep within a budget, and when sampling
/// at rates that nobody asked for has gone on for long.
class Pace {
 public:
  /// What is spent on sampling that is left on: this share of a core, at no more than these rates.
  static constexpr double settled_share = 0.005;
  static constexpr CpuBudget::Rates settled_rates{.state_hz = 75, .stack_hz = 5};
  /// Over how long that is judged: so few ticks cost now more, now less.
  static constexpr Duration settled_period = std::chrono::seconds{10};

  struct Change {
    CpuBudget::Rates rates;
    std::string why;
  };

  /// Takes precedence at once: what comes before the first tick is to be over soon. `cpu` is what
  /// this thread has used up to the start.
  Pace(const RunOptions& options, Time start, Duration cpu);
  /// Ticks are due from here on: it took since the start until there was something to tick at.
  void begin(Time at, Duration cpu);

  [[nodiscard]] Schedule& ticks() { return ticks_; }
  /// Whether a tick at this moment looks at stacks: where it is time for it, and precedence is not
  /// lost by it.
  [[nodiscard]] bool stacks_due(Time moment);
  [[nodiscard]] bool stacks_near(Time moment) const { return stacks_.is_near(moment); }
  /// What is to be told when looks at stacks are left out for the first time.
  [[nodiscard]] std::optional<std::string> take_note();

  /// Whether this thread has a CPU as soon as it wants one.
  [[nodiscard]] bool goes_first() const { return precedence_ && precedence_->is_real_time(); }
  /// Tells how long a look took.
  void looked(Duration busy);
  /// Whether what was spent is to be judged now.
  [[nodiscard]] bool is_to_judge(Time at) const;
  /// What is to be told of new rates, where these are others from now on: by the CPU time and the
  /// ticks that there have been in all.
  [[nodiscard]] std::optional<Change> judge(Time at, Duration cpu, std::uint64_t ticks);

 private:
  [[nodiscard]] bool may_look(Time moment) const;
  Change change_to(CpuBudget::Rates rates, Time at);
  [[nodiscard]] std::string text() const;

  CpuBudget::Rates rates_;
  Schedule ticks_;
  StackPace stacks_;
  double share_;
  Duration period_ = CpuBudget::period;  ///< over which what was spent is judged
  std::optional<Time> settle_at_;
  std::optional<CpuBudget> budget_;
  std::optional<Precedence> precedence_;
  StackAllowance allowance_;
  Time stacks_at_;              ///< the last moment with a look at them
  std::uint64_t left_out_ = 0;  ///< looks at stacks
  bool noted_ = false;          ///< that there are such
  Time judged_;
  Duration cpu_;
  std::uint64_t count_ = 0;
};

}  // namespace gilspy
