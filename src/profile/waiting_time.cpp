#include "waiting_time.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gilspy {

std::vector<Span> waits_among(const std::vector<Interval>& intervals) {
  std::vector<Span> waits;
  for (const Interval& interval : intervals) {
    if (activity_of(interval.state) != Activity::waiting) continue;
    if (!waits.empty() && waits.back().end == interval.begin) {
      waits.back().end = interval.end;
    } else {
      waits.push_back(Span{interval.begin, interval.end});
    }
  }
  return waits;
}

WaitingTime::WaitingTime(const std::vector<std::vector<Span>>& waits) {
  std::vector<std::pair<Time, std::int64_t>> changes;
  std::size_t count = 0;
  for (const auto& thread : waits) count += thread.size();
  changes.reserve(2 * count);
  for (const auto& thread : waits) {
    for (const Span& wait : thread) {
      changes.emplace_back(wait.begin, 1);
      changes.emplace_back(wait.end, -1);
    }
  }
  std::ranges::sort(changes);
  for (const auto& [at, change] : changes) {
    if (steps_.empty()) {
      steps_.push_back(Step{at, 0, change});
      continue;
    }
    const Step last = steps_.back();
    if (last.at == at) {
      steps_.back().count += change;
    } else {
      steps_.push_back(
          Step{at, last.before + to_seconds(at - last.at) * static_cast<double>(last.count),
               last.count + change});
    }
  }
}

Duration WaitingTime::within(Time begin, Time end) const {
  constexpr double most = 9e9;  // seconds; what a Duration holds
  return Duration{std::llround(std::min(until(end) - until(begin), most) * 1e9)};
}

double WaitingTime::until(Time at) const {
  const auto after = std::ranges::upper_bound(steps_, at, {}, &Step::at);
  if (after == steps_.begin()) return 0;
  const Step& step = *(after - 1);
  return step.before + to_seconds(at - step.at) * static_cast<double>(step.count);
}

}  // namespace gilspy
