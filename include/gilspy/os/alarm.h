#pragma once

#include <array>
#include <cstddef>

#include "gilspy/base/time.h"
#include "gilspy/base/unique_fd.h"

namespace gilspy {

/// Wakes this thread at one moment after the other, as cheaply as the kernel can.
///
/// To set a timer that is due before all others means to set the CPU's own timer, which takes
/// several us where there is a hypervisor; it is set anyway whenever one of them has fired. So two
/// timers take turns: the one for the moment after the next is set while the next one is pending,
/// and fires without anybody having to set the CPU's timer for it.
class Alarm {
 public:
  Alarm();

  /// Sleeps until `moment`; not at all when it is over. `after` is the moment that will be waited
  /// for next, as far as that is known now.
  void wait(Time moment, Time after);

 private:
  struct Timer {
    UniqueFd fd;
    Time at;
    int cpu = -1;  ///< where it fires: the one that it was set on
  };

  static bool set(Timer& timer, Time at, int cpu);

  std::array<Timer, 2> timers_;
  std::size_t turn_ = 0;
};

}  // namespace gilspy
