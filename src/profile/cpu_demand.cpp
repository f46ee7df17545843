#include "cpu_demand.h"

#include <algorithm>

namespace gilspy {
namespace {

/// Below this share of one CPU the ratio is between two noises.
constexpr double least_cpu_share = 0.01;

bool has_cpu(ThreadState state) {
  const Activity activity = activity_of(state);
  return activity == Activity::holding_running || activity == Activity::running;
}

}  // namespace

void CpuDemand::enter(Time at, ThreadState state) {
  advance(at);
  if (wants_cpu(state)) ++want_;
  if (has_cpu(state)) ++have_;
}

void CpuDemand::leave(Time at, ThreadState state) {
  advance(at);
  if (wants_cpu(state)) --want_;
  if (has_cpu(state)) --have_;
}

void CpuDemand::advance(Time at) {
  const double passed = to_seconds(at - since_);
  wanted_seconds_ += passed * std::min(want_, cores_);
  had_seconds_ += passed * have_;
  since_ = at;
}

std::optional<double> CpuDemand::potential(Duration wall) const {
  if (cores_ == 0 || had_seconds_ <= least_cpu_share * to_seconds(wall)) return std::nullopt;
  return std::max(1.0, wanted_seconds_ / had_seconds_);
}

}  // namespace gilspy
