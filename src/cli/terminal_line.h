#pragma once

#include <cstdint>
#include <string>

namespace gilspy {

/// One line of a terminal that comes and goes. It is never written where nobody reads it, nor where
/// it would make us wait: not to a pipe, not from the background, not while the output is stopped.
class TerminalLine {
 public:
  enum class Place : std::uint8_t {
    none,
    cursor,  ///< where the cursor is: nobody else writes to this terminal
    /// The bottom row, which the rest is kept from scrolling into: a program that writes to the
    /// same terminal goes on as if it were one row lower. Not while it has the terminal in raw mode
    /// (an editor, a pager, curses).
    bottom_row,
  };

  TerminalLine(int fd, Place place);
  ~TerminalLine();
  TerminalLine(const TerminalLine&) = delete;
  TerminalLine& operator=(const TerminalLine&) = delete;

  /// False when nothing will ever be shown.
  [[nodiscard]] bool wanted() const { return place_ != Place::none; }
  void show(const std::string& text);
  void erase();

 private:
  [[nodiscard]] bool may_write() const;
  void write(const std::string& text) const;

  int fd_;
  Place place_;
  bool shown_ = false;
  int rows_ = 0;  ///< the terminal's height when the bottom row was taken
};

}  // namespace gilspy
