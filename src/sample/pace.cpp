#include "pace.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gilspy {
namespace {

/// Ticks come at random: so many stacks may be owed after a long gap.
constexpr int most_owed = 4;
/// Where states alone take all there is, stacks are still shown.
constexpr Duration longest_without = std::chrono::milliseconds{100};
/// Somebody else may have had our CPU for once.
constexpr std::uint64_t worth_a_note = 100;

}  // namespace

StackPace::StackPace(double hz) {
  if (hz > 0) period_ = Duration{static_cast<std::int64_t>(1e9 / hz)};
}

bool StackPace::due(Time now) {
  if (now < next_) return false;
  next_ = std::max(next_ + period_, now - most_owed * period_);
  return true;
}

Pace::Pace(const RunOptions& options, Time start, Duration cpu)
    : rates_{options.rates.state_hz, options.rates.stack_hz},
      ticks_(start, rates_.state_hz),
      stacks_(rates_.stack_hz),
      share_(options.cpu_budget.value_or(0)),
      judged_(start),
      cpu_(cpu) {
  if (options.cpu_budget) {
    budget_.emplace(share_, rates_);
  } else if (options.settle_after) {
    settle_at_ = start + *options.settle_after;
  }
  if (ticks_.paced()) precedence_.emplace();
}

void Pace::begin(Time at, Duration cpu) {
  const Duration took = at - std::exchange(judged_, at);
  cpu_ = cpu;
  ticks_ = Schedule{at, rates_.state_hz};
  if (precedence_) precedence_->spent(took, took);
}

bool Pace::stacks_due(Time moment) {
  if (!stacks_.due(moment)) return false;
  if (!may_look(moment)) {
    ++left_out_;
    return false;
  }
  stacks_at_ = moment;
  return true;
}

bool Pace::may_look(Time moment) const {
  if (!precedence_ || moment - stacks_at_ >= longest_without) return true;
  return precedence_->is_real_time() ? allowance_.allows() : !precedence_->is_on_trial();
}

std::optional<std::string> Pace::take_note() {
  if (noted_ || left_out_ < worth_a_note) return std::nullopt;
  noted_ = true;
  return "some looks at stacks are left out: all of them would take more than a fifth of a CPU";
}

void Pace::looked(Duration busy) {
  if (!precedence_) return;
  precedence_->spent(busy, ticks_.period());
  allowance_.spent(busy, ticks_.period());
}

bool Pace::is_to_judge(Time at) const {
  return (budget_ && at - judged_ >= period_) || (settle_at_ && at >= *settle_at_);
}

std::optional<Pace::Change> Pace::judge(Time at, Duration cpu, std::uint64_t ticks) {
  const Duration of = at - std::exchange(judged_, at);
  const Duration used = cpu - std::exchange(cpu_, cpu);
  const std::uint64_t count = ticks - std::exchange(count_, ticks);
  if (settle_at_) {
    settle_at_.reset();
    share_ = settled_share;
    period_ = settled_period;
    budget_.emplace(share_, settled_rates);
    return change_to(settled_rates, at);
  }
  if (!budget_) return std::nullopt;
  const auto changed = budget_->spent(used, of, count);
  if (!changed) return std::nullopt;
  return change_to(*changed, at);
}

Pace::Change Pace::change_to(CpuBudget::Rates rates, Time at) {
  rates_ = rates;
  ticks_ = Schedule{at, rates_.state_hz};
  stacks_ = StackPace{rates_.stack_hz};
  if (ticks_.paced() != precedence_.has_value()) {
    ticks_.paced() ? static_cast<void>(precedence_.emplace()) : precedence_.reset();
  }
  return {rates_, text()};
}

std::string Pace::text() const {
  const auto rate = [](double hz, const char* no_limit) {
    return hz > 0 ? fmt::format("at {:.{}f} Hz", hz, hz < 10 ? 1 : 0) : std::string{no_limit};
  };
  return fmt::format("from here on, for a CPU budget of {:g} %: states {}, stacks {}", 100 * share_,
                     rate(rates_.state_hz, "as often as it goes"),
                     rate(rates_.stack_hz, "each time"));
}

}  // namespace gilspy
