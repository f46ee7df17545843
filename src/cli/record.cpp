#include <fmt/format.h>
#include <signal.h>

#include <memory>

#include "commands.h"
#include "find_target.h"
#include "gilspy/base/failure.h"
#include "gilspy/os/child.h"
#include "gilspy/os/process_memory.h"
#include "progress.h"
#include "session.h"
#include "signals.h"

namespace gilspy {
namespace {

struct RecordOptions {
  std::vector<std::string> command;
  SessionOptions session;
};

/// How soon a program that is not (yet) a Python is looked at again, by how long it has run: an
/// interpreter is ready after 10-30 ms, and a short program may be over by then.
Duration look_again_after(Duration age) {
  if (age < std::chrono::milliseconds{500}) return std::chrono::milliseconds{1};
  if (age < std::chrono::seconds{5}) return std::chrono::milliseconds{10};
  return std::chrono::milliseconds{100};
}

/// A wrapper (uv run, a shell) has its Python as a child; children are looked for less often.
constexpr Duration children_after = std::chrono::milliseconds{200};

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
    while (auto found = wait_for_python()) {
      // The duration counts from the first Python on, not from the launch.
      if (!first_sample_) first_sample_ = now();
      if (whole) run.duration = std::max(Duration{}, *whole - (now() - *first_sample_));
      const EndReason reason =
          sample_target(found->process, found->target, progress_, run, watches_);
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

  /// Nothing when the program ended without (another) Python.
  std::optional<FoundTarget> wait_for_python() {
    const Time start = now();
    Time children_looked_at = start;
    while (true) {
      if (wait_until(now() + look_again_after(now() - start), watches_)) return std::nullopt;
      if (auto found = look(child_.pid())) return found;
      if (now() - children_looked_at > children_after) {
        children_looked_at = now();
        if (auto found = python_child_of(child_.pid())) {
          say(options_, fmt::format("sampling its child process {}", found->process.pid().value));
          return found;
        }
      }
    }
  }

  std::optional<FoundTarget> look(Pid pid) {
    auto process = ProcDir::open(pid);
    if (!process) return std::nullopt;
    ProcessMemory memory{pid};
    auto target = locate_python(*process, memory);
    if (target) return FoundTarget{std::move(*process), std::move(*target)};
    if (target.error().kind != LocateFailure::Kind::gone) why_ = target.error().what;
    return std::nullopt;
  }

  const SessionOptions& options_;
  ProgressDisplay progress_;
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
