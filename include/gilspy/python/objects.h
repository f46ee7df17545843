#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/python_offsets/layout.h"

/// Python objects, read as data.
namespace gilspy {

/// Longest string read, in characters; longer ones are cut there.
inline constexpr std::size_t max_text_length = 4096;
/// Largest bytes object read whole; anything larger is taken for torn memory.
inline constexpr std::size_t max_bytes_size = 1 << 20;

/// A str as UTF-8. Fails with `retry` where the memory does not look like a compact str.
[[nodiscard]] Result<std::string> read_str(MemoryReader& memory, const Layout& layout,
                                           RemoteAddress object);

/// The content of a bytes object.
[[nodiscard]] Result<std::vector<std::byte>> read_bytes(MemoryReader& memory, const Layout& layout,
                                                        RemoteAddress object);

}  // namespace gilspy
