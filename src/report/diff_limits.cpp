#include "diff_limits.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "gilspy/base/text.h"
#include "gilspy/report/diff.h"

namespace gilspy {
namespace {

/// A rate so many times as high sees holds and waits that the other cannot.
constexpr double rates_differ = 1.5;
/// What happens once (start, imports) weighs so much less in a run so many times as long.
constexpr double lengths_differ = 5;
/// Of the time of two runs of one program more than this goes into functions that both have.
constexpr double least_in_common = 0.05;

double ratio(double a, double b) { return a > 0 && b > 0 ? std::max(a / b, b / a) : 1; }

double ticks_per_second(const Profile& profile) {
  const double wall = to_seconds(profile.wall());
  return wall > 0 ? static_cast<double>(profile.progress.ticks) / wall : 0;
}

/// All of a run's time by the function on top of the stack.
std::map<FunctionName, double> time_by_function(const Profile& profile) {
  std::map<FunctionName, double> times;
  for (const StackWeight& row : profile.stacks_by(Weight::wall)) {
    if (row.stack == empty_stack) continue;
    const auto node = profile.tables->stack(row.stack);
    times[name_of_code(*profile.tables, node.code)] += to_seconds(row.time);
  }
  return times;
}

/// The share of a run's time that was spent in functions that the other has as well.
double common_share(const std::map<FunctionName, double>& run,
                    const std::map<FunctionName, double>& other) {
  double all = 0;
  double common = 0;
  for (const auto& [name, time] : run) {
    all += time;
    if (other.contains(name)) common += time;
  }
  return all > 0 ? common / all : 0;
}

/// Any two programs import and wait in the standard library; more than that says that it is one
/// program, perhaps rewritten.
bool is_one_program(const Profile& a, const Profile& b) {
  const std::array runs{time_by_function(a), time_by_function(b)};
  if (runs[0].empty() || runs[1].empty()) return true;  // no stacks were sampled: nothing says no
  return common_share(runs[0], runs[1]) >= least_in_common ||
         common_share(runs[1], runs[0]) >= least_in_common;
}

}  // namespace

FunctionName name_of_code(const Tables& tables, CodeId id) {
  const Tables::Code code = tables.code(id);
  return {std::string(tables.string(code.function)),
          std::string(basename_of(tables.string(code.file)))};
}

bool same_rates(const Profile& a, const Profile& b) {
  return ratio(ticks_per_second(a), ticks_per_second(b)) < rates_differ;
}

std::vector<std::string> notes_on(const Profile& a, const Profile& b) {
  std::vector<std::string> notes;
  const ProcessStarted& ours = a.process;
  const ProcessStarted& theirs = b.process;
  if (ours.command != theirs.command) notes.emplace_back("The command lines differ.");
  if (ours.python != theirs.python) {
    notes.push_back(fmt::format("Python {} against {}.", terminal_text(ours.python),
                                terminal_text(theirs.python)));
  }
  if (a.gils.empty() != b.gils.empty()) {
    notes.push_back(
        fmt::format("{} ran without a GIL: it has no figures of one.", a.gils.empty() ? "A" : "B"));
  }
  if (ours.cores != theirs.cores) {
    notes.push_back(fmt::format("{} cores against {}: the potential is not compared.", ours.cores,
                                theirs.cores));
  }
  if (ours.switch_interval != theirs.switch_interval) {
    notes.push_back(fmt::format(
        "The switch intervals differ ({} and {}): waits and hand-offs follow from them, and forced "
        "hand-offs are not compared.",
        human(ours.switch_interval), human(theirs.switch_interval)));
  }
  if (!same_rates(a, b)) {
    notes.push_back(fmt::format(
        "Looked at {:.0f} and {:.0f} times a second: the longest hold and wait are not compared.",
        ticks_per_second(a), ticks_per_second(b)));
  }
  if (ratio(to_seconds(a.wall()), to_seconds(b.wall())) > lengths_differ) {
    notes.emplace_back("One run is far longer: start and imports weigh less in it.");
  }
  if (a.progress.stacks == 0 || b.progress.stacks == 0) {
    notes.emplace_back("Without stacks in both, functions are not compared.");
  }
  return notes;
}

std::string why_incomparable(const Profile& a, const Profile& b) {
  for (const auto& [name, run] : {std::pair{"A", &a}, std::pair{"B", &b}}) {
    if (run->verdict.kind == VerdictKind::insufficient_data) {
      return fmt::format("{} says too little. {}", name, run->verdict.text);
    }
  }
  if (!is_one_program(a, b)) {
    return fmt::format(
        "less than {:.0f} % of the time of either went into functions that the other has: these "
        "are two different programs",
        least_in_common * 100);
  }
  return "";
}

}  // namespace gilspy
