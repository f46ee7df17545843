#include "own_cpu_time.h"

#include <time.h>

namespace gilspy {

Duration own_cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + Duration{used.tv_nsec};
}

}  // namespace gilspy
