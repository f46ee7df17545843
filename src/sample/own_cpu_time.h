#pragma once

#include "gilspy/base/time.h"

namespace gilspy {

/// CPU time that gilspy itself has used so far, all of its threads.
[[nodiscard]] Duration own_cpu_time();

}  // namespace gilspy
