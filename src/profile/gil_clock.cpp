#include "gil_clock.h"

#include <algorithm>

#include "duration_math.h"
#include "merged_intervals.h"

namespace gilspy {

GilClock::GilClock(GilId id, Time at, bool keep_timeline)
    : keep_timeline_(keep_timeline), since_(at), holder_began_(at), hold_began_(at) {
  figures_.id = id;
}

std::optional<GilClock::Hold> GilClock::change(Time at, const GilChanged& event,
                                               BlameLedger& blame) {
  const Tid holder = event.known ? event.holder : no_thread;
  const bool same = event.known == known_ && holder == holder_;
  figures_.handoffs += event.handoffs;
  if (keep_timeline_ && event.handoffs > 0) handoffs_.push_back({at, figures_.handoffs});
  in_use_ = in_use_ || holder != no_thread || event.handoffs > 0;
  if (same && event.handoffs == 0) return std::nullopt;

  const auto ended = end_hold(at);
  hold_began_ = at;
  if (same) return ended;
  advance(at);
  settle(at, blame);
  if (keep_timeline_) append_merged(intervals_, HolderInterval{holder_began_, at, holder_, known_});
  holder_ = holder;
  known_ = event.known;
  holder_began_ = at;
  return ended;
}

void GilClock::wait_begins(Time at, Tid waiter) {
  advance(at);
  in_use_ = true;
  waiters_.insert_or_assign(waiter, Waiter{at, at});
}

void GilClock::wait_ends(Time at, Tid waiter, Duration switch_interval, BlameLedger& blame) {
  const auto found = waiters_.find(waiter);
  if (found == waiters_.end()) return;
  advance(at);
  settle_one(at, waiter, found->second, blame);
  count_wait(at - found->second.began, switch_interval);
  waiters_.erase(found);
}

void GilClock::settle(Time at, BlameLedger& blame) {
  for (auto& [tid, waiter] : waiters_) settle_one(at, tid, waiter, blame);
}

std::optional<GilClock::Hold> GilClock::close(Time at, Duration switch_interval,
                                              BlameLedger& blame) {
  advance(at);
  settle(at, blame);
  for (const auto& [tid, waiter] : waiters_) count_wait(at - waiter.began, switch_interval);
  if (keep_timeline_) append_merged(intervals_, HolderInterval{holder_began_, at, holder_, known_});
  return end_hold(at);
}

Duration GilClock::hold_so_far(Time at, Tid tid) const {
  return tid != no_thread && tid == holder_ ? at - hold_began_ : Duration{};
}

void GilClock::advance(Time at) {
  const Duration passed = at - since_;
  if (!known_) {
    figures_.unknown += passed;
  } else if (holder_ != no_thread) {
    figures_.held += passed;
  }
  if (!waiters_.empty()) figures_.contended += passed;
  since_ = at;
}

void GilClock::settle_one(Time at, Tid tid, Waiter& waiter, BlameLedger& blame) {
  blame.waited(holder_, tid, at - waiter.settled);
  add_to(figures_.wait, at - waiter.settled);
  waiter.settled = at;
}

void GilClock::count_wait(Duration length, Duration switch_interval) {
  figures_.longest_wait = std::max(figures_.longest_wait, length);
  if (switch_interval > Duration{} && length > switch_interval) ++figures_.forced_handoffs;
}

std::optional<GilClock::Hold> GilClock::end_hold(Time at) {
  if (holder_ == no_thread) return std::nullopt;
  const Hold hold{holder_, at - hold_began_};
  figures_.longest_hold = std::max(figures_.longest_hold, hold.length);
  return hold;
}

}  // namespace gilspy
