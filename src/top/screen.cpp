#include "gilspy/top/screen.h"

#include <algorithm>

#include "gilspy/base/text.h"

namespace gilspy::top {

Screen::Screen(Size size)
    : size_{std::max(size.columns, 1), std::max(size.rows, 1)},
      cells_(static_cast<std::size_t>(size_.columns) * static_cast<std::size_t>(size_.rows)) {}

int Screen::put(int row, int column, std::string_view text, Style style, int width) {
  const int end = width < size_.columns - column ? column + width : size_.columns;
  while (!text.empty()) {
    const Glyph glyph = first_glyph(text);
    text.remove_prefix(glyph.bytes.size());
    const int wide = static_cast<int>(glyph.width);
    if (wide == 0) {
      // It combines with what stands before it, in the same cell.
      if (inside(row, column - 1)) cells_[index(row, column - 1)].text += glyph.bytes;
      continue;
    }
    if (column + wide > end) break;
    if (inside(row, column)) {
      clear_half(row, column);
      cells_[index(row, column)] = {std::string(glyph.bytes), style};
      if (wide == 2) {
        clear_half(row, column + 1);
        cells_[index(row, column + 1)] = {"", style};
      }
    }
    column += wide;
  }
  return column;
}

/// Half of a wide glyph is none: the other half becomes a space.
void Screen::clear_half(int row, int column) {
  if (cells_[index(row, column)].text.empty() && inside(row, column - 1)) {
    cells_[index(row, column - 1)].text = " ";
  }
  if (inside(row, column + 1) && cells_[index(row, column + 1)].text.empty()) {
    cells_[index(row, column + 1)].text = " ";
  }
}

int Screen::put_short(int row, int column, std::string_view text, int width, Style style) {
  if (width <= 0) return column;
  return put(row, column, shortened(text, static_cast<std::size_t>(width)), style, width);
}

void Screen::put_right(int row, int end, std::string_view text, Style style) {
  put(row, end - static_cast<int>(display_width(text)), text, style);
}

std::vector<std::string> lines_of(const Screen& screen) {
  std::vector<std::string> lines;
  lines.reserve(static_cast<std::size_t>(screen.size().rows));
  for (int row = 0; row < screen.size().rows; ++row) {
    std::string line;
    for (int column = 0; column < screen.size().columns; ++column) {
      line += screen.at(row, column).text;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace gilspy::top
