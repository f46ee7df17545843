#include <fmt/format.h>
#include <signal.h>

#include <memory>

#include "commands.h"
#include "find_target.h"
#include "gilspy/base/failure.h"
#include "gilspy/os/child.h"
#include "launched.h"
#include "progress.h"
#include "session.h"
#include "signals.h"

namespace gilspy {
namespace {

struct RecordOptions {
  std::vector<std::string> command;
  SessionOptions session;
};

/// One launched program, from start to end.
class Recorder {
 public:
  Recorder(const RecordOptions& options, SampleSink& sink)
      : options_(options.session),
        // The program has this terminal too.
        progress_(sink, progress_place(options.session, TerminalLine::Place::bottom_row)),
        child_(Child::start(options.command)),
        signals_({SIGINT, SIGQUIT, SIGTERM, SIGHUP}) {
    watches_ = {
        {signals_.fd(), [this] { return pass_signals_on(); }},
        {child_.pidfd(), [] { return std::optional{EndReason::target_ended}; }},
    };
  }

  /// Samples until the program ends or the duration is over.
  void sample() {
    RunOptions run = run_options(options_);
    const auto whole = run.duration;
    while (auto found = wait_for_python(child_.pid(), watches_, why_)) {
      if (found->process.pid() != child_.pid()) {
        say(options_, fmt::format("sampling its child process {}", found->process.pid().value));
      }
      // The duration counts from the first Python on, not from the launch.
      if (!first_sample_) first_sample_ = now();
      if (whole) run.duration = std::max(Duration{}, *whole - (now() - *first_sample_));
      const EndReason reason =
          sample_target(found->process, found->target, progress_, interner_, run, watches_);
      progress_.hide();
      if (reason == EndReason::requested) return;
      // Whether the program itself has ended, its pidfd says; a process in the middle of an exec
      // looks the same from here.
    }
  }

  /// Waits for the program's end, still passing signals on.
  int finish() {
    while (!child_.try_wait())
      static_cast<void>(wait_until(now() + std::chrono::hours{1}, watches_));
    return child_.wait();
  }

  [[nodiscard]] const std::string& why_no_python() const { return why_; }

 private:
  /// SIGINT and SIGQUIT from a terminal reach the program by themselves, as it is in the same
  /// process group; what was sent to gilspy alone is passed on, so that a supervisor ends the
  /// program too.
  std::optional<EndReason> pass_signals_on() {
    while (const auto signal = signals_.take()) {
      if (*signal == SIGTERM || *signal == SIGHUP) child_.send_signal(*signal);
    }
    return std::nullopt;
  }

  const SessionOptions& options_;
  ProgressDisplay progress_;
  Interner interner_{progress_};
  Child child_;
  SignalQueue signals_;
  std::vector<Watch> watches_;
  std::optional<Time> first_sample_;
  std::string why_ = "it ended at once";
};

int record(const RecordOptions& options) {
  check_session(options.session);
  SessionRecording recording{options.session};
  Recorder recorder{options, recording.sink()};
  recorder.sample();
  const bool sampled = recording.report(options.session);
  const int status = recorder.finish();
  if (!sampled) {
    fmt::print(stderr, "gilspy: '{}' gave no sample: {}\n", options.command[0],
               recorder.why_no_python());
  }
  return status;
}

}  // namespace

void add_record(CLI::App& app, int& status) {
  auto options = std::make_shared<RecordOptions>();
  CLI::App* command = app.add_subcommand("record", "launch a program and sample it to its end");
  add_session_options(*command, options->session);
  command->add_option("command", options->command, "the program and its arguments, after --")
      ->required();
  command->callback([options, &status] { status = record(*options); });
}

}  // namespace gilspy
