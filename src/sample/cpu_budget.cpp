#include "cpu_budget.h"

#include <algorithm>

namespace gilspy {
namespace {

constexpr double least_state_hz = 10;
constexpr double least_stack_hz = 1;
/// A rate falls at least by half, and at most to this part at once: what was used in one period may
/// not be what the next one takes.
constexpr double least_fall = 0.5;
constexpr double largest_fall = 1.0 / 64;
/// Of the budget: twice as much leaves room.
constexpr double little = 0.4;

double least_of(double asked, double least) { return asked > 0 ? std::min(asked, least) : least; }

}  // namespace

CpuBudget::CpuBudget(double share, Rates asked)
    : share_(share),
      state_{asked.state_hz, least_of(asked.state_hz, least_state_hz), asked.state_hz,
             asked.state_hz},
      stack_{asked.stack_hz, least_of(asked.stack_hz, least_stack_hz), asked.stack_hz,
             asked.stack_hz} {}

bool CpuBudget::Rate::lower(double factor, double ticks_per_second) {
  if (asked == 0 && now == 0) highest = ticks_per_second;
  const double from = now > 0 ? now : ticks_per_second;
  if (from <= least) return false;
  now = std::max(least, from * factor);
  return true;
}

bool CpuBudget::Rate::raise() {
  if (now == asked) return false;
  now = 2 * now >= highest ? asked : 2 * now;
  return true;
}

std::optional<CpuBudget::Rates> CpuBudget::spent(Duration cpu, Duration of, std::uint64_t ticks) {
  if (of <= Duration{}) return std::nullopt;
  const double seconds = to_seconds(of);
  const double used = to_seconds(cpu) / seconds;
  bool changed = false;
  if (used > share_) {
    const double factor = std::clamp(share_ / used, largest_fall, least_fall);
    const double achieved = static_cast<double>(ticks) / seconds;
    changed = stack_.lower(factor, achieved) || state_.lower(factor, achieved);
  } else if (used < little * share_) {
    changed = state_.raise() || stack_.raise();
  }
  if (!changed) return std::nullopt;
  return Rates{state_.now, stack_.now};
}

}  // namespace gilspy
