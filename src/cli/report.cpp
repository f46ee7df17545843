#include <fmt/format.h>

#include <fstream>
#include <memory>

#include "commands.h"
#include "gilspy/base/failure.h"
#include "gilspy/profile/profile_builder.h"
#include "gilspy/recording/reader.h"
#include "output.h"

namespace gilspy {
namespace {

struct ReportOptions {
  std::string file;
  OutputOptions output;
};

int report(const ReportOptions& options) {
  check_output(options.output);
  std::ifstream recording(options.file, std::ios::binary);
  if (!recording) {
    throw Failure(ExitCode::other, fmt::format("cannot read the recording '{}'", options.file));
  }
  ProfileBuilder builder;
  ReplayResult result;
  try {
    result = replay(recording, builder);
  } catch (const Failure& failure) {
    throw Failure(failure.code(), fmt::format("'{}': {}", options.file, failure.what()));
  }
  if (!result.whole) {
    fmt::print(stderr, "gilspy: '{}' is not whole ({}); reporting what is there\n", options.file,
               result.problem);
  }
  write_output(builder.profile(), options.output);
  return 0;
}

}  // namespace

void add_report(CLI::App& app, int& status) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* command = app.add_subcommand("report", "make any output from a recording");
  command->add_option("recording", options->file, "a .gilspy file")->required();
  add_output_options(*command, options->output);
  command->callback([options, &status] { status = report(*options); });
}

}  // namespace gilspy
