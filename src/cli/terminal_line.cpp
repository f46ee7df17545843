#include "terminal_line.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace gilspy {
namespace {

/// With fewer rows than these, one of them is too much to ask for.
constexpr int fewest_rows = 5;

struct Size {
  int rows = 0;
  int columns = 0;
};

Size size_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_row, size.ws_col};
}

bool is_terminal(int fd) {
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && term != nullptr && std::string_view{term} != "dumb";
}

bool is_raw(int fd) {
  termios modes{};
  return ::tcgetattr(fd, &modes) == 0 && (modes.c_lflag & ICANON) == 0;
}

// The sequences are ECMA-48's, but for DEC's ESC 7 and ESC 8 (save and restore the cursor); see
// console_codes(4). apt shows its progress below dpkg's output in the same way.
constexpr std::string_view save =
    "\x1b"
    "7";
constexpr std::string_view restore =
    "\x1b"
    "8";

/// Moves what is in the bottom row up if the cursor is there, and leaves the cursor above it.
constexpr std::string_view leave_bottom_row =
    "\x1b"
    "D\x1b[1A";

/// Goes to the bottom row and empties it, after scrolling was confined to rows 1 to `last`.
std::string at_bottom(int last, int rows) {
  return fmt::format("\x1b[1;{}r\x1b[{};1H\x1b[2K", last, rows);
}

}  // namespace

TerminalLine::TerminalLine(int fd, Place place)
    : fd_(fd), place_(is_terminal(fd) ? place : Place::none) {}

TerminalLine::~TerminalLine() { erase(); }

void TerminalLine::show(const std::string& text) {
  if (place_ == Place::none || !may_write()) return;
  const Size size = size_of(fd_);
  if (size.columns < 2) return;
  const std::string shown = text.substr(0, static_cast<std::size_t>(size.columns - 1));
  if (place_ == Place::cursor) {
    write("\r\x1b[K" + shown);
    shown_ = true;
    return;
  }
  if (size.rows < fewest_rows || is_raw(fd_)) {
    erase();
    return;
  }
  std::string sequence;
  if (size.rows != rows_) sequence += leave_bottom_row;
  rows_ = size.rows;
  sequence += save;
  sequence += at_bottom(rows_ - 1, rows_) + shown;
  sequence += restore;
  write(sequence);
  shown_ = true;
}

void TerminalLine::erase() {
  if (!shown_) return;
  shown_ = false;
  if (place_ == Place::cursor) {
    write("\r\x1b[K");
    return;
  }
  write(fmt::format("{}{}\x1b[r{}", save, at_bottom(rows_, rows_), restore));
  rows_ = 0;
}

bool TerminalLine::may_write() const {
  if (::tcgetpgrp(fd_) != ::getpgrp()) return false;
  pollfd out{fd_, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0;
}

/// What does not go out is no loss.
void TerminalLine::write(const std::string& text) const {
  [[maybe_unused]] const auto written = ::write(fd_, text.data(), text.size());
}

}  // namespace gilspy
