#include "gilspy/profile/selection.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "stack_weights.h"

namespace gilspy {
namespace {

struct StateWord {
  std::string_view word;
  Activity activity;
};

constexpr std::array state_words{
    StateWord{"holding", Activity::holding_running},
    StateWord{"holding", Activity::holding_blocked},
    StateWord{"holding-running", Activity::holding_running},
    StateWord{"holding-blocked", Activity::holding_blocked},
    StateWord{"waiting", Activity::waiting},
    StateWord{"running", Activity::running},
    StateWord{"blocked", Activity::blocked},
    StateWord{"runnable", Activity::runnable},
    StateWord{"unknown", Activity::unknown},
};

bool wanted(const Selection& selection, Activity activity) {
  return selection.states.at(static_cast<std::size_t>(activity));
}

bool in(const std::set<Tid>& tids, Tid tid) { return tids.contains(tid); }

void select_threads(Profile& profile, const Selection& selection) {
  std::set<Tid> kept;
  const auto rest = std::ranges::stable_partition(
      profile.threads, [&](const ThreadProfile& thread) { return is_selected(selection, thread); });
  profile.left_out.assign(rest.begin(), rest.end());
  profile.threads.erase(rest.begin(), rest.end());
  for (const ThreadProfile& thread : profile.threads) kept.insert(thread.tid);

  std::erase_if(profile.timeline.threads, [&](const auto& row) { return !in(kept, row.first); });
  std::erase_if(profile.timeline.stacks, [&](const auto& row) { return !in(kept, row.first); });
  std::erase_if(profile.blame,
                [&](const Blame& row) { return !in(kept, row.holder) && !in(kept, row.waiter); });
  for (auto& rows : profile.stacks) {
    std::erase_if(rows, [&](const StackWeight& row) { return !in(kept, row.tid); });
  }
}

/// Shares a thread's time out among its stacks as ProfileBuilder does, but for the states that are
/// not wanted.
StackWeights weights_of(const std::vector<Interval>& intervals,
                        const std::vector<StackMoment>& moments, const Selection& selection) {
  StackWeights weights;
  auto moment = moments.begin();
  for (const Interval& interval : intervals) {
    const Activity activity = activity_of(interval.state);
    const bool counts = wanted(selection, activity);
    Time from = interval.begin;
    const auto pass_until = [&](Time until) {
      if (counts) weights.passed(activity, until - from);
      from = until;
    };
    for (; moment != moments.end() && moment->at < interval.end; ++moment) {
      pass_until(std::max(moment->at, from));
      if (counts) weights.sampled(activity, moment->stack);
    }
    pass_until(interval.end);
  }
  weights.finish();
  return weights;
}

/// The moments in wanted states. Where one of those ends the stack is not known any more.
std::vector<StackMoment> moments_in(const std::vector<Interval>& intervals,
                                    const std::vector<StackMoment>& moments,
                                    const Selection& selection) {
  std::vector<StackMoment> kept;
  auto moment = moments.begin();
  bool known = false;
  for (const Interval& interval : intervals) {
    const bool counts = wanted(selection, activity_of(interval.state));
    if (!counts && known) kept.push_back({interval.begin, empty_stack});
    if (!counts) known = false;
    for (; moment != moments.end() && moment->at < interval.end; ++moment) {
      if (!counts) continue;
      kept.push_back(*moment);
      known = true;
    }
  }
  return kept;
}

void select_states(Profile& profile, const Selection& selection) {
  static const std::vector<StackMoment> none;
  std::array<std::vector<StackWeight>, weight_count> stacks;
  for (auto& [tid, intervals] : profile.timeline.threads) {
    const auto found = profile.timeline.stacks.find(tid);
    const auto& moments = found != profile.timeline.stacks.end() ? found->second : none;
    const StackWeights weights = weights_of(intervals, moments, selection);
    const std::map<StackId, ActivityTimes> sorted(weights.by_stack().begin(),
                                                  weights.by_stack().end());
    for (std::size_t i = 0; i < weight_count; ++i) {
      for (const auto& [stack, times] : sorted) {
        const Duration time = weigh(times, static_cast<Weight>(i));
        if (time > Duration{}) stacks.at(i).push_back({tid, stack, time});
      }
    }
    if (found != profile.timeline.stacks.end()) {
      found->second = moments_in(intervals, moments, selection);
    }
    std::erase_if(intervals, [&](const Interval& interval) {
      return !wanted(selection, activity_of(interval.state));
    });
  }
  for (ThreadProfile& thread : profile.threads) {
    for (std::size_t i = 0; i < activity_count; ++i) {
      if (!selection.states.at(i)) thread.times.at(i) = {};
    }
  }
  // Blame is one thread's waiting while another holds: it is part of either.
  const bool blame = wanted(selection, Activity::waiting) ||
                     wanted(selection, Activity::holding_running) ||
                     wanted(selection, Activity::holding_blocked);
  const auto index = static_cast<std::size_t>(Weight::blame);
  if (blame) stacks.at(index) = std::move(profile.stacks.at(index));
  if (!blame) profile.blame.clear();
  profile.stacks = std::move(stacks);
}

}  // namespace

bool Selection::all_states() const { return std::ranges::all_of(states, std::identity{}); }

bool add_states(Selection& selection, std::string_view word) {
  const auto matches = [&](const StateWord& entry) { return entry.word == word; };
  if (std::ranges::none_of(state_words, matches)) return false;
  if (selection.all_states()) selection.states.fill(false);
  for (const StateWord& entry : state_words) {
    if (matches(entry)) selection.states.at(static_cast<std::size_t>(entry.activity)) = true;
  }
  return true;
}

bool is_selected(const Selection& selection, const ThreadProfile& thread) {
  if (selection.threads.empty()) return true;
  return std::ranges::any_of(selection.threads, [&](const std::string& wanted) {
    return wanted == thread.name || wanted == std::to_string(thread.tid.value);
  });
}

Profile select(Profile profile, const Selection& selection) {
  const auto note = [&](std::string text) {
    profile.notes.push_back({profile.begin, profile.process.pid, std::move(text)});
  };
  if (!selection.threads.empty()) {
    select_threads(profile, selection);
    note(fmt::format("only {} of {} threads; the GIL's figures are of all", profile.threads.size(),
                     profile.threads.size() + profile.left_out.size()));
  }
  if (!selection.all_states()) {
    select_states(profile, selection);
    std::string names;
    for (std::size_t i = 0; i < activity_count; ++i) {
      if (!selection.states.at(i)) continue;
      names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name_of(static_cast<Activity>(i)));
    }
    note(fmt::format("of the threads' time only the states {}", names));
  }
  return profile;
}

}  // namespace gilspy
