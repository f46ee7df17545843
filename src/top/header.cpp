#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "gilspy/base/text.h"
#include "gilspy/profile/blame.h"
#include "marks.h"
#include "panes.h"

namespace gilspy::top {
namespace {

constexpr int label_width = 10;
constexpr int percent_width = 8;
constexpr int most_verdict_lines = 3;

double share_of_wall(const Profile& profile, Duration time) {
  const double wall = to_seconds(profile.wall());
  return wall > 0 ? to_seconds(time) / wall : 0;
}

/// Of several GILs the one that is waited for most; null when there is none.
const GilProfile* shown_gil(const Profile& profile) {
  const auto found = std::ranges::max_element(
      profile.gils, {}, [](const GilProfile& gil) { return std::pair{gil.wait, gil.held}; });
  return found != profile.gils.end() ? &*found : nullptr;
}

/// Breaks at spaces into lines of at most `width` columns; a longer word is cut.
std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines{""};
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string word = shortened(text.substr(0, space), width);
    text.remove_prefix(std::min(space + 1, text.size()));
    const std::size_t used = display_width(lines.back());
    if (used > 0 && used + 1 + display_width(word) > width) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

std::string verdict_text(const State& state) {
  if (state.view.profile.process.pid == Pid{}) {
    return fmt::format("Waiting for Python to start in: {}", terminal_text(state.command));
  }
  return terminal_text(state.view.profile.verdict.text);
}

Style verdict_style(const State& state) {
  switch (state.view.profile.verdict.kind) {
    case VerdictKind::gil_bound: return {.ink = Ink::bad, .bold = true};
    case VerdictKind::not_gil_bound: return {.ink = Ink::good, .bold = true};
    case VerdictKind::insufficient_data: break;
  }
  return {.ink = Ink::doubtful};
}

/// In fewer words where the columns are few.
std::string blocker_text(const Profile& profile, int columns) {
  const auto rows = worst_blockers(profile);
  const auto named =
      std::ranges::find_if(rows, [](const FunctionBlame& row) { return !row.function.empty(); });
  if (named == rows.end()) return "Worst blocker: none, nobody waited";
  double all = to_seconds(hand_over_wait(profile));
  for (const FunctionBlame& row : rows) all += to_seconds(row.time);
  const std::string place = place_of(named->file, named->line);
  const std::string where = terminal_text(named->function) + (place.empty() ? "" : " in " + place);
  const std::string time = human(named->time);
  const double share = all > 0 ? 100 * to_seconds(named->time) / all : 0;
  std::string words = fmt::format(
      "Worst blocker: {} kept others waiting {} ({:.0f} % of all waiting)", where, time, share);
  if (static_cast<int>(display_width(words)) <= columns) return words;
  return fmt::format("Worst: {}, others waited {} ({:.0f} %)", where, time, share);
}

std::string reach_text(const State& state) {
  const std::string length = human(state.view.profile.wall());
  return state.controls.reach == Reach::window ? "last " + length : "since start, " + length;
}

/// A command line with the program's name in place of its path.
std::string short_command(std::string_view command) {
  const std::size_t space = std::min(command.find(' '), command.size());
  return terminal_text(basename_of(command.substr(0, space))) +
         terminal_text(command.substr(space));
}

void put_title(Screen& screen, int row, const State& state) {
  const Profile& profile = state.view.profile;
  const int columns = screen.size().columns;
  screen.put(row, 0, std::string(static_cast<std::size_t>(columns), ' '), {.reverse = true});
  std::string facts;
  if (profile.process.pid != Pid{}) {
    facts = fmt::format(" pid {}  Python {}{}", profile.process.pid.value,
                        terminal_text(profile.process.python),
                        profile.process.free_threaded ? "t" : "");
    if (state.view.uptime) facts += fmt::format("  up {}", human(*state.view.uptime));
    facts += fmt::format("  {} ", reach_text(state));
  }
  if (state.controls.paused) facts += " PAUSED ";
  if (!state.ended.empty()) facts += " ENDED ";
  const int room = columns - static_cast<int>(display_width(facts));
  const std::string& command =
      profile.process.command.empty() ? state.command : profile.process.command;
  screen.put_short(row, 1, short_command(command), room - 1, {.bold = true, .reverse = true});
  screen.put(row, std::max(room, 0), facts, {.reverse = true});
}

void put_share(Screen& screen, int row, std::string_view label, double share,
               const std::vector<double>& history, Ink ink, Look look) {
  const int columns = screen.size().columns;
  const int bar = std::clamp(columns / 3, 10, 50);
  screen.put(row, 0, label);
  const int bar_at = label_width;
  put_bar(screen, row, bar_at, bar, share, ink, look);
  screen.put_right(row, label_width + bar + percent_width, percent(share), {.bold = true});
  const int start = label_width + bar + percent_width + 2;
  put_sparkline(screen, row, start, std::min(columns - start - 1, 120), history, ink, look);
}

std::string handoff_text(const Profile& profile, const GilProfile& gil) {
  const double wall = to_seconds(profile.wall());
  const double rate = wall > 0 ? static_cast<double>(gil.handoffs) / wall : 0;
  return fmt::format("{:.{}f}/s", rate, rate < 10 ? 1 : 0);
}

/// "label value" pairs, as many as fit.
void put_facts(Screen& screen, int row,
               const std::vector<std::pair<std::string, std::string>>& facts) {
  int column = 0;
  for (const auto& [label, value] : facts) {
    const auto width = static_cast<int>(display_width(label) + 1 + display_width(value));
    if (column + width > screen.size().columns) return;
    column = screen.put(row, column, label + " ");
    column = screen.put(row, column, value, {.bold = true}) + 3;
  }
}

void put_gil(Screen& screen, int row, const State& state) {
  const Profile& profile = state.view.profile;
  const GilProfile* gil = shown_gil(profile);
  if (gil == nullptr) {
    const bool off = profile.process.gil_enabled == false;
    if (profile.process.pid != Pid{}) {
      screen.put(row, 0, off ? "GIL off" : "GIL not seen", {.bold = true});
    }
    return;
  }
  const auto found = state.view.gils.find(gil->id);
  const GilHistory history = found != state.view.gils.end() ? found->second : GilHistory{};
  put_share(screen, row, "held", share_of_wall(profile, gil->held), history.held, Ink::holding,
            state.look);
  put_share(screen, row + 1, "contended", share_of_wall(profile, gil->contended), history.contended,
            Ink::waiting, state.look);
  std::vector<std::pair<std::string, std::string>> facts{
      {"waiters now", std::to_string(history.waiters)},
      {"hand-offs", handoff_text(profile, *gil)},
      {"longest wait", human(gil->longest_wait)},
      {"longest hold", human(gil->longest_hold)},
  };
  if (profile.gils.size() > 1) {
    facts.insert(facts.begin(), {fmt::format("GIL 1 of {}, of interpreter", profile.gils.size()),
                                 terminal_text(gil->interpreters)});
  }
  if (const double unknown = share_of_wall(profile, gil->unknown); unknown >= 0.0005) {
    facts.emplace_back("unknown", percent(unknown));
  }
  put_facts(screen, row + 2, facts);
}

std::vector<std::string> verdict_lines(const State& state, int columns) {
  auto lines = wrapped(verdict_text(state), static_cast<std::size_t>(std::max(columns, 1)));
  if (lines.size() > most_verdict_lines) {
    lines.resize(most_verdict_lines);
    lines.back() = shortened(lines.back() + " ...", static_cast<std::size_t>(columns));
  }
  return lines;
}

}  // namespace

int header_height(const State& state, int columns) {
  return 5 + static_cast<int>(verdict_lines(state, columns).size());
}

void put_header(Screen& screen, Area area, const State& state) {
  const int end = area.top + area.rows;
  put_title(screen, area.top, state);
  if (area.rows >= 4) put_gil(screen, area.top + 1, state);
  int row = area.top + 4;
  for (const std::string& line : verdict_lines(state, screen.size().columns)) {
    if (row < end) screen.put(row++, 0, line, verdict_style(state));
  }
  if (row < end && !state.view.profile.gils.empty()) {
    screen.put_short(row, 0, blocker_text(state.view.profile, screen.size().columns),
                     screen.size().columns);
  }
}

}  // namespace gilspy::top
