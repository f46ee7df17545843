#include "gilspy/base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace gilspy {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

/// The first code point of a text that is not empty. Overlong forms and surrogates are not valid.
CodePoint first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  std::size_t bytes = 2;
  if (lead >= 0xE0) bytes = 3;
  if (lead >= 0xF0) bytes = 4;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {lead, 1, false};
  std::uint32_t value = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {lead, 1, false};
    value = value << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool valid =
      value >= smallest[bytes] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
  return valid ? CodePoint{value, bytes, true} : CodePoint{lead, 1, false};
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, std::uint32_t value) {
  return std::ranges::any_of(ranges,
                             [&](const Range& r) { return r.first <= value && value <= r.last; });
}

/// Controls, and marks that turn the direction of a line or end it.
constexpr std::array steering{Range{0, 0x1F}, Range{0x7F, 0x9F}, Range{0x200E, 0x200F},
                              Range{0x2028, 0x202E}, Range{0x2066, 0x2069}};

// wcwidth() knows nothing beyond ASCII unless the program has chosen a locale, and reports should
// not depend on one: so here are the large blocks of UAX 11 (wide) and of combining characters.
constexpr std::array wide{Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0xA4CF},
                          Range{0xA960, 0xA97F},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},
                          Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},
                          Range{0x1F300, 0x1F64F}, Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF},
                          Range{0x20000, 0x3FFFD}};
constexpr std::array combining{
    Range{0x0300, 0x036F}, Range{0x0483, 0x0489}, Range{0x0591, 0x05BD}, Range{0x064B, 0x065F},
    Range{0x0E34, 0x0E3A}, Range{0x0E47, 0x0E4E}, Range{0x1AB0, 0x1AFF}, Range{0x200B, 0x200D},
    Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}, Range{0xE0100, 0xE01EF}};

std::size_t width_of(std::uint32_t value) {
  if (within(combining, value)) return 0;
  return within(wide, value) ? 2 : 1;
}

}  // namespace

std::string terminal_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = first_of(text);
    if (!point.valid || (point.value < 0x80 && within(steering, point.value))) {
      clean += fmt::format("\\x{:02x}", point.value);
    } else if (within(steering, point.value)) {
      clean += fmt::format("\\u{{{:04x}}}", point.value);
    } else {
      clean += text.substr(0, point.bytes);
    }
    text.remove_prefix(point.bytes);
  }
  return clean;
}

std::string markup_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      default: result += c;
    }
  }
  return result;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = first_of(text);
    width += width_of(point.value);
    text.remove_prefix(point.bytes);
  }
  return width;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  constexpr std::string_view ellipsis = "...";
  const std::size_t room = width > ellipsis.size() ? width - ellipsis.size() : 0;
  std::size_t used = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const CodePoint point = first_of(text.substr(bytes));
    used += width_of(point.value);
    if (used > room) break;
    bytes += point.bytes;
  }
  return std::string(text.substr(0, bytes)).append(ellipsis);
}

Glyph first_glyph(std::string_view text) {
  const CodePoint point = first_of(text);
  return {text.substr(0, point.bytes), width_of(point.value)};
}

std::string_view basename_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string human(Duration time) {
  const double seconds = to_seconds(time);
  const auto three_digits = [](double value, std::string_view unit) {
    // Decided on the value as it will be shown, so that 9.996 does not become "10.00".
    int decimals = 0;
    if (value < 99.95) decimals = 1;
    if (value < 9.995) decimals = 2;
    return fmt::format("{:.{}f} {}", value, decimals, unit);
  };
  if (seconds <= 0) return "0 s";
  if (seconds < 0.9995e-6) return fmt::format("{} ns", time.count());
  if (seconds < 0.9995e-3) return three_digits(seconds * 1e6, "us");
  if (seconds < 0.9995) return three_digits(seconds * 1e3, "ms");
  if (seconds < 119.95) return three_digits(seconds, "s");
  const auto whole = std::chrono::round<std::chrono::seconds>(time).count();
  constexpr std::int64_t hour = 3600;
  if (whole < 2 * hour) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / hour, whole / 60 % 60);
}

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

}  // namespace gilspy
