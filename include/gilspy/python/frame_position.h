#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "gilspy/base/address.h"

namespace gilspy {

/// Longest stack kept; deeper ones lose their outermost frames.
inline constexpr std::size_t max_stack_depth = 4096;

/// What a frame executes, and where in it.
struct FramePosition {
  RemoteAddress code;
  RemoteAddress instruction;  ///< 3.11 on
  std::int32_t lasti = -1;    ///< before that
  /// Called by C code, in an eval loop of its own: up to 3.10 all are.
  bool from_c = true;
  friend bool operator==(const FramePosition&, const FramePosition&) = default;
};

/// How many frames a stack had at the moment that was looked at first. It is kept for when what was
/// read has to be read again, which happens more often to some stacks than to others: taking
/// whatever is sure instead would show too few of the stacks that change fast.
struct WantedDepth {
  std::optional<std::size_t> frames;
  /// Told by where the thread's next frame would begin: without generators on top of it, and with
  /// frames that an exception has just ended.
  bool by_end = false;
  std::uint32_t looks = 0;  ///< at the stack, up to now

  /// How far this depth is off.
  [[nodiscard]] std::size_t off(std::size_t depth) const {
    const std::size_t wanted = frames.value_or(depth);
    return wanted > depth ? wanted - depth : depth - wanted;
  }
  /// Nobody can read deep stacks twice at the same depth while they grow: a stack deeper than 32
  /// may be off by a frame, one twice as deep by two.
  [[nodiscard]] bool close(std::size_t depth) const {
    return off(depth) <= frames.value_or(depth) / 32;
  }
};

}  // namespace gilspy
