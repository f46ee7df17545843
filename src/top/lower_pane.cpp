#include <algorithm>
#include <array>
#include <numeric>
#include <ranges>

#include <fmt/format.h>

#include "functions.h"
#include "gilspy/base/text.h"
#include "gilspy/profile/blame.h"
#include "marks.h"
#include "panes.h"

namespace gilspy::top {
namespace {

constexpr std::array<std::string_view, pane_count> tabs{"1 functions", "2 blame", "3 stack"};
/// Widest text that a name column takes when there is room.
constexpr int most_name = 40;

double share(Duration part, double seconds) { return seconds > 0 ? to_seconds(part) / seconds : 0; }

double all_waiting(const Profile& profile) {
  return std::accumulate(profile.blame.begin(), profile.blame.end(), 0.0,
                         [](double sum, const Blame& row) { return sum + to_seconds(row.time); });
}

void put_share(Screen& screen, int row, int end, double value, Ink ink) {
  const bool hardly = value < 0.0005;
  screen.put_right(row, end, fmt::format("{:.1f}", 100 * value),
                   {.ink = hardly ? Ink::plain : ink, .dim = hardly});
}

/// Which of `count` lines to begin with: scrolling stops when the last one is in sight.
std::size_t first_line(const Controls& controls, std::size_t count, int rows) {
  const auto most = static_cast<int>(count) - rows;
  return static_cast<std::size_t>(std::clamp(controls.scrolled, 0, std::max(most, 0)));
}

int widest(const std::vector<std::string>& texts, int most) {
  std::size_t width = 0;
  for (const std::string& text : texts) width = std::max(width, display_width(text));
  return std::min(static_cast<int>(std::min<std::size_t>(width, 1000)), most);
}

std::string function_name(std::string_view name) {
  return name.empty() ? "(no stack sampled)" : terminal_text(name);
}

}  // namespace

std::string place_of(std::string_view file, std::uint32_t line) {
  const std::string name = terminal_text(basename_of(file));
  return line != 0 && !name.empty() ? fmt::format("{}:{}", name, line) : name;
}

void put_functions(Screen& screen, Area area, const State& state) {
  const Profile& profile = state.view.profile;
  if (area.rows < 2) return;
  // Three pairs of shares: on top of the stack, and anywhere in it.
  constexpr std::array<std::string_view, 3> headings{"hold%   all", "caused%   all", "cpu%   all"};
  constexpr std::array<int, 3> ends{12, 26, 39};
  constexpr int names = 41;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    screen.put_right(area.top, ends[i], headings[i], {.bold = true});
  }
  screen.put(area.top, names, "function", {.bold = true});

  const auto rows = function_figures(profile);
  const double wall = to_seconds(profile.wall());
  const double waiting = all_waiting(profile);
  const int room = area.rows - 1;
  const std::size_t first = first_line(state.controls, rows.size(), room);
  for (int i = 0; i < room && first + static_cast<std::size_t>(i) < rows.size(); ++i) {
    const FunctionFigures& figures = rows[first + static_cast<std::size_t>(i)];
    const int row = area.top + 1 + i;
    put_share(screen, row, ends[0] - 6, share(figures.own_hold, wall), Ink::holding);
    put_share(screen, row, ends[0], share(figures.total_hold, wall), Ink::holding);
    put_share(screen, row, ends[1] - 6, share(figures.own_blame, waiting), Ink::waiting);
    put_share(screen, row, ends[1], share(figures.total_blame, waiting), Ink::waiting);
    put_share(screen, row, ends[2] - 6, share(figures.own_cpu, wall), Ink::running);
    put_share(screen, row, ends[2], share(figures.total_cpu, wall), Ink::running);
    const int columns = screen.size().columns;
    const int column =
        screen.put_short(row, names, function_name(figures.function), columns - names);
    screen.put_short(row, column + 1, place_of(figures.file, figures.line), columns - column - 1,
                     {.dim = true});
  }
  if (rows.empty()) screen.put(area.top + 1, 1, "no stacks sampled yet", {.dim = true});
}

void put_blame(Screen& screen, Area area, const State& state) {
  const Profile& profile = state.view.profile;
  if (area.rows < 2) return;
  const auto blame = blame_by_function(profile);
  const double waiting = all_waiting(profile);
  const int room = area.rows - 1;
  const std::size_t first = first_line(state.controls, blame.size(), room);
  const std::size_t count = std::min(blame.size() - first, static_cast<std::size_t>(room));

  std::vector<std::string> waiters{"waiter"};
  std::vector<std::string> holders{"waited for"};
  waiters.reserve(count + 1);
  holders.reserve(count + 1);
  for (const FunctionBlame& row : std::span{blame}.subspan(first, count)) {
    waiters.push_back(terminal_text(label_of(profile, row.waiter)));
    holders.push_back(row.holder == no_thread ? "(nobody held it)"
                                              : terminal_text(label_of(profile, row.holder)));
  }
  const int columns = screen.size().columns;
  const int most = std::clamp((columns - 18) / 3, 8, most_name);
  const int waiter_width = widest(waiters, most);
  const int holder_width = widest(holders, most);
  const int time_end = waiter_width + 2 + 9;
  const int share_end = time_end + 7;
  const int holder_at = share_end + 2;
  const int function_at = holder_at + holder_width + 2;
  screen.put(area.top, 1, waiters[0], {.bold = true});
  screen.put_right(area.top, time_end, "time", {.bold = true});
  screen.put_right(area.top, share_end, "of all", {.bold = true});
  screen.put(area.top, holder_at, holders[0], {.bold = true});
  screen.put(area.top, function_at, "in function", {.bold = true});
  for (std::size_t i = 0; i < count; ++i) {
    const FunctionBlame& entry = blame[first + i];
    const int row = area.top + 1 + static_cast<int>(i);
    screen.put(row, 1, shortened_inside(waiters[i + 1], waiter_width));
    screen.put_right(row, time_end, human(entry.time), {.ink = Ink::waiting});
    put_share(screen, row, share_end, share(entry.time, waiting), Ink::waiting);
    screen.put(row, holder_at, shortened_inside(holders[i + 1], holder_width),
               {.dim = entry.holder == no_thread});
    if (entry.holder == no_thread) continue;
    const int column =
        screen.put_short(row, function_at, function_name(entry.function), columns - function_at);
    screen.put_short(row, column + 1, place_of(entry.file, entry.line), columns - column - 1,
                     {.dim = true});
  }
  if (blame.empty()) screen.put(area.top + 1, 1, "nobody has waited for the GIL", {.dim = true});
}

void put_stack(Screen& screen, Area area, const State& state, const std::vector<ThreadRow>& rows) {
  if (area.rows < 2 || rows.empty()) return;
  const ThreadRow& thread = rows[selected_row(rows, state.controls.selected)];
  const int columns = screen.size().columns;
  const std::string words = thread.now != nullptr ? describe(thread.now->state) : "gone";
  const int column = screen.put_short(area.top, 1, thread.name, columns / 2, {.bold = true});
  screen.put_short(area.top, column, fmt::format(" ({}): {}", thread.tid.value, words),
                   columns - column, {.ink = ink_of(thread.activity)});
  if (thread.now == nullptr || !thread.now->stack || state.view.profile.tables == nullptr) {
    screen.put(area.top + 1, 1, "no Python stack of it was sampled", {.dim = true});
    return;
  }
  const Tables& tables = *state.view.profile.tables;
  auto frames = tables.frames(*thread.now->stack);
  std::ranges::reverse(frames);
  const int room = area.rows - 1;
  const std::size_t first = first_line(state.controls, frames.size(), room);
  for (int i = 0; i < room && first + static_cast<std::size_t>(i) < frames.size(); ++i) {
    const auto& frame = frames[first + static_cast<std::size_t>(i)];
    const int row = area.top + 1 + i;
    const int end = screen.put_short(row, 3, function_name(tables.function_of(frame)), columns - 3);
    const std::string file = terminal_text(tables.file_of(frame));
    const std::string whole = frame.line != 0 ? fmt::format("{}:{}", file, frame.line) : file;
    const bool fits = static_cast<int>(display_width(whole)) <= columns - end - 1;
    screen.put_short(row, end + 1, fits ? whole : place_of(tables.file_of(frame), frame.line),
                     columns - end - 1, {.dim = true});
  }
  if (frames.empty()) screen.put(area.top + 1, 1, "it runs no Python code now", {.dim = true});
}

void put_lower_pane(Screen& screen, Area area, const State& state,
                    const std::vector<ThreadRow>& rows) {
  if (area.rows <= 0) return;
  screen.put(area.top, 0, std::string(static_cast<std::size_t>(screen.size().columns), ' '),
             {.reverse = true});
  int column = 0;
  for (std::size_t i = 0; i < pane_count; ++i) {
    const bool chosen = i == static_cast<std::size_t>(state.controls.pane);
    column = screen.put(area.top, column, fmt::format(" {} ", tabs[i]),
                        {.bold = chosen, .reverse = !chosen});
  }
  const Area below{area.top + 1, area.rows - 1};
  switch (state.controls.pane) {
    case Pane::functions: put_functions(screen, below, state); break;
    case Pane::blame: put_blame(screen, below, state); break;
    case Pane::stack: put_stack(screen, below, state, rows); break;
  }
}

}  // namespace gilspy::top
