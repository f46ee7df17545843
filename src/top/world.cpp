#include "world.h"

namespace gilspy::top {

void World::accept(const Event& event) {
  if (const auto* changed = std::get_if<StateChanged>(&event)) {
    const auto found = threads_.find(changed->tid);
    if (found == threads_.end()) return;
    Thread& thread = found->second;
    thread.state = changed->state;
    thread.told = true;
    const Activity activity = activity_of(changed->state);
    if (activity == Activity::blocked || activity == Activity::holding_blocked) {
      thread.blocked_in = changed->state.syscall;
    }
  } else if (const auto* sampled = std::get_if<StackSampled>(&event)) {
    const auto found = threads_.find(sampled->tid);
    if (found != threads_.end()) found->second.stack = sampled->stack;
  } else if (const auto* gil = std::get_if<GilChanged>(&event)) {
    const auto found = gils_.find(gil->gil);
    if (found != gils_.end()) found->second.changed = *gil;
  } else if (const auto* seen = std::get_if<ThreadSeen>(&event)) {
    threads_[seen->tid].seen = *seen;
  } else if (const auto* gone = std::get_if<ThreadGone>(&event)) {
    threads_.erase(gone->tid);
  } else if (const auto* progress = std::get_if<Progress>(&event)) {
    progress_ = *progress;
  } else if (const auto* defined = std::get_if<GilDefined>(&event)) {
    gils_[defined->id].defined = *defined;
  } else if (const auto* started = std::get_if<ProcessStarted>(&event)) {
    process_ = *started;
  }
}

std::vector<Event> World::prologue(Time at) const {
  std::vector<Event> events;
  if (!process_) return events;
  events.reserve(1 + 2 * gils_.size() + 2 * threads_.size());
  ProcessStarted process = *process_;
  if (process.unix_ns != 0) process.unix_ns += (at - process.at).count();
  process.at = at;
  events.emplace_back(std::move(process));
  for (const auto& [id, gil] : gils_) events.emplace_back(gil.defined);
  for (const auto& [tid, thread] : threads_) {
    ThreadSeen seen = thread.seen;
    seen.at = at;
    events.emplace_back(seen);
  }
  for (const auto& [id, gil] : gils_) {
    if (!gil.changed) continue;
    GilChanged changed = *gil.changed;
    changed.at = at;
    changed.handoffs = 0;
    events.emplace_back(changed);
  }
  for (const auto& [tid, thread] : threads_) {
    if (thread.told) events.emplace_back(StateChanged{at, tid, thread.state});
  }
  return events;
}

const World::Thread* World::thread(Tid tid) const {
  const auto found = threads_.find(tid);
  return found != threads_.end() ? &found->second : nullptr;
}

}  // namespace gilspy::top
