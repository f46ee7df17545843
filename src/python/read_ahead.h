#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gilspy/base/memory_reader.h"

namespace gilspy {

/// The first bytes of an object whose size is only known once they are here: at least `head` of
/// them, up to `wanted` where that costs nothing.
[[nodiscard]] Result<std::vector<std::byte>> read_ahead(MemoryReader& memory, RemoteAddress object,
                                                        std::size_t head, std::size_t wanted);

/// Makes `bytes` hold the first `size` bytes of the object. Where some are missing it reads all of
/// them again, so that what comes out was seen at one moment.
[[nodiscard]] Result<void> read_whole(MemoryReader& memory, RemoteAddress object, std::size_t size,
                                      std::vector<std::byte>& bytes);

/// Reads the slots in order, past those that cannot be read, and calls each(index, readable) for
/// every one. Errors as read_batch().
template <class Each>
[[nodiscard]] Result<void> read_each(MemoryReader& memory, std::span<const ReadSlot> slots,
                                     Each each) {
  for (std::size_t next = 0; next < slots.size();) {
    const auto done = memory.read_batch(slots.subspan(next));
    if (!done) return tl::make_unexpected(done.error());
    for (const std::size_t end = next + *done; next < end; ++next) each(next, true);
    if (next < slots.size()) each(next++, false);
  }
  return {};
}

}  // namespace gilspy
