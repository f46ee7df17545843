#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "gilspy/base/failure.h"
#include "gilspy/profile/selection.h"
#include "output.h"
#include "recordings.h"

namespace gilspy {
namespace {

struct ReportOptions {
  std::string file;
  std::optional<double> from;
  std::optional<double> to;
  std::vector<std::string> threads;
  std::vector<std::string> states;
  OutputOptions output;
};

Duration seconds(double value) { return Duration{std::llround(value * 1e9)}; }

TimeRange range_of(const ReportOptions& options) {
  TimeRange range;
  if (options.from) range.from = seconds(*options.from);
  if (options.to) range.to = seconds(*options.to);
  if (range.to && *range.to <= range.from) {
    throw Failure(ExitCode::usage, "--to has to be later than --from");
  }
  return range;
}

Selection selection_of(const ReportOptions& options) {
  Selection selection;
  selection.threads = options.threads;
  for (const std::string& word : options.states) {
    if (add_states(selection, word)) continue;
    throw Failure(ExitCode::usage,
                  fmt::format("unknown state '{}'; there are: holding, holding-running, "
                              "holding-blocked, waiting, running, blocked, runnable, unknown",
                              word));
  }
  return selection;
}

/// A thread that is asked for and not there is a mistake, not an empty answer.
void check_threads(const Profile& profile, const ReportOptions& options) {
  for (const std::string& wanted : options.threads) {
    const Selection one{{wanted}};
    bool found = false;
    std::string names;
    for (const ThreadProfile& thread : profile.threads) {
      found = found || is_selected(one, thread);
      names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", thread.name, thread.tid.value);
    }
    if (found) continue;
    throw Failure(ExitCode::usage, fmt::format("no thread '{}'; there are: {}", wanted, names));
  }
}

int report(const ReportOptions& options) {
  check_output(options.output);
  const Selection selection = selection_of(options);
  Profile profile = read_recording(options.file, range_of(options));
  check_threads(profile, options);
  write_output(select(std::move(profile), selection), options.output);
  return 0;
}

}  // namespace

void add_report(CLI::App& app, int& status) {
  constexpr double most_seconds = 1e9;  // some thirty years
  auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand("report", "make any output from a recording");
  command->add_option("recording", options->file, "a .gilspy file")->required();
  command
      ->add_option("--from", options->from,
                   "leave out what came before, in seconds since the start")
      ->check(CLI::Range(0.0, most_seconds));
  command->add_option("--to", options->to, "leave out what came after, in seconds since the start")
      ->check(CLI::Range(0.0, most_seconds));
  command
      ->add_option("--thread", options->threads,
                   "only threads of this name or tid; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--state", options->states,
                   "only time in this state: holding, holding-running, holding-blocked, waiting, "
                   "running, blocked, runnable, unknown; may be repeated")
      ->allow_extra_args(false);
  add_output_options(*command, options->output);
  command->callback([options, &status] { status = report(*options); });
}

}  // namespace gilspy
