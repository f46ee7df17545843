#include "version_text.h"

#include <charconv>

namespace gilspy {
namespace {

/// "9.18" with the end of the string behind it; `text` starts after "3.".
std::optional<Version> parse_rest(std::string_view text) {
  Version version{3, 0, 0};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version.minor);
  if (error != std::errc{} || end == text.data() + text.size() || *end != '.') return std::nullopt;
  const auto micro = std::from_chars(end + 1, text.data() + text.size(), version.micro);
  if (micro.ec != std::errc{} || micro.ptr == text.data() + text.size()) return std::nullopt;
  // A development build has a plus sign: "3.9.18+".
  const char* after = *micro.ptr == '+' ? micro.ptr + 1 : micro.ptr;
  if (after == text.data() + text.size() || *after != '\0') return std::nullopt;
  return version;
}

}  // namespace

std::optional<std::uint8_t> minor_in_name(std::string_view path) {
  const auto at = path.rfind("python3.");
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = path.substr(at + 8);
  std::uint8_t minor = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), minor);
  return error == std::errc{} ? std::optional{minor} : std::nullopt;
}

std::optional<Version> version_in_strings(std::span<const std::byte> strings,
                                          std::optional<std::uint8_t> minor) {
  const std::string_view text{reinterpret_cast<const char*>(strings.data()), strings.size()};
  std::optional<Version> found;
  for (auto at = text.find("3."); at != std::string_view::npos; at = text.find("3.", at + 1)) {
    if (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9') continue;  // "13.2"
    const auto version = parse_rest(text.substr(at + 2, 16));
    if (!version || (minor && version->minor != *minor)) continue;
    if (found && found->minor != version->minor) return std::nullopt;
    found = version;
  }
  return found;
}

}  // namespace gilspy
