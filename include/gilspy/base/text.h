#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "gilspy/base/time.h"

/// Text for a terminal or a page. Names and command lines come from the target: nothing of them may
/// steer it.
namespace gilspy {

/// `text` with control characters, invisible direction marks and what is not UTF-8 as \xNN or
/// \u{NNNN}.
[[nodiscard]] std::string terminal_text(std::string_view text);

/// `text` as it may stand in HTML and SVG, in an attribute's quotes as well.
[[nodiscard]] std::string markup_text(std::string_view text);

/// Columns that a terminal gives to `text`, which is terminal_text().
[[nodiscard]] std::size_t display_width(std::string_view text);

/// The beginning of `text`, with "..." where something is left out, in at most `width` columns.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t width);

/// What a terminal shows in one place, and how many columns it takes: 0 for a mark that combines
/// with what stands before it.
struct Glyph {
  std::string_view bytes;
  std::size_t width = 1;
};
/// The first one of a text that is not empty and is terminal_text().
[[nodiscard]] Glyph first_glyph(std::string_view text);

/// What comes after the last slash: "worker.py".
[[nodiscard]] std::string_view basename_of(std::string_view path);

/// Three digits and a unit: "12.3 ms", "4.91 s", "12 min 5 s".
[[nodiscard]] std::string human(Duration time);

/// "99.2 %".
[[nodiscard]] std::string percent(double share);

}  // namespace gilspy
