#include <fmt/format.h>

#include <memory>
#include <ostream>
#include <string>

#include "commands.h"
#include "gilspy/base/failure.h"
#include "gilspy/report/diff.h"
#include "output.h"
#include "recordings.h"

namespace gilspy {
namespace {

struct DiffOptions {
  std::string a;
  std::string b;
  std::string file;    ///< empty: stdout
  std::string format;  ///< empty: guessed from `file`, else summary
  std::string weight = "hold";
};

bool wants_json(const DiffOptions& options) {
  if (options.format == "json") return true;
  if (options.format == "summary") return false;
  if (options.format.empty()) return options.file.ends_with(".json");
  throw Failure(ExitCode::usage,
                fmt::format("unknown format '{}'; there are: summary, json", options.format));
}

int diff(const DiffOptions& options) {
  const bool json = wants_json(options);
  const Weight weight = weight_for(options.weight);
  if (!options.file.empty()) check_folder_of(options.file);
  const Profile a = read_recording(options.a);
  const Profile b = read_recording(options.b);
  if (const std::string why = why_incomparable(a, b); !why.empty()) {
    throw Failure(ExitCode::other, fmt::format("cannot compare '{}' (A) with '{}' (B): {}",
                                               options.a, options.b, why));
  }
  write_to(options.file, [&](std::ostream& out) {
    const DiffSide left{options.a, a};
    const DiffSide right{options.b, b};
    if (json) {
      write_diff_json(left, right, out);
    } else {
      write_diff_text(left, right, weight, out);
    }
  });
  return 0;
}

}  // namespace

void add_diff(CLI::App& app, int& status) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* command = app.add_subcommand("diff", "compare two recordings");
  command->add_option("a", options->a, "a .gilspy file")->required();
  command->add_option("b", options->b, "another")->required();
  add_output_file(*command, options->file);
  command->add_option("-f,--format", options->format, "one of: summary, json");
  command
      ->add_option("--weight", options->weight,
                   "by what functions are compared: hold, wait, blame, cpu or wall")
      ->capture_default_str();
  command->callback([options, &status] { status = diff(*options); });
}

}  // namespace gilspy
