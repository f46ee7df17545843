#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gilspy::top {

struct Size {
  int columns = 80;
  int rows = 24;
  friend bool operator==(Size, Size) = default;
};

/// Colours by what they mean; the painter knows which ones they are.
enum class Ink : std::uint8_t {
  plain,
  holding,
  holding_blocked,
  waiting,
  running,
  blocked,
  runnable,
  unknown,
  good,
  bad,
  doubtful,
};

struct Style {
  Ink ink = Ink::plain;
  Ink paper = Ink::plain;
  bool bold = false;
  bool dim = false;
  bool reverse = false;
  friend bool operator==(const Style&, const Style&) = default;
};

struct Cell {
  std::string text = " ";  ///< one glyph; "" for the right half of a wide one
  Style style;
  friend bool operator==(const Cell&, const Cell&) = default;
};

class Screen {
 public:
  explicit Screen(Size size);

  [[nodiscard]] Size size() const { return size_; }
  [[nodiscard]] const Cell& at(int row, int column) const { return cells_[index(row, column)]; }

  /// Writes from `column` on what fits into `width` columns and onto the screen, and returns the
  /// column after it. `text` is terminal_text(). Rows and columns beyond the screen are left out.
  int put(int row, int column, std::string_view text, Style style = {}, int width = 1 << 20);
  /// Like put(), with "..." where something is left out.
  int put_short(int row, int column, std::string_view text, int width, Style style = {});
  /// Ends in the column before `end`.
  void put_right(int row, int end, std::string_view text, Style style = {});
  /// Changes the style of a part of a row: `change` is called with each cell's.
  template <class Change>
  void restyle(int row, int column, int width, Change change) {
    for (int x = column; x < column + width; ++x) {
      if (inside(row, x)) change(cells_[index(row, x)].style);
    }
  }

 private:
  [[nodiscard]] bool inside(int row, int column) const {
    return row >= 0 && row < size_.rows && column >= 0 && column < size_.columns;
  }
  [[nodiscard]] std::size_t index(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(size_.columns) +
           static_cast<std::size_t>(column);
  }
  void clear_half(int row, int column);

  Size size_;
  std::vector<Cell> cells_;
};

/// The screen's text, a line a row, without spaces at the ends of lines.
[[nodiscard]] std::vector<std::string> lines_of(const Screen& screen);

}  // namespace gilspy::top
