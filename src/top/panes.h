#pragma once

#include <string>
#include <vector>

#include "gilspy/top/screen.h"
#include "gilspy/top/state.h"
#include "thread_rows.h"

/// The parts of the screen. Each draws into `rows` rows from `top` on, and never beyond.
namespace gilspy::top {

struct Area {
  int top = 0;
  int rows = 0;
};

/// How many rows the header wants on a screen of so many columns.
[[nodiscard]] int header_height(const State& state, int columns);
void put_header(Screen& screen, Area area, const State& state);

/// The headings and, below, as many threads as fit around the selected one.
void put_threads(Screen& screen, Area area, const State& state, const std::vector<ThreadRow>& rows);

/// A row of tabs and the pane that was chosen.
void put_lower_pane(Screen& screen, Area area, const State& state,
                    const std::vector<ThreadRow>& rows);

void put_functions(Screen& screen, Area area, const State& state);
void put_blame(Screen& screen, Area area, const State& state);
void put_stack(Screen& screen, Area area, const State& state, const std::vector<ThreadRow>& rows);

void put_help(Screen& screen, Area area, Look look);

/// "worker.py:17", or "" when there is nothing to say.
[[nodiscard]] std::string place_of(std::string_view file, std::uint32_t line);

}  // namespace gilspy::top
