#pragma once

#include <array>
#include <unordered_map>

#include "gilspy/profile/profile.h"

namespace gilspy {

/// Shares one thread's time out among its stacks. A stack sample stands for all of the thread's
/// time in that activity since the previous sample in the same activity, so that the stacks' times
/// add up to the thread's times whatever the rate of stack samples was.
class StackWeights {
 public:
  using ByStack = std::unordered_map<StackId, ActivityTimes>;

  /// The thread spent so long in this activity.
  void passed(Activity activity, Duration time) { time_in(pending_, activity) += time; }
  /// This is what the thread was doing in that time.
  void sampled(Activity activity, StackId stack);
  /// No more samples come: what is left goes to the last stack seen in the same activity, else to
  /// empty_stack.
  void finish();

  [[nodiscard]] const ByStack& by_stack() const { return by_stack_; }

 private:
  ActivityTimes pending_{};
  std::array<StackId, activity_count> last_{};
  ByStack by_stack_;
};

/// The part of these times that counts under `weight`. Nothing under blame: it is not the thread's
/// own time.
[[nodiscard]] Duration weigh(const ActivityTimes& times, Weight weight);

}  // namespace gilspy
