#pragma once

#include <cstddef>

#include "gilspy/base/time.h"

namespace gilspy {

/// What came of the slots that a reader asked for, when they were read together with others.
struct Answer {
  std::size_t slots = 0;  ///< so many of them were read, from the first on
  Duration took{};        ///< the whole read
};

}  // namespace gilspy
