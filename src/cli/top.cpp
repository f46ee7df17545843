#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "commands.h"
#include "find_target.h"
#include "gilspy/base/failure.h"
#include "gilspy/top/terminal.h"
#include "session.h"
#include "top_screen.h"

namespace gilspy {
namespace {

struct TopOptions {
  Pid pid;
  std::vector<std::string> command;
  double window = 10;
  bool once = false;
  SessionOptions rates;  ///< of these only the rates
};

/// Where a launched program's output goes: on the screen it would be in the way, and lost it must
/// not be.
class OutputFile {
 public:
  OutputFile() {
    const char* folder = std::getenv("TMPDIR");
    name_ = fmt::format("{}/gilspy-top-XXXXXX.log", folder != nullptr ? folder : "/tmp");
    file_.reset(::mkostemps(name_.data(), 4, O_CLOEXEC | O_APPEND));
    if (!file_) {
      throw Failure(ExitCode::other,
                    fmt::format("cannot make a file for the program's output, {}: {}", name_,
                                std::strerror(errno)));
    }
  }
  /// One that stayed empty goes; of another the user is told.
  ~OutputFile() {
    struct stat status{};
    if (::fstat(file_.get(), &status) == 0 && status.st_size == 0) {
      ::unlink(name_.c_str());
    } else {
      fmt::print(stderr, "gilspy: the program's output is in {}\n", name_);
    }
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  [[nodiscard]] int fd() const { return file_.get(); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  UniqueFd file_;
};

/// When a process was started. Its stat counts from boot, with the time the machine was suspended.
std::optional<Time> start_of(const ProcDir& process) {
  const auto stat = process.stat();
  if (!stat) return std::nullopt;
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const double age =
      static_cast<double>(since_boot.tv_sec) + static_cast<double>(since_boot.tv_nsec) / 1e9 -
      static_cast<double>(stat->start_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return now() - std::chrono::duration_cast<Duration>(std::chrono::duration<double>(age));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// Shows in the way that was asked for, or that standard output allows.
bool show(const TopOptions& options, const TopSubject& subject, int ended, SignalQueue& signals,
          const std::function<TopSampling::Work(SampleSink&)>& work) {
  const Duration window{static_cast<std::int64_t>(options.window * 1e9)};
  top::EventQueue queue;
  top::Live live{window};
  TopSampling sampling{ended, work(queue)};
  if (options.once || !top::can_draw()) {
    return print_top_once(subject, window, signals, sampling, queue, live);
  }
  run_top_screen(subject, signals, sampling, queue, live);
  return true;
}

/// Somebody is watching: they do not fall after a minute.
RunOptions rates_of(const TopOptions& options) {
  RunOptions run = run_options(options.rates);
  run.settle_after.reset();
  return run;
}

int top_attached(const TopOptions& options) {
  FoundTarget found = find_target(options.pid);
  const UniqueFd ended = open_pidfd(options.pid);
  const TopSubject subject{.start = start_of(found.process)};
  SignalQueue signals = top_signals();
  const bool shown = show(options, subject, ended.get(), signals, [&](SampleSink& sink) {
    return attached_work(std::move(found), sink, rates_of(options));
  });
  if (shown) return 0;
  throw Failure(ExitCode::gone,
                fmt::format("process {} was gone before a first sample", options.pid.value));
}

int top_launched(const TopOptions& options) {
  const OutputFile output;
  const UniqueFd no_input{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  // Keys are for the view: the program gets none of them.
  Child child = Child::start(options.command, {no_input.get(), output.fd(), output.fd()});
  const TopSubject subject{joined(options.command), &child, now(), output.name()};
  SignalQueue signals = top_signals();
  const bool shown = show(options, subject, child.pidfd(), signals, [&](SampleSink& sink) {
    return launched_work(child.pid(), sink, rates_of(options));
  });
  if (!shown) {
    throw Failure(ExitCode::unsupported, fmt::format("'{}' gave no sample", options.command[0]));
  }
  return 0;
}

int top_command(const TopOptions& options) {
  static_cast<void>(rates_of(options));
  if ((options.pid == Pid{}) == options.command.empty()) {
    throw Failure(ExitCode::usage,
                  "top takes either --pid PID or a program after --: gilspy top -- python app.py");
  }
  return options.command.empty() ? top_attached(options) : top_launched(options);
}

}  // namespace

void add_top(CLI::App& app, int& status) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* command = app.add_subcommand(
      "top",
      "live view of a Python's threads and GIL; h shows the keys.\n"
      "A launched program reads nothing, and its output goes into a file in TMPDIR that is named "
      "on "
      "the way out.\nWhere standard output is no terminal, or TERM is dumb, it is as with --once.");
  command->add_option("-p,--pid", options->pid.value, "the process");
  command->add_option("command", options->command,
                      "a program to launch and its arguments, after --");
  command->add_option("-w,--window", options->window, "figures are of so many last seconds")
      ->check(CLI::Range(1.0, 600.0))
      ->capture_default_str();
  command->add_flag("--once", options->once, "watch for one window, print it as text, and end");
  add_rate_options(*command, options->rates);
  command->callback([options, &status] { status = top_command(*options); });
}

}  // namespace gilspy
