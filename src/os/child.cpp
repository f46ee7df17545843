#include "gilspy/os/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gilspy/base/failure.h"

namespace gilspy {
namespace {

int shell_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Runs in the forked child: only async-signal-safe calls. Reports errno through the pipe.
[[noreturn]] void exec_program(char* const* arguments, Child::Streams streams, int report) {
  const std::array wanted{std::pair{streams.input, STDIN_FILENO},
                          std::pair{streams.output, STDOUT_FILENO},
                          std::pair{streams.error, STDERR_FILENO}};
  bool placed = true;
  for (const auto& [from, to] : wanted) {
    if (from >= 0 && ::dup2(from, to) < 0) placed = false;
  }
  if (placed) ::execvp(arguments[0], arguments);
  const int error = errno;
  [[maybe_unused]] const ssize_t told = ::write(report, &error, sizeof(error));
  ::_exit(127);
}

}  // namespace

UniqueFd open_pidfd(Pid pid) {
  return UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, pid.value, 0))};
}

Child Child::start(const std::vector<std::string>& command, Streams streams) {
  // execvp takes char* for history's sake, and changes nothing: these are copies all the same.
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Failure(ExitCode::other, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  const UniqueFd reader{ends[0]};
  UniqueFd writer{ends[1]};
  const pid_t pid = ::fork();
  if (pid < 0) throw Failure(ExitCode::other, fmt::format("cannot fork: {}", std::strerror(errno)));
  if (pid == 0) exec_program(arguments.data(), streams, writer.get());

  writer.reset();
  int error = 0;
  ssize_t got = ::read(reader.get(), &error, sizeof(error));
  while (got < 0 && errno == EINTR) got = ::read(reader.get(), &error, sizeof(error));
  if (got == sizeof(error)) {
    ::waitpid(pid, nullptr, 0);
    throw Failure(ExitCode::other,
                  fmt::format("cannot run {}: {}", command[0], std::strerror(error)));
  }
  return Child{Pid{pid}, open_pidfd(Pid{pid})};
}

std::optional<int> Child::try_wait() {
  int status = 0;
  if (!status_ && ::waitpid(pid_.value, &status, WNOHANG) == pid_.value) {
    status_ = shell_status(status);
  }
  return status_;
}

int Child::wait() {
  int status = 0;
  while (!status_) {
    if (::waitpid(pid_.value, &status, 0) == pid_.value)
      status_ = shell_status(status);
    else if (errno != EINTR)
      status_ = 127;
  }
  return *status_;
}

void Child::send_signal(int signal) const {
  if (!status_) ::kill(pid_.value, signal);
}

}  // namespace gilspy
