#pragma once

#include <string>
#include <string_view>

#include "gilspy/base/unique_fd.h"
#include "gilspy/top/screen.h"

namespace gilspy::top {

/// The terminal that standard output is, taken over for full-screen drawing while this lives. It is
/// given back by the destructor, and by a handler when the program crashes; what only SIGKILL
/// leaves undone, `reset` repairs. One at a time.
class Terminal {
 public:
  /// Throws Failure(other) when it cannot be used.
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Readable (poll) when keys have come.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The bytes of all keys that have come. Empty and no longer `alive` when the terminal is gone.
  [[nodiscard]] std::string read();
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] Size size() const;

  /// Sends what the terminal takes now without waiting and keeps the rest.
  void write(std::string_view bytes);
  /// Sends more of the rest. True when nothing is left of it.
  bool flush();

  /// Gives the terminal back for a while, as before SIGSTOP, and takes it again.
  void leave();
  void enter();

 private:
  UniqueFd fd_;
  std::string unsent_;
  bool alive_ = true;
};

/// Whether standard output is a terminal on which one can draw.
[[nodiscard]] bool can_draw();

/// What standard output can show: NO_COLOR, TERM and the locale decide. Calls setlocale().
[[nodiscard]] bool wants_color();
[[nodiscard]] bool has_unicode();

}  // namespace gilspy::top
