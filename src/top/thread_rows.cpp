#include "thread_rows.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include <fmt/format.h>

#include "gilspy/base/text.h"
#include "gilspy/top/render.h"

namespace gilspy::top {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool fits(const ThreadRow& row, const std::string& filter) {
  return filter.empty() || lower_case(row.name).find(lower_case(filter)) != std::string::npos ||
         std::to_string(row.tid.value).find(filter) != std::string::npos;
}

ThreadRow row_of(const ThreadProfile& thread, const View& view) {
  ThreadRow row;
  row.tid = thread.tid;
  row.name = terminal_text(thread.name);
  if (row.name.empty()) row.name = "(no name)";
  if (const auto now = view.threads.find(thread.tid); now != view.threads.end()) {
    row.now = &now->second;
    row.activity = activity_of(now->second.state);
  }
  const double life = to_seconds(thread.last - thread.first);
  const auto share = [&](Activity activity) {
    return life > 0 ? to_seconds(time_in(thread.times, activity)) / life : 0;
  };
  row.hold = share(Activity::holding_running) + share(Activity::holding_blocked);
  row.wait = share(Activity::waiting);
  row.run = share(Activity::running);
  row.blocked = share(Activity::blocked);
  row.ready = share(Activity::runnable);
  row.longest_wait = thread.longest_wait;
  row.handoffs = thread.holds;
  return row;
}

/// Whether `a` comes before `b`: names and tids upwards, figures downwards.
bool before(const ThreadRow& a, const ThreadRow& b, Column column) {
  switch (column) {
    case Column::name: return a.name < b.name;
    case Column::tid: return a.tid < b.tid;
    case Column::state:
      return std::tuple(a.now == nullptr, a.activity) < std::tuple(b.now == nullptr, b.activity);
    case Column::hold: return std::tuple(a.hold, a.wait, a.run) > std::tuple(b.hold, b.wait, b.run);
    case Column::wait: return std::tuple(a.wait, a.hold) > std::tuple(b.wait, b.hold);
    case Column::run: return a.run > b.run;
    case Column::blocked: return a.blocked > b.blocked;
    case Column::ready: return a.ready > b.ready;
    case Column::longest_wait: return a.longest_wait > b.longest_wait;
    case Column::handoffs: return a.handoffs > b.handoffs;
  }
  return false;
}

}  // namespace

std::vector<ThreadRow> thread_rows(const State& state) {
  std::vector<ThreadRow> rows;
  rows.reserve(state.view.profile.threads.size());
  for (const ThreadProfile& thread : state.view.profile.threads) {
    ThreadRow row = row_of(thread, state.view);
    if (fits(row, state.controls.filter)) rows.push_back(std::move(row));
  }
  const Column column = state.controls.sort;
  std::ranges::stable_sort(rows, [&](const ThreadRow& a, const ThreadRow& b) {
    return state.controls.reversed ? before(b, a, column) : before(a, b, column);
  });
  return rows;
}

std::size_t selected_row(const std::vector<ThreadRow>& rows, Tid selected) {
  const auto found = std::ranges::find(rows, selected, &ThreadRow::tid);
  return found != rows.end() ? static_cast<std::size_t>(found - rows.begin()) : 0;
}

std::string shortened_inside(std::string_view text, int width) {
  constexpr int least_with_end = 9;
  const auto columns = static_cast<std::size_t>(std::max(width, 0));
  if (display_width(text) <= columns || width < least_with_end) return shortened(text, columns);
  const std::size_t room = (columns - 3) / 2;
  std::string_view tail = text;
  while (display_width(tail) > room) tail.remove_prefix(first_glyph(tail).bytes.size());
  // shortened() puts the dots at the end of the beginning.
  return shortened(text, columns - display_width(tail)) + std::string(tail);
}

std::string_view heading_of(Column column) {
  switch (column) {
    case Column::name: return "thread";
    case Column::tid: return "tid";
    case Column::state: return "now";
    case Column::hold: return "hold%";
    case Column::wait: return "wait%";
    case Column::run: return "run%";
    case Column::blocked: return "block%";
    case Column::ready: return "ready%";
    case Column::longest_wait: return "longest";
    case Column::handoffs: return "handed";
  }
  return "";
}

std::string state_words(const ThreadRow& row, bool syscall) {
  if (row.now == nullptr) return "gone";
  const ThreadState& state = row.now->state;
  switch (row.activity) {
    case Activity::holding_running: return "holding";
    case Activity::holding_blocked:
      return syscall && state.syscall >= 0 ? "holding, " + syscall_name(state.syscall) : "hold/blk";
    case Activity::waiting: return "waiting";
    case Activity::running: return "running";
    case Activity::runnable: return "runnable";
    case Activity::blocked: break;
    case Activity::unknown: return "unknown";
  }
  if (state.cpu == CpuState::stopped) return "stopped";
  if (!syscall || state.syscall < 0) return "blocked";
  return fmt::format("{}: {}", name_of(state.kind), syscall_name(state.syscall));
}

std::vector<Tid> listed_threads(const State& state) {
  std::vector<Tid> tids;
  const auto rows = thread_rows(state);
  tids.reserve(rows.size());
  for (const ThreadRow& row : rows) tids.push_back(row.tid);
  return tids;
}

}  // namespace gilspy::top
