#include "gilspy/top/render.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "gilspy/base/text.h"
#include "panes.h"

namespace gilspy::top {
namespace {

/// What the lower pane keeps when there are more threads than fit: its tabs, headings and some
/// rows.
constexpr int least_lower_pane = 8;
constexpr int text_pane_rows = 12;

/// The most needed first: what does not fit is left out.
constexpr std::array<std::string_view, 10> keys{
    "q quit",      "h help",      "Enter stack",   "/ filter",       "<> sort",
    "1 2 3 panes", "Space pause", "w since start", "r reset window", "p record"};

struct Plan {
  Area header;
  Area threads;
  Area lower;
  int last_row = 0;
};

Plan plan_for(const State& state, std::size_t thread_count, Size size) {
  Plan plan;
  plan.last_row = size.rows - 1;
  plan.header = {0, std::min(header_height(state, size.columns), plan.last_row)};
  const int left = plan.last_row - plan.header.rows;
  const int wanted = 1 + static_cast<int>(std::clamp<std::size_t>(thread_count, 1, 10'000));
  // Half of the room at least is for threads, and all that they do not need for the lower pane.
  const int most = std::max(left - std::max(least_lower_pane, left * 2 / 5), left / 2);
  plan.threads = {plan.header.rows, std::min(wanted, most)};
  const int used = plan.header.rows + plan.threads.rows;
  plan.lower = {used, plan.last_row - used};
  return plan;
}

void put_last_row(Screen& screen, int row, const State& state) {
  if (state.controls.filtering) {
    screen.put(row, 0, "filter: " + terminal_text(state.controls.filter) + "_", {.bold = true});
  } else if (!state.note.empty()) {
    screen.put_short(row, 0, terminal_text(state.note), screen.size().columns, {.bold = true});
  } else if (!state.ended.empty()) {
    screen.put_short(row, 0, "q quits; " + terminal_text(state.ended), screen.size().columns,
                     {.bold = true});
  } else if (!state.controls.filter.empty()) {
    screen.put_short(row, 0,
                     fmt::format("threads with \"{}\"; / and Esc shows all",
                                 terminal_text(state.controls.filter)),
                     screen.size().columns, {.bold = true});
  } else {
    int column = 0;
    for (const std::string_view key : keys) {
      if (column + static_cast<int>(key.size()) > screen.size().columns) break;
      column = screen.put(row, column, key, {.dim = true}) + 3;
    }
  }
}

/// What a terminal without UTF-8 cannot show becomes "?".
void keep_ascii(Screen& screen) {
  for (int row = 0; row < screen.size().rows; ++row) {
    for (int column = 0; column < screen.size().columns; ++column) {
      const Cell& cell = screen.at(row, column);
      const bool ascii = std::ranges::all_of(
          cell.text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
      if (!ascii || cell.text.empty()) screen.put(row, column, "?", cell.style);
    }
  }
}

void append_text(std::string& text, const Screen& screen) {
  auto lines = lines_of(screen);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  for (const std::string& line : lines) text += line + '\n';
}

}  // namespace

Screen render(const State& state, Size size) {
  Screen screen{size};
  const auto rows = thread_rows(state);
  const Plan plan = plan_for(state, rows.size(), screen.size());
  put_header(screen, plan.header, state);
  if (state.controls.help) {
    put_help(screen, {plan.header.rows, plan.last_row - plan.header.rows}, state.look);
  } else {
    put_threads(screen, plan.threads, state, rows);
    put_lower_pane(screen, plan.lower, state, rows);
  }
  put_last_row(screen, plan.last_row, state);
  if (!state.look.unicode) keep_ascii(screen);
  return screen;
}

std::string render_text(const State& state, int columns) {
  std::string text;
  const auto rows = thread_rows(state);
  const auto part = [&](int height, auto put) {
    Screen screen{{columns, height}};
    put(screen, Area{0, height});
    if (!state.look.unicode) keep_ascii(screen);
    if (!text.empty()) text += '\n';
    append_text(text, screen);
  };
  part(header_height(state, columns),
       [&](Screen& screen, Area area) { put_header(screen, area, state); });
  part(static_cast<int>(rows.size()) + 1,
       [&](Screen& screen, Area area) { put_threads(screen, area, state, rows); });
  part(text_pane_rows, [&](Screen& screen, Area area) { put_functions(screen, area, state); });
  part(text_pane_rows, [&](Screen& screen, Area area) { put_blame(screen, area, state); });
  return text;
}

}  // namespace gilspy::top
