#pragma once

#include <signal.h>

#include <initializer_list>
#include <optional>

#include "gilspy/base/unique_fd.h"

namespace gilspy {

/// Takes signals as data while it lives: they arrive at the descriptor and interrupt nothing.
/// Made after a child is started, so that the child's signal mask stays as it was.
class SignalQueue {
 public:
  explicit SignalQueue(std::initializer_list<int> signals);
  ~SignalQueue();
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The next signal that has come, if any.
  [[nodiscard]] std::optional<int> take();

 private:
  sigset_t old_mask_;
  UniqueFd fd_;
};

}  // namespace gilspy
