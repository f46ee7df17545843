#pragma once

#include <cstddef>
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

}  // namespace gilspy
