#include <map>
#include <utility>

#include "builder_state.h"
#include "duration_math.h"
#include "verdict.h"

namespace gilspy {
namespace {

/// Above this share of unknown time the potential would be made of what little was seen.
constexpr double most_unknown = 0.5;

using Weights = std::map<std::pair<Tid, StackId>, Duration>;

std::vector<StackWeight> rows_of(const Weights& weights) {
  std::vector<StackWeight> rows;
  rows.reserve(weights.size());
  for (const auto& [key, time] : weights) rows.push_back(StackWeight{key.first, key.second, time});
  return rows;
}

void add_own_time(Weights& weights, Weight weight, const std::vector<ThreadClock>& threads) {
  for (const ThreadClock& thread : threads) {
    for (const auto& [stack, times] : thread.stacks().by_stack()) {
      const Duration time = weigh(times, weight);
      if (time > Duration{}) add_to(weights[{thread.figures().tid, stack}], time);
    }
  }
}

/// Waiting for nobody in particular is nobody's stack.
void add_blame(Weights& weights, const std::vector<Blame>& blame) {
  for (const Blame& row : blame) {
    if (row.holder != no_thread) add_to(weights[{row.holder, row.stack}], row.time);
  }
}

template <class T>
void append(std::vector<T>& list, const std::vector<T>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

}  // namespace

/// Closes copies of all that is open, so that the originals go on undisturbed.
Profile ProfileBuilder::State::profile() const {
  Profile profile;
  profile.tables = tables_;
  profile.process = process_.value_or(ProcessStarted{});
  profile.begin = begin_.value_or(now_);
  profile.end = now_;
  profile.end_reason = end_reason_;
  profile.progress = progress_;
  profile.native = native_;
  profile.lateness = lateness_;
  profile.missed_for_room = missed_for_room_;
  profile.traced = traced_;
  profile.notes = notes_;

  BlameLedger blame = blame_;
  std::vector<ThreadClock> threads = threads_;
  std::vector<GilClock> gils;
  for (const auto& [id, clock] : gils_) {
    const auto hold = gils.emplace_back(clock).close(now_, switch_interval(), blame);
    if (!hold) continue;
    const auto holder = living_.find(hold->holder);
    if (holder != living_.end()) threads[holder->second].held_until(now_, hold->length);
  }
  GilClock{no_gil_}.close(now_, switch_interval(), blame);
  for (const auto& [tid, index] : living_) threads[index].close(now_);

  profile.blame = blame.rows();
  put_gils(profile, gils);
  // Off at the start, but it came back.
  if (profile.process.gil_enabled == false && !profile.gils.empty())
    profile.process.gil_enabled = true;
  put_threads(profile, threads);
  CpuDemand demand = demand_;
  demand.advance(now_);
  if (!profile.gils.empty() && unknown_share(profile) <= most_unknown) {
    profile.potential = demand.potential(profile.wall());
  }
  profile.verdict = verdict_of(profile);
  return profile;
}

void ProfileBuilder::State::put_gils(Profile& profile, const std::vector<GilClock>& gils) const {
  const bool off = profile.process.gil_enabled == false;
  for (const GilClock& gil : gils) {
    if (off && !gil.in_use()) continue;
    profile.gils.push_back(gil.figures());
    if (!options_.keep_timeline) continue;
    profile.timeline.gils[gil.figures().id] = gil.intervals();
    profile.timeline.handoffs[gil.figures().id] = gil.handoffs();
  }
}

void ProfileBuilder::State::put_threads(Profile& profile,
                                        const std::vector<ThreadClock>& threads) const {
  for (const ThreadClock& thread : threads) {
    const ThreadProfile& figures = thread.figures();
    profile.threads.push_back(figures);
    if (!options_.keep_timeline) continue;
    append(profile.timeline.threads[figures.tid], thread.intervals());
    if (!thread.moments().empty()) append(profile.timeline.stacks[figures.tid], thread.moments());
  }
  for (std::size_t i = 0; i < weight_count; ++i) {
    Weights weights;
    const auto weight = static_cast<Weight>(i);
    if (weight == Weight::blame) {
      add_blame(weights, profile.blame);
    } else {
      add_own_time(weights, weight, threads);
    }
    profile.stacks[i] = rows_of(weights);
  }
}

}  // namespace gilspy
