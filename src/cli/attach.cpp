#include <fmt/format.h>
#include <signal.h>

#include <memory>

#include "commands.h"
#include "find_target.h"
#include "gilspy/base/failure.h"
#include "gilspy/os/child.h"
#include "progress.h"
#include "session.h"
#include "signals.h"

namespace gilspy {
namespace {

struct AttachOptions {
  Pid pid;
  SessionOptions session;
};

/// Samples, and goes on with the next Python when the process execs one.
void sample_until_end(FoundTarget found, ProgressDisplay& sink, const SessionOptions& options) {
  SignalQueue signals{SIGINT, SIGTERM, SIGHUP};
  const UniqueFd ended = open_pidfd(found.process.pid());
  const std::vector<Watch> watches{
      {signals.fd(),
       [&]() -> std::optional<EndReason> {
         return signals.take() ? std::optional{EndReason::requested} : std::nullopt;
       }},
      {ended.get(), [] { return std::optional{EndReason::target_ended}; }},
  };
  const Time start = now();
  RunOptions run = run_options(options);
  const auto whole = run.duration;
  Interner interner{sink};
  while (true) {
    const EndReason reason =
        sample_target(found.process, found.target, sink, interner, run, watches);
    sink.hide();
    if (reason == EndReason::target_ended) say(options, "the target has ended");
    if (reason != EndReason::target_execed) return;
    say(options, "the target has become another program (exec)");
    if (whole) run.duration = std::max(Duration{}, *whole - (now() - start));
    try {
      found = find_target_after_exec(found.process.pid());
    } catch (const Failure& failure) {
      say(options, failure.what());
      return;
    }
  }
}

int attach(const AttachOptions& options) {
  check_session(options.session);
  FoundTarget found = find_target(options.pid);
  say(options.session, fmt::format("sampling CPython {} in process {}; Ctrl-C ends it",
                                   found.target.version.text(), options.pid.value));
  for (const std::string& other : found.target.others) {
    say(options.session, fmt::format("not watched: {}, in the same process", other));
  }
  SessionRecording recording{options.session};
  ProgressDisplay progress{recording.sink(),
                           progress_place(options.session, TerminalLine::Place::cursor)};
  sample_until_end(std::move(found), progress, options.session);
  if (!recording.report(options.session)) {
    throw Failure(ExitCode::gone,
                  fmt::format("process {} was gone before a first sample", options.pid.value));
  }
  return 0;
}

}  // namespace

void add_attach(CLI::App& app, int& status) {
  auto options = std::make_shared<AttachOptions>();
  CLI::App* command =
      app.add_subcommand("attach", "sample a running Python until Ctrl-C, -d, or its end");
  command->add_option("-p,--pid", options->pid.value, "the process")->required();
  add_session_options(*command, options->session);
  command->callback([options, &status] { status = attach(*options); });
}

}  // namespace gilspy
