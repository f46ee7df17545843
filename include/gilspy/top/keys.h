#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gilspy::top {

enum class KeyName : std::uint8_t {
  text,  ///< a character
  enter,
  escape,
  backspace,
  tab,
  back_tab,
  up,
  down,
  left,
  right,
  page_up,
  page_down,
  home,
  end,
};

struct Key {
  KeyName name = KeyName::text;
  std::string text;  ///< the character, as UTF-8

  friend bool operator==(const Key&, const Key&) = default;
};

/// The keys that a terminal's bytes stand for. What is no key that we know is left out.
[[nodiscard]] std::vector<Key> keys_of(std::string_view bytes);

}  // namespace gilspy::top
