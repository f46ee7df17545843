#pragma once

#include <cstdint>
#include <string>

#include "gilspy/model/ids.h"

namespace gilspy::top {

/// Which stretch of time the figures are about.
enum class Reach : std::uint8_t { window, whole };

enum class Pane : std::uint8_t { functions, blame, stack };
inline constexpr std::size_t pane_count = 3;

/// What the threads are sorted by.
enum class Column : std::uint8_t {
  name,
  tid,
  state,
  hold,
  wait,
  run,
  blocked,
  ready,
  longest_wait,
  handoffs,
};
inline constexpr std::size_t column_count = 10;

/// What the user has chosen.
struct Controls {
  Reach reach = Reach::window;
  Pane pane = Pane::functions;
  Column sort = Column::hold;
  bool reversed = false;
  Tid selected = no_thread;  ///< no_thread: the first one
  std::string filter;        ///< threads whose name or tid contains it
  bool filtering = false;    ///< it is being typed
  int scrolled = 0;          ///< lines of the lower pane above its top
  bool help = false;
  bool paused = false;
};

}  // namespace gilspy::top
