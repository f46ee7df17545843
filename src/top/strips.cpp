#include "strips.h"

#include <algorithm>

namespace gilspy::top {
namespace {

/// What a very wide screen can show: a minute.
constexpr std::size_t most_slots = 240;
constexpr Duration longest = static_cast<int>(most_slots) * slot_length;

template <class T>
void push_bounded(std::deque<T>& ring, T value) {
  ring.push_back(value);
  if (ring.size() > most_slots) ring.pop_front();
}

Slot slot_of(const ActivityTimes& times) {
  Slot slot;
  Duration all{};
  for (const Duration time : times) all += time;
  if (all <= Duration{}) return slot;
  const auto index_of_most = [](const ActivityTimes& of) {
    return static_cast<std::size_t>(std::ranges::max_element(of) - of.begin());
  };
  const std::size_t most = index_of_most(times);
  ActivityTimes others = times;
  others[most] = Duration{};
  const std::size_t next = index_of_most(others);
  slot.most = slot.next = static_cast<Activity>(most);
  if (others[next] > Duration{}) {
    slot.next = static_cast<Activity>(next);
    const auto both = times[most] + times[next];
    slot.eighths = static_cast<std::uint8_t>((8 * times[most] + both / 2) / both);
  }
  slot.seen = true;
  return slot;
}

}  // namespace

void Strips::begin(Time at) {
  threads_.clear();
  gils_.clear();
  slot_end_ = at + slot_length;
}

void Strips::accept(const Event& event) {
  if (const auto time = time_of(event)) advance(*time);
  if (const auto* state = std::get_if<StateChanged>(&event)) {
    on_state(state->at, state->tid, activity_of(state->state));
  } else if (const auto* seen = std::get_if<ThreadSeen>(&event)) {
    const auto [found, added] = threads_.try_emplace(seen->tid);
    Lane& lane = found->second;
    if (added) lane.since = seen->at;
    const bool waits = lane.activity == Activity::waiting;
    if (waits) count_waiter(seen->at, lane, -1);
    lane.gil = seen->gil;
    if (waits) count_waiter(seen->at, lane, +1);
  } else if (const auto* gone = std::get_if<ThreadGone>(&event)) {
    on_state(gone->at, gone->tid, Activity::unknown);
    threads_.erase(gone->tid);
  } else if (const auto* gil = std::get_if<GilChanged>(&event)) {
    const auto [found, added] = gils_.try_emplace(gil->gil);
    if (added) found->second.since = gil->at;
    pass(found->second, gil->at);
    found->second.held = gil->known && gil->holder != no_thread;
  }
}

void Strips::on_state(Time at, Tid tid, Activity activity) {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return;
  Lane& lane = found->second;
  pass(lane, at);
  if (lane.activity == Activity::waiting) count_waiter(at, lane, -1);
  lane.activity = activity;
  if (lane.activity == Activity::waiting) count_waiter(at, lane, +1);
}

void Strips::count_waiter(Time at, const Lane& lane, int change) {
  if (!lane.gil) return;
  const auto [found, added] = gils_.try_emplace(*lane.gil);
  if (added) found->second.since = at;
  pass(found->second, at);
  found->second.waiters += change;
}

void Strips::pass(Lane& lane, Time at) {
  time_in(lane.times, lane.activity) += at - lane.since;
  lane.since = at;
}

void Strips::pass(GilLane& gil, Time at) {
  if (gil.held) gil.held_time += at - gil.since;
  if (gil.waiters > 0) gil.contended_time += at - gil.since;
  gil.since = at;
}

void Strips::advance(Time at) {
  // After a long sleep of ours there is nothing to show of it.
  if (at - slot_end_ > longest) {
    slot_end_ = at - longest;
    for (auto& [tid, lane] : threads_) lane.since = std::max(lane.since, slot_end_);
    for (auto& [id, gil] : gils_) gil.since = std::max(gil.since, slot_end_);
  }
  while (slot_end_ <= at) close_slot();
}

void Strips::close_slot() {
  for (auto& [tid, lane] : threads_) {
    pass(lane, slot_end_);
    push_bounded(lane.slots, slot_of(lane.times));
    lane.times = {};
  }
  for (auto& [id, gil] : gils_) {
    pass(gil, slot_end_);
    push_bounded(gil.held_shares, to_seconds(gil.held_time) / to_seconds(slot_length));
    push_bounded(gil.contended_shares, to_seconds(gil.contended_time) / to_seconds(slot_length));
    gil.held_time = gil.contended_time = {};
  }
  slot_end_ += slot_length;
}

std::vector<Slot> Strips::thread(Tid tid) const {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return {};
  return {found->second.slots.begin(), found->second.slots.end()};
}

std::map<GilId, GilHistory> Strips::gils() const {
  std::map<GilId, GilHistory> all;
  for (const auto& [id, gil] : gils_) {
    all[id] = {{gil.held_shares.begin(), gil.held_shares.end()},
               {gil.contended_shares.begin(), gil.contended_shares.end()},
               gil.waiters};
  }
  return all;
}

}  // namespace gilspy::top
