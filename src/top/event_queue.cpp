#include "gilspy/top/event_queue.h"

#include <algorithm>
#include <ranges>
#include <unordered_set>

namespace gilspy::top {
namespace {

/// Leaves out every state that another one of the same thread follows, and all stack samples.
std::vector<Event> thinned(std::vector<Event>& events) {
  std::vector<Event> kept;
  kept.reserve(events.size());
  std::unordered_set<Tid> told;
  std::unordered_set<GilId> gils;
  for (Event& event : std::views::reverse(events)) {
    if (std::holds_alternative<StackSampled>(event)) continue;
    if (const auto* state = std::get_if<StateChanged>(&event)) {
      if (!told.insert(state->tid).second) continue;
    } else if (const auto* gil = std::get_if<GilChanged>(&event)) {
      if (!gils.insert(gil->gil).second) continue;
    }
    kept.push_back(std::move(event));
  }
  std::ranges::reverse(kept);
  return kept;
}

}  // namespace

void EventQueue::accept(const Event& event) {
  const std::scoped_lock lock{mutex_};
  events_.push_back(event);
  if (events_.size() < limit_) return;
  const auto time = time_of(event);
  events_ = thinned(events_);
  if (time) {
    events_.emplace_back(
        Noted{*time, Pid{}, "the view had no CPU for long; its figures of that time are missing"});
  }
  // Definitions stay, and there can be many.
  limit_ = std::max(most_events, 2 * events_.size());
}

std::vector<Event> EventQueue::take() {
  std::vector<Event> taken;
  const std::scoped_lock lock{mutex_};
  taken.swap(events_);
  limit_ = most_events;
  return taken;
}

}  // namespace gilspy::top
