#include "gilspy/report/progress.h"

#include <algorithm>

#include <fmt/format.h>

namespace gilspy {

void RunningFigures::accept(const Event& event) {
  if (const auto at = time_of(event)) advance(*at);
  if (const auto* process = std::get_if<ProcessStarted>(&event)) {
    // After an exec neither the threads nor the GILs of before are there any more.
    waits_.clear();
    gils_.clear();
    gil_off_ = process->gil_enabled == false;
  } else if (const auto* state = std::get_if<StateChanged>(&event)) {
    waits_[state->tid] = activity_of(state->state) == Activity::waiting;
  } else if (const auto* gone = std::get_if<ThreadGone>(&event)) {
    waits_.erase(gone->tid);
  } else if (const auto* gil = std::get_if<GilChanged>(&event)) {
    const auto entry = gils_.try_emplace(gil->gil, Gil{false, now_, {}}).first;
    entry->second.held = gil->known && gil->holder != no_thread;
  } else if (const auto* progress = std::get_if<Progress>(&event)) {
    ticks_ = progress->ticks;
  }
}

std::string RunningFigures::line() {
  // Of several GILs the one that is held most is what people wait for.
  Duration held{};
  for (auto& [id, gil] : gils_) {
    held = std::max(held, gil.held_time);
    gil.held_time = {};
  }
  const double passed = to_seconds(now_ - last_line_);
  last_line_ = now_;
  const std::string text = fmt::format("{:.0f} s, {} ticks", to_seconds(now_ - start_), ticks_);
  if (gil_off_) return text + ", no GIL";
  const auto waiting = std::ranges::count_if(waits_, [](const auto& row) { return row.second; });
  return fmt::format("{}, GIL held {:.0f} %, {} thread{} waiting", text,
                     passed > 0 ? 100 * to_seconds(held) / passed : 0.0, waiting,
                     waiting == 1 ? "" : "s");
}

void RunningFigures::advance(Time at) {
  if (!started_) {
    started_ = true;
    start_ = last_line_ = now_ = at;
  }
  now_ = std::max(now_, at);
  for (auto& [id, gil] : gils_) {
    if (gil.held) gil.held_time += now_ - gil.since;
    gil.since = now_;
  }
}

}  // namespace gilspy
