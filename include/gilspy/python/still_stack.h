#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/python/frame_position.h"
#include "gilspy/python/interpreters.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// The frames of a thread that does not run meanwhile: plainly one after the other, from the one
/// that the thread says is on top.
class StillStack {
 public:
  StillStack(MemoryReader& memory, const Layout& layout);

  /// The frames of a thread that are Python functions, outermost first; the top max_stack_depth of
  /// them. Fails with `retry` where the thread stands in the middle of linking a frame.
  [[nodiscard]] Result<void> read(RemoteAddress thread, std::vector<FramePosition>& frames);

 private:
  [[nodiscard]] Result<RemoteAddress> head(RemoteAddress thread);
  [[nodiscard]] Result<std::span<const std::byte>> frame_at(RemoteAddress at);

  MemoryReader& memory_;
  const Layout& layout_;
  std::size_t header_;           // size of what is read of a frame
  std::vector<std::byte> near_;  // around the frame that was read last
  RemoteAddress near_at_;
};

}  // namespace gilspy
