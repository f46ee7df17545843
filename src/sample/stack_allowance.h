#pragma once

#include <algorithm>

#include "gilspy/base/time.h"

namespace gilspy {

/// What looks at stacks may take, so that ticks in all stay below what costs a real-time thread its
/// precedence. Without it the stacks of a fast target have to be read again and again, and take
/// more still.
class StackAllowance {
 public:
  /// Tells how long a tick took, of so long from one to the next.
  void spent(Duration busy, Duration of) {
    owed_ = std::clamp(owed_ + busy - of * share / 100, -most, most);
  }
  /// Whether there is something left for a look at stacks.
  [[nodiscard]] bool allows() const { return owed_ <= Duration{}; }

 private:
  static constexpr int share = 16;                                ///< percent
  static constexpr Duration most = std::chrono::milliseconds{6};  ///< that is saved, or owed

  Duration owed_{};
};

}  // namespace gilspy
