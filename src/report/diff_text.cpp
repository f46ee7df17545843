#include <algorithm>
#include <cmath>
#include <ostream>
#include <ranges>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "gilspy/base/text.h"
#include "gilspy/report/diff.h"
#include "text_table.h"

namespace gilspy {
namespace {

constexpr std::size_t most_threads = 20;
constexpr std::size_t most_functions = 15;
constexpr std::size_t widest_name = 50;
constexpr std::size_t widest_command = 100;
/// Below this share of the run a change is not worth a line.
constexpr double least_change = 0.001;

std::string value_text(FigureUnit unit, const std::optional<double>& value) {
  if (!value) return "-";
  switch (unit) {
    case FigureUnit::share: return percent(*value);
    case FigureUnit::seconds: return human(Duration{std::llround(*value * 1e9)});
    case FigureUnit::per_second: return fmt::format("{:.0f}/s", *value);
    case FigureUnit::times: return fmt::format("{:.2f}", *value);
  }
  return "";
}

std::string change_text(FigureUnit unit, const Change& change) {
  const auto difference = change.difference();
  if (!difference) return "";
  switch (unit) {
    case FigureUnit::share: return fmt::format("{:+.1f} points", *difference * 100);
    case FigureUnit::seconds:
      return (*difference < 0 ? "-" : "+") +
             human(Duration{std::llround(std::abs(*difference) * 1e9)});
    case FigureUnit::per_second: return fmt::format("{:+.0f}/s", *difference);
    case FigureUnit::times: return fmt::format("{:+.2f}", *difference);
  }
  return "";
}

std::vector<std::string> cells_of(const Change& change) {
  return {value_text(FigureUnit::share, change.a), value_text(FigureUnit::share, change.b),
          change_text(FigureUnit::share, change)};
}

Change sum(const Change& x, const Change& y) {
  return {x.a.value_or(0) + y.a.value_or(0), x.b.value_or(0) + y.b.value_or(0)};
}

double size_of(const Change& change) { return std::abs(change.difference().value_or(0)); }

void put(std::ostream& out, const TextTable& table) {
  for (const std::string& line : table.lines()) out << "  " << line << '\n';
}

void put_side(std::ostream& out, std::string_view letter, const DiffSide& side) {
  const ProcessStarted& process = side.profile.process;
  out << fmt::format("{}  {}: {}, Python {}: {}\n", letter, terminal_text(side.name),
                     human(side.profile.wall()), terminal_text(process.python),
                     shortened(terminal_text(process.command), widest_command));
}

void put_figures(std::ostream& out, const Comparison& comparison) {
  TextTable table;
  table.column("", TextTable::Align::left);
  for (const char* heading : {"A", "B", "change"}) table.column(heading, TextTable::Align::right);
  for (const FigureChange& row : comparison.figures) {
    table.row({std::string(row.label), value_text(row.unit, row.value.a),
               value_text(row.unit, row.value.b), change_text(row.unit, row.value)});
  }
  put(out, table);
}

/// A row per thread: what it held and what it waited, in per cent of the run.
void put_threads(std::ostream& out, const Comparison& comparison) {
  struct Row {
    const ThreadChange* thread;
    Change held;
    Change waiting;
  };
  std::vector<Row> rows;
  for (const ThreadChange& thread : comparison.threads) {
    const auto in = [&](Activity activity) {
      return thread.shares.at(static_cast<std::size_t>(activity));
    };
    rows.push_back({&thread, sum(in(Activity::holding_running), in(Activity::holding_blocked)),
                    in(Activity::waiting)});
  }
  std::ranges::stable_sort(rows, std::ranges::greater{},
                           [](const Row& row) { return size_of(row.held) + size_of(row.waiting); });
  TextTable table;
  table.column("thread", TextTable::Align::left);
  for (const char* heading : {"held A", "B", "change", "waiting A", "B", "change"}) {
    table.column(heading, TextTable::Align::right);
  }
  for (const Row& row : rows | std::views::take(most_threads)) {
    const std::size_t count = std::max(row.thread->threads_a, row.thread->threads_b);
    const std::string times = count > 1 ? fmt::format(" ({} threads)", count) : "";
    std::vector<std::string> cells{shortened(terminal_text(row.thread->name), widest_name) + times};
    for (const Change& change : {row.held, row.waiting}) {
      for (std::string& cell : cells_of(change)) cells.push_back(std::move(cell));
    }
    table.row(std::move(cells));
  }
  out << "\nThreads, in per cent of the run\n";
  put(out, table);
  if (rows.size() > most_threads) out << fmt::format("  and {} more\n", rows.size() - most_threads);
}

void put_functions(std::ostream& out, const Comparison& comparison, Weight weight) {
  const auto index = static_cast<std::size_t>(weight);
  std::vector<const FunctionChange*> rows;
  for (const FunctionChange& row : comparison.functions) {
    if (size_of(row.self.at(index)) >= least_change) rows.push_back(&row);
  }
  std::ranges::stable_sort(rows, std::ranges::greater{},
                           [&](const FunctionChange* row) { return size_of(row->self.at(index)); });
  out << fmt::format("\nFunctions that changed most by {}, in per cent of the run\n",
                     name_of(weight));
  if (rows.empty()) {
    out << "  none changed by 0.1 point or more\n";
    return;
  }
  TextTable table;
  table.column("on top of the stack", TextTable::Align::left);
  for (const char* heading : {"A", "B", "change"}) table.column(heading, TextTable::Align::right);
  for (const FunctionChange* row : rows | std::views::take(most_functions)) {
    const std::string place =
        fmt::format("{} ({})", terminal_text(row->function), terminal_text(row->file));
    std::vector<std::string> cells{shortened(place, widest_name)};
    for (std::string& cell : cells_of(row->self.at(index))) cells.push_back(std::move(cell));
    table.row(std::move(cells));
  }
  put(out, table);
}

}  // namespace

void write_diff_text(const DiffSide& a, const DiffSide& b, Weight weight, std::ostream& out) {
  const Comparison comparison = compare(a.profile, b.profile);
  put_side(out, "A", a);
  put_side(out, "B", b);
  for (const std::string& note : comparison.notes) out << "   " << note << '\n';
  out << '\n';
  put_figures(out, comparison);
  put_threads(out, comparison);
  if (!comparison.functions.empty()) put_functions(out, comparison, weight);
  out << "\nTwo runs of one program differ as well: compare several before you believe a small "
         "change.\n";
}

}  // namespace gilspy
