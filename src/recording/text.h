#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gilspy::recording {

/// At most `size` bytes from the front of `text`, cut between two characters.
[[nodiscard]] std::string_view cut_utf8(std::string_view text, std::size_t size);

/// `text` with U+FFFD in the place of every byte that is not part of well-formed UTF-8.
[[nodiscard]] std::string clean_utf8(std::string_view text);

}  // namespace gilspy::recording
