#pragma once

#include <unordered_set>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/python/code_cache.h"
#include "gilspy/python/frame_position.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// The frames of a running thread up to 3.10: objects on the heap, linked by f_back.
class FrameChain {
 public:
  FrameChain(MemoryReader& memory, const Layout& layout, CodeCache& codes)
      : memory_(memory), layout_(layout), codes_(codes) {}

  [[nodiscard]] Result<void> read(RemoteAddress thread, std::vector<FramePosition>& frames);

 private:
  MemoryReader& memory_;
  const Layout& layout_;
  CodeCache& codes_;
  std::unordered_set<RemoteAddress> seen_;
  std::vector<std::byte> bytes_;
};

}  // namespace gilspy
