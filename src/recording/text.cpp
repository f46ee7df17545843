#include "text.h"

#include <algorithm>
#include <cstdint>

namespace gilspy::recording {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_between(std::string_view text, std::size_t index, std::uint8_t low, std::uint8_t high) {
  if (index >= text.size()) return false;
  const auto byte = static_cast<std::uint8_t>(text[index]);
  return low <= byte && byte <= high;
}

bool is_continuation(std::string_view text, std::size_t index) {
  return is_between(text, index, 0x80, 0xBF);
}

/// Bytes of the character at the front of `text`, 0 when there is no well-formed one: the rows of
/// table 3-7 of the Unicode standard, which leave out surrogates and overlong forms.
std::size_t character_size(std::string_view text) {
  if (is_between(text, 0, 0x00, 0x7F)) return 1;
  if (is_between(text, 0, 0xC2, 0xDF)) return is_continuation(text, 1) ? 2 : 0;
  if (is_between(text, 0, 0xE0, 0xEF)) {
    const std::uint8_t low = text[0] == '\xE0' ? 0xA0 : 0x80;
    const std::uint8_t high = text[0] == '\xED' ? 0x9F : 0xBF;
    return is_between(text, 1, low, high) && is_continuation(text, 2) ? 3 : 0;
  }
  if (is_between(text, 0, 0xF0, 0xF4)) {
    const std::uint8_t low = text[0] == '\xF0' ? 0x90 : 0x80;
    const std::uint8_t high = text[0] == '\xF4' ? 0x8F : 0xBF;
    const bool whole =
        is_between(text, 1, low, high) && is_continuation(text, 2) && is_continuation(text, 3);
    return whole ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string_view cut_utf8(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  constexpr std::size_t longest_tail = 3;
  const std::size_t earliest = size - std::min(size, longest_tail);
  std::size_t end = size;
  while (end > earliest && is_continuation(text, end)) --end;
  return text.substr(0, end);
}

std::string clean_utf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    clean += size > 0 ? text.substr(0, size) : replacement;
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return clean;
}

}  // namespace gilspy::recording
