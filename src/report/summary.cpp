#include "gilspy/report/summary.h"

#include <ostream>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "gilspy/base/text.h"
#include "gilspy/profile/blame.h"
#include "process_figures.h"
#include "text_table.h"
#include "thread_table.h"

namespace gilspy {
namespace {

constexpr std::size_t most_blockers = 5;
constexpr std::size_t most_notes = 20;
constexpr std::size_t widest_place = 60;
constexpr std::size_t widest_note = 160;

/// Writes lines, with colours where they are wanted.
class Page {
 public:
  Page(std::ostream& out, bool color) : out_(out), color_(color) {}

  void line(std::string_view text) { out_ << text << '\n'; }
  void styled(std::string_view sgr, std::string_view text) {
    if (color_) {
      out_ << "\x1b[" << sgr << 'm' << text << "\x1b[0m\n";
    } else {
      line(text);
    }
  }
  void heading(std::string_view text) {
    line("");
    styled("1", text);
  }

 private:
  std::ostream& out_;
  bool color_;
};

/// Bold, in the colour of a traffic light.
std::string_view style_of(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::gil_bound: return "1;31";
    case VerdictKind::not_gil_bound: return "1;32";
    case VerdictKind::insufficient_data: return "1;33";
  }
  return "1";
}

std::string place_of(const FunctionBlame& row) {
  if (row.function.empty() && row.file.empty()) return "(no stack sampled)";
  const std::string file = terminal_text(basename_of(row.file));
  const std::string line = row.line != 0 ? fmt::format(":{}", row.line) : "";
  const std::string native = row.native.empty() ? "" : " > " + terminal_text(row.native);
  return shortened(fmt::format("{}{} {}{}", file, line, terminal_text(row.function), native),
                   widest_place);
}

std::string cost_of(Duration time, double all) {
  return fmt::format("kept others waiting {} ({:.0f} % of all waiting)", human(time),
                     100 * to_seconds(time) / all);
}

void blockers(const Profile& profile, Page& page) {
  const auto rows = worst_blockers(profile);
  const Duration hand_over = hand_over_wait(profile);
  double all = to_seconds(hand_over);
  for (const FunctionBlame& row : rows) all += to_seconds(row.time);
  if (all <= 0) return;

  page.heading("Worst blockers");
  TextTable table;
  table.column("", TextTable::Align::left);
  table.column("", TextTable::Align::left);
  for (std::size_t i = 0; i < rows.size() && i < most_blockers; ++i) {
    table.row({place_of(rows[i]), cost_of(rows[i].time, all)});
  }
  if (to_seconds(hand_over) >= 0.0005 * all) {
    table.row({"(nobody held it, or unknown)", cost_of(hand_over, all)});
  }
  const auto lines = table.lines();
  // The first line is that of the headings, and this table has none.
  for (std::size_t i = 1; i < lines.size(); ++i) page.line("  " + lines[i]);
}

void notes(const Profile& profile, Page& page) {
  if (profile.notes.empty()) return;
  page.heading("Notes");
  for (std::size_t i = 0; i < profile.notes.size(); ++i) {
    if (i == most_notes) {
      page.line(fmt::format("  and {} more", profile.notes.size() - i));
      break;
    }
    const Noted& note = profile.notes[i];
    page.line(fmt::format("  +{:.2f} s  {}", to_seconds(note.at - profile.begin),
                          shortened(terminal_text(note.text), widest_note)));
  }
}

class SummaryExporter : public Exporter {
 public:
  void write(const Profile& profile, const ExportOptions& options,
             std::ostream& out) const override {
    Page page{out, options.color};
    page.styled(style_of(profile.verdict.kind), terminal_text(profile.verdict.text));
    page.line("");
    for (const std::string& line : process_lines(profile)) page.line(line);
    for (const std::string& line : gil_lines(profile)) page.line(line);
    if (!profile.threads.empty()) {
      page.heading("Threads, in per cent of each one's own time");
      for (const std::string& line : thread_lines(profile)) page.line("  " + line);
    }
    blockers(profile, page);
    notes(profile, page);
    page.line("");
    page.line(sampling_cost_line(profile));
  }
};

}  // namespace

const Exporter& summary_exporter() {
  static const SummaryExporter exporter;
  return exporter;
}

}  // namespace gilspy
