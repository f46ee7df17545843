#pragma once

#include <string>
#include <vector>

#include "gilspy/top/state.h"

namespace gilspy::top {

/// One line of the list of threads: figures as the profile has them, in shares of the thread's own
/// time.
struct ThreadRow {
  Tid tid;
  std::string name;
  const ThreadNow* now = nullptr;  ///< null: it is gone
  Activity activity = Activity::unknown;
  double hold = 0;
  double wait = 0;
  double run = 0;
  double blocked = 0;
  double ready = 0;  ///< runnable: it lacked a CPU, not the GIL
  Duration longest_wait{};
  std::uint64_t handoffs = 0;
};

/// Filtered and sorted. The rows point into `state`.
[[nodiscard]] std::vector<ThreadRow> thread_rows(const State& state);

/// Which of the rows is selected; 0 when none or one that is not listed.
[[nodiscard]] std::size_t selected_row(const std::vector<ThreadRow>& rows, Tid selected);

/// At most so many columns of it, with the beginning and the end: names of threads differ there.
[[nodiscard]] std::string shortened_inside(std::string_view text, int width);

[[nodiscard]] std::string_view heading_of(Column column);

/// "holding", "waiting", "runs"; with `syscall`, "in recvfrom" for one that is blocked.
[[nodiscard]] std::string state_words(const ThreadRow& row, bool syscall);

}  // namespace gilspy::top
