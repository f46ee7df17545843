#include "wait_holders.h"

#include <algorithm>
#include <functional>
#include <map>

namespace gilspy {

std::vector<std::pair<Tid, Duration>> holders_during(const Profile& profile, Tid waiter,
                                                     const Interval& wait) {
  const ThreadProfile* thread = profile.thread(waiter);
  if (thread == nullptr || !thread->gil) return {};
  const std::vector<HolderInterval>& holders = holders_of(profile, *thread->gil);
  std::map<Tid, Duration> times;
  for (auto hold = std::ranges::upper_bound(holders, wait.begin, {}, &HolderInterval::end);
       hold != holders.end() && hold->begin < wait.end; ++hold) {
    if (!hold->known || hold->holder == no_thread || hold->holder == waiter) continue;
    times[hold->holder] += std::min(hold->end, wait.end) - std::max(hold->begin, wait.begin);
  }
  std::vector<std::pair<Tid, Duration>> sorted(times.begin(), times.end());
  std::ranges::stable_sort(sorted, std::ranges::greater{}, &std::pair<Tid, Duration>::second);
  return sorted;
}

const std::vector<HolderInterval>& holders_of(const Profile& profile, GilId gil) {
  static const std::vector<HolderInterval> none;
  const auto found = profile.timeline.gils.find(gil);
  return found != profile.timeline.gils.end() ? found->second : none;
}

std::vector<WaiterCount> waiters_of(const Profile& profile, GilId gil) {
  std::map<Time, std::int64_t> changes{{profile.begin, 0}};
  for (const auto& [tid, intervals] : profile.timeline.threads) {
    const ThreadProfile* thread = profile.thread(tid);
    if (thread == nullptr || thread->gil != gil) continue;
    for (const Interval& interval : intervals) {
      if (activity_of(interval.state) != Activity::waiting) continue;
      ++changes[interval.begin];
      --changes[interval.end];
    }
  }
  std::vector<WaiterCount> counts;
  std::int64_t waiters = 0;
  for (const auto& [at, change] : changes) {
    if (change == 0 && at != profile.begin) continue;
    waiters += change;
    counts.push_back({at, waiters});
  }
  return counts;
}

}  // namespace gilspy
