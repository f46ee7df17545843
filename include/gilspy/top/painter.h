#pragma once

#include <optional>
#include <string>

#include "gilspy/top/screen.h"

namespace gilspy::top {

/// Turns screens into what an ANSI terminal needs to show them: only what has changed since the
/// screen before.
class Painter {
 public:
  explicit Painter(bool color) : color_(color) {}

  [[nodiscard]] std::string paint(const Screen& screen);
  /// The terminal shows something else now: the next screen is painted whole.
  void forget() { shown_.reset(); }

 private:
  bool color_;
  std::optional<Screen> shown_;
};

}  // namespace gilspy::top
