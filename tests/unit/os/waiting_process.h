#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "gilspy/base/unique_fd.h"
#include "gilspy/model/ids.h"

namespace gilspy::testing {

/// A copy of the test's process that only waits, until it is told to end.
class WaitingProcess {
 public:
  WaitingProcess() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    const UniqueFd reader{ends[0]};
    writer_.reset(ends[1]);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::close(ends[1]);
    char byte = 0;
    while (::read(ends[0], &byte, 1) > 0) {
    }
    ::_exit(0);
  }
  WaitingProcess(const WaitingProcess&) = delete;
  WaitingProcess& operator=(const WaitingProcess&) = delete;
  ~WaitingProcess() { reap(); }

  [[nodiscard]] Pid pid() const { return Pid{pid_}; }
  [[nodiscard]] Tid tid() const { return Tid{pid_}; }

  /// Afterwards it is a zombie.
  void end() {
    writer_.reset();
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  /// Afterwards it is gone altogether.
  void reap() {
    writer_.reset();
    if (!reaped_) ::waitpid(pid_, nullptr, 0);
    reaped_ = true;
  }

 private:
  UniqueFd writer_;
  pid_t pid_ = -1;
  bool reaped_ = false;
};

}  // namespace gilspy::testing
