#include "cpu_demand.h"

#include <algorithm>

namespace gilspy {
namespace {

/// Below this share of one CPU the ratio is between two noises.
constexpr double least_cpu_share = 0.01;

/// It could use a CPU as things are. A runnable thread counts: that it lacks a CPU is not the GIL's
/// doing, and other programs' share of the machine must not look like a gain.
bool may_run_now(ThreadState state) {
  return wants_cpu(state) && activity_of(state) != Activity::waiting;
}

}  // namespace

void CpuDemand::enter(Time at, ThreadState state) {
  advance(at);
  if (wants_cpu(state)) ++want_;
  if (may_run_now(state)) ++may_run_;
}

void CpuDemand::leave(Time at, ThreadState state) {
  advance(at);
  if (wants_cpu(state)) --want_;
  if (may_run_now(state)) --may_run_;
}

void CpuDemand::advance(Time at) {
  const double passed = to_seconds(at - since_);
  wanted_seconds_ += passed * std::min(want_, cores_);
  had_seconds_ += passed * std::min(may_run_, cores_);
  since_ = at;
}

std::optional<double> CpuDemand::potential(Duration wall) const {
  if (cores_ == 0 || had_seconds_ <= least_cpu_share * to_seconds(wall)) return std::nullopt;
  // In the middle of a hand-over nobody could run: the ratio may come out a little above the cores.
  return std::clamp(wanted_seconds_ / had_seconds_, 1.0, static_cast<double>(cores_));
}

}  // namespace gilspy
