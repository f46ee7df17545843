#pragma once

#include "lanes.h"

namespace gilspy {

/// Goes to the CPU of the thread that holds the GIL, and leaves it to that thread again. To ask
/// which one that is (/proc/PID/stat) takes a tenth of what a look at everything does, and the
/// answer is nearly always that of before: a thread is moved a few times a second. So it is asked
/// when another thread holds the GIL, when we were moved ourselves, and every few looks.
class HolderCpu {
 public:
  void go_to(const Lane& holder);
  /// Somewhere else, if we are where we went last.
  void leave();

 private:
  static constexpr int most_looks = 8;

  Tid whose_ = no_thread;
  int cpu_ = -1;
  int looks_ = 0;  ///< since it was asked
};

}  // namespace gilspy
