#pragma once

#include <cstddef>
#include <cstdint>

#include "gilspy/base/address.h"

namespace gilspy {

/// Longest stack kept; deeper ones lose their outermost frames.
inline constexpr std::size_t max_stack_depth = 4096;

/// What a frame executes, and where in it.
struct FramePosition {
  RemoteAddress code;
  RemoteAddress instruction;  ///< 3.11 on
  std::int32_t lasti = -1;    ///< before that
};

}  // namespace gilspy
