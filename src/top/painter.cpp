#include "gilspy/top/painter.h"

#include <string_view>

#include <fmt/format.h>

namespace gilspy::top {
namespace {

/// The 16 colours that every terminal has and its user has chosen.
int color_of(Ink ink) {
  switch (ink) {
    case Ink::holding:
    case Ink::good: return 32;
    case Ink::holding_blocked: return 35;
    case Ink::waiting:
    case Ink::bad: return 31;
    case Ink::running: return 36;
    case Ink::blocked: return 90;
    case Ink::runnable:
    case Ink::doubtful: return 33;
    case Ink::unknown: return 37;
    case Ink::plain: break;
  }
  return 39;
}

std::string sgr(const Style& style, bool color) {
  std::string codes = "\x1b[0";
  if (style.bold) codes += ";1";
  if (style.dim) codes += ";2";
  if (style.reverse) codes += ";7";
  if (color && style.ink != Ink::plain) codes += fmt::format(";{}", color_of(style.ink));
  if (color && style.paper != Ink::plain) codes += fmt::format(";{}", color_of(style.paper) + 10);
  return codes + "m";
}

}  // namespace

std::string Painter::paint(const Screen& screen) {
  std::string out;
  const bool whole = !shown_ || shown_->size() != screen.size();
  if (whole) out += "\x1b[0m\x1b[2J";
  Style style;
  bool styled = false;
  for (int row = 0; row < screen.size().rows; ++row) {
    int cursor = -1;  // the column the terminal's cursor is in, where it is known to be in this row
    for (int column = 0; column < screen.size().columns; ++column) {
      const Cell& cell = screen.at(row, column);
      if (cell.text.empty()) continue;
      if (whole ? cell == Cell{} : cell == shown_->at(row, column)) continue;
      if (cursor != column) out += fmt::format("\x1b[{};{}H", row + 1, column + 1);
      if (!styled || style != cell.style) out += sgr(cell.style, color_);
      style = cell.style;
      styled = true;
      out += cell.text;
      // How wide a terminal takes anything but ASCII to be is its own business.
      cursor = cell.text.size() == 1 ? column + 1 : -1;
    }
  }
  if (styled) out += "\x1b[0m";
  shown_ = screen;
  return out;
}

}  // namespace gilspy::top
