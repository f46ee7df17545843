#pragma once

#include <string>
#include <vector>

#include "gilspy/profile/profile.h"
#include "stack_weights.h"

namespace gilspy {

/// Adds up one thread's life, from the first time it was seen until it is gone. Copies are cheap
/// enough that a profile asked for in mid-stream closes a copy and leaves the original running.
class ThreadClock {
 public:
  ThreadClock(const ThreadSeen& seen, std::string_view name, Time at, bool keep_timeline);

  /// The thread got a name, a Python thread state or a GIL.
  void seen_again(const ThreadSeen& seen, std::string_view name);
  void change(Time at, ThreadState state);
  void sampled(Time at, StackId stack);
  /// The thread held the GIL for so long in one go, up to `at`.
  void held_until(Time at, Duration hold);
  /// Nothing more comes: counts everything up to `at`.
  void close(Time at);

  [[nodiscard]] ThreadState state() const { return state_; }
  [[nodiscard]] Activity activity() const { return activity_of(state_); }
  [[nodiscard]] const ThreadProfile& figures() const { return figures_; }
  [[nodiscard]] const StackWeights& stacks() const { return stacks_; }
  [[nodiscard]] const std::vector<Interval>& intervals() const { return intervals_; }
  [[nodiscard]] const std::vector<StackMoment>& moments() const { return moments_; }

 private:
  void advance(Time at);

  ThreadProfile figures_;
  ThreadState state_{};  ///< unknown until the first StateChanged
  Time since_;           ///< everything before is in figures_ and stacks_
  Time state_began_;
  Time wait_began_;
  bool keep_timeline_;
  StackWeights stacks_;
  std::vector<Interval> intervals_;
  std::vector<StackMoment> moments_;
};

}  // namespace gilspy
