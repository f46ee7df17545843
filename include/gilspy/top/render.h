#pragma once

#include <string>
#include <vector>

#include "gilspy/top/screen.h"
#include "gilspy/top/state.h"

namespace gilspy::top {

/// The whole screen. Depends on nothing but its arguments.
[[nodiscard]] Screen render(const State& state, Size size);

/// All of it as plain text, as wide as said: every thread, and the first rows of functions and
/// blame.
[[nodiscard]] std::string render_text(const State& state, int columns);

/// The threads as the screen lists them: filtered and sorted.
[[nodiscard]] std::vector<Tid> listed_threads(const State& state);

}  // namespace gilspy::top
