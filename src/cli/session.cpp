#include "session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "gilspy/base/failure.h"
#include "gilspy/os/process_memory.h"
#include "gilspy/profile/profile_builder.h"
#include "gilspy/recording/reader.h"

namespace gilspy {
namespace {

constexpr double max_rate = 1'000'000;
constexpr const char* default_rate = "1000";
constexpr const char* default_stack_rate = "100";
/// That many ticks say all that can be said of a program that does not change.
constexpr Duration default_rates_for = std::chrono::seconds{60};

/// Ticks a second; 0 stands for "max".
double parse_rate(const std::string& option, const std::string& text) {
  if (text == "max") return 0;
  double rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (error != std::errc{} || end != text.data() + text.size() || !(rate > 0) || rate > max_rate) {
    throw Failure(
        ExitCode::usage,
        fmt::format("{} takes ticks per second (above 0, up to {:.0f}) or 'max', not '{}'", option,
                    max_rate, text));
  }
  return rate;
}

/// On a disk where there is one to write to: a run of hours must not fill the memory.
UniqueFd unnamed_file() {
  const char* folder = std::getenv("TMPDIR");
  if (folder == nullptr || *folder == '\0') folder = "/var/tmp";
  UniqueFd file{::open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600)};
  if (!file) file.reset(::memfd_create("gilspy-recording", MFD_CLOEXEC));
  return file;
}

/// Of a pipe or a device nothing can be read again. It must not even be opened: that may wait.
void check_recording(const std::string& name) {
  struct stat there{};
  if (::stat(name.c_str(), &there) != 0 || S_ISREG(there.st_mode)) return;
  throw Failure(ExitCode::usage,
                fmt::format("the report is made from the recording: '{}' has to be a file", name));
}

UniqueFd open_recording(const std::string& name) {
  UniqueFd file =
      name.empty() ? unnamed_file()
                   : UniqueFd{::open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (!file) {
    throw Failure(ExitCode::other,
                  fmt::format("cannot write the recording '{}': {}", name, std::strerror(errno)));
  }
  return file;
}

}  // namespace

void add_rate_options(CLI::App& command, SessionOptions& options) {
  command
      .add_option("-r,--rate", options.rate,
                  "looks at the threads' states per second, or max; without any of these three "
                  "options fewer after a minute")
      ->default_str(default_rate);
  command.add_option("--stack-rate", options.stack_rate, "looks at the stacks per second, or max")
      ->default_str(default_stack_rate);
  command
      .add_option("--cpu-budget", options.cpu_budget,
                  "percent of a core that gilspy may use: it lowers the stacks' rate, then the "
                  "states'")
      ->check(CLI::PositiveNumber);
}

void add_session_options(CLI::App& command, SessionOptions& options) {
  add_output_options(command, options.output);
  command.add_option("-d,--duration", options.seconds, "sample for so many seconds")
      ->check(CLI::PositiveNumber);
  add_rate_options(command, options);
  command.add_flag(
      "--consistent", options.consistent,
      "stop the thread that holds the GIL while its stack is read: no stack is a guess");
  command.add_flag("--native", options.native,
                   "show the C functions among the Python ones, and threads without Python");
  command.add_flag("--exact", options.exact,
                   "have the kernel record each wait for the GIL, and each time on a CPU");
  command.add_option("--recording", options.recording,
                     "keep the recording in this file, for gilspy report");
  command.add_flag("-q,--quiet", options.quiet, "print results only");
}

void check_session(const SessionOptions& options) {
  check_output(options.output);
  static_cast<void>(run_options(options));
  if (options.recording.empty()) return;
  check_folder_of(options.recording);
  check_recording(options.recording);
}

RunOptions run_options(const SessionOptions& options) {
  RunOptions run;
  const auto rate = [](const char* option, const std::string& given, const char* otherwise) {
    return parse_rate(option, given.empty() ? otherwise : given);
  };
  run.rates.state_hz = rate("--rate", options.rate, default_rate);
  run.rates.stack_hz = rate("--stack-rate", options.stack_rate, default_stack_rate);
  if (options.rate.empty() && options.stack_rate.empty() && !options.cpu_budget) {
    run.settle_after = default_rates_for;
  }
  run.rates.consistent = options.consistent;
  if (options.cpu_budget) run.cpu_budget = *options.cpu_budget / 100;
  run.rates.native = options.native;
  run.rates.exact = options.exact;
  if (options.seconds) run.duration = Duration{static_cast<std::int64_t>(*options.seconds * 1e9)};
  return run;
}

SessionRecording::SessionRecording(const SessionOptions& options)
    : SessionRecording(options, open_recording(options.recording)) {}

SessionRecording::SessionRecording(const SessionOptions& /*options*/, UniqueFd file)
    : reader_(::fcntl(file.get(), F_DUPFD_CLOEXEC, 0)), writer_(std::move(file)) {}

bool SessionRecording::report(const SessionOptions& options) {
  writer_.flush();
  if (writer_.error() != 0) {
    throw Failure(ExitCode::other, fmt::format("the recording could not be written: {}",
                                               std::strerror(writer_.error())));
  }
  std::ifstream recording(fmt::format("/proc/self/fd/{}", reader_.get()), std::ios::binary);
  ProfileBuilder builder;
  static_cast<void>(replay(recording, builder));
  const Profile profile = builder.profile();
  if (profile.progress.ticks == 0) return false;
  write_output(profile, options.output);
  return true;
}

EndReason sample_target(const ProcDir& process, const Target& target, SampleSink& sink,
                        Interner& interner, const RunOptions& options,
                        const std::vector<Watch>& watches) {
  ProcessMemory memory{process.pid()};
  Sampler sampler{process, memory, sink, interner, target, options.rates};
  return run(sampler, options, watches);
}

TerminalLine::Place progress_place(const SessionOptions& options, TerminalLine::Place place) {
  return options.quiet ? TerminalLine::Place::none : place;
}

void say(const SessionOptions& options, const std::string& message) {
  if (!options.quiet) fmt::print(stderr, "gilspy: {}\n", message);
}

}  // namespace gilspy
