#include "gilspy/top/keys.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gilspy/base/text.h"

namespace gilspy::top {
namespace {

/// What comes after ESC [ or ESC O, as xterm, screen, tmux and the Linux console send it.
constexpr std::array<std::pair<std::string_view, KeyName>, 15> sequences{{
    {"A", KeyName::up},
    {"B", KeyName::down},
    {"C", KeyName::right},
    {"D", KeyName::left},
    {"H", KeyName::home},
    {"F", KeyName::end},
    {"Z", KeyName::back_tab},
    {"1~", KeyName::home},
    {"7~", KeyName::home},
    {"4~", KeyName::end},
    {"8~", KeyName::end},
    {"5~", KeyName::page_up},
    {"6~", KeyName::page_down},
    {"M", KeyName::enter},
    {"I", KeyName::tab},
}};

/// Takes a control sequence off `bytes`, which begin after ESC [: parameters, and a final byte.
std::string_view take_sequence(std::string_view& bytes) {
  const auto is_final = [](char c) { return c >= '@' && c <= '~'; };
  const auto* end = std::ranges::find_if(bytes, is_final);
  const auto length = std::min(static_cast<std::size_t>(end - bytes.begin()) + 1, bytes.size());
  const std::string_view sequence = bytes.substr(0, length);
  bytes.remove_prefix(length);
  return sequence;
}

void take_escape(std::string_view& bytes, std::vector<Key>& keys) {
  bytes.remove_prefix(1);
  if (bytes.empty() || (bytes.front() != '[' && bytes.front() != 'O')) {
    keys.push_back({KeyName::escape, ""});
    return;
  }
  bytes.remove_prefix(1);
  const std::string_view sequence = take_sequence(bytes);
  const auto* found =
      std::ranges::find(sequences, sequence, &std::pair<std::string_view, KeyName>::first);
  if (found != sequences.end()) keys.push_back({found->second, ""});
}

}  // namespace

std::vector<Key> keys_of(std::string_view bytes) {
  std::vector<Key> keys;
  keys.reserve(bytes.size());
  while (!bytes.empty()) {
    const char c = bytes.front();
    if (c == '\x1b') {
      take_escape(bytes, keys);
      continue;
    }
    if (c == '\r' || c == '\n') {
      keys.push_back({KeyName::enter, ""});
    } else if (c == '\t') {
      keys.push_back({KeyName::tab, ""});
    } else if (c == '\x7f' || c == '\b') {
      keys.push_back({KeyName::backspace, ""});
    } else if (static_cast<unsigned char>(c) >= ' ') {
      const Glyph glyph = first_glyph(bytes);
      keys.push_back({KeyName::text, std::string(glyph.bytes)});
      bytes.remove_prefix(glyph.bytes.size());
      continue;
    }
    bytes.remove_prefix(1);
  }
  return keys;
}

}  // namespace gilspy::top
