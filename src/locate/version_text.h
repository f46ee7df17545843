#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "gilspy/python_offsets/version.h"

namespace gilspy {

/// The minor version in a file's name: "libpython3.9.so.1.0", "libpython3.7m.so", "python3.10".
[[nodiscard]] std::optional<std::uint8_t> minor_in_name(std::string_view path);

/// PY_VERSION, found among a binary's strings: up to 3.10 nothing else in the file tells it.
/// Linkers share string endings, so it may be the end of a longer one ("/versions/3.9.18"). With
/// `minor`, only versions of that minor count; without, all found must be of one minor.
[[nodiscard]] std::optional<Version> version_in_strings(std::span<const std::byte> strings,
                                                        std::optional<std::uint8_t> minor);

}  // namespace gilspy
