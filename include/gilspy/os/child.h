#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gilspy/base/unique_fd.h"
#include "gilspy/model/ids.h"

namespace gilspy {

/// A program launched by us. Its standard streams (unless said otherwise), process group, signal
/// mask and dispositions are those gilspy was started with. It outlives gilspy: nothing here kills
/// it.
class Child {
 public:
  /// Descriptors that become its standard streams; -1: gilspy's own.
  struct Streams {
    int input = -1;
    int output = -1;
    int error = -1;
  };

  /// Throws Failure: 1 with the reason when the program cannot be run.
  [[nodiscard]] static Child start(const std::vector<std::string>& command) {
    return start(command, Streams{});
  }
  [[nodiscard]] static Child start(const std::vector<std::string>& command, Streams streams);

  [[nodiscard]] Pid pid() const { return pid_; }
  /// Readable (poll) once the program has ended.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

  /// The exit status as a shell gives it (128 + signal for a death by signal) once the program has
  /// ended; nothing while it runs.
  [[nodiscard]] std::optional<int> try_wait();
  [[nodiscard]] int wait();
  void send_signal(int signal) const;

 private:
  Child(Pid pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Pid pid_;
  UniqueFd pidfd_;
  std::optional<int> status_;
};

/// A descriptor that becomes readable when the process ends; invalid when there is no such process.
[[nodiscard]] UniqueFd open_pidfd(Pid pid);

}  // namespace gilspy
