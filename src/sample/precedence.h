#pragma once

#include "gilspy/base/time.h"

namespace gilspy {

/// Lets this thread have a CPU as soon as it wants one, for as long as this lives.
///
/// A tick takes some microseconds, and has to be made when its moment comes: one that waits until a
/// thread of the target gives up its CPU always finds that thread asleep. Where it is allowed
/// (root, CAP_SYS_NICE) the thread becomes a real-time one; where not, it asks for the shortest
/// time slices there are, and waits for less than a slice of somebody else (3 ms; since Linux 6.12,
/// older ones ignore it). A policy that we were started with (chrt) stays as it is.
class Precedence {
 public:
  Precedence();
  ~Precedence();
  Precedence(const Precedence&) = delete;
  Precedence& operator=(const Precedence&) = delete;

  [[nodiscard]] bool is_real_time() const { return real_time_; }
  /// It was given back just now: what can wait is to wait, to see whether the rest may have it.
  [[nodiscard]] bool is_on_trial() const { return on_trial_; }

  /// Tells how long the last look took, of so long from one to the next. Who needs a large part of
  /// a CPU must not take it from everybody else: then it is given back, for as long as that lasts.
  void spent(Duration busy, Duration of);

 private:
  bool take();

  bool may_have_it_ = false;
  bool real_time_ = false;
  bool on_trial_ = false;
  Duration busy_{};
  Duration of_{};
};

}  // namespace gilspy
