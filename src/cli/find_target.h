#pragma once

#include <string>

#include "gilspy/locate/target.h"

namespace gilspy {

/// Opens the process and finds its Python, waiting some seconds for one that is just starting.
/// Throws Failure with the exit status of section "exit statuses" of the README: no such process,
/// not a Python (names its Python child if there is one), not supported, not permitted.
struct FoundTarget {
  ProcDir process;
  Target target;
};
[[nodiscard]] FoundTarget find_target(Pid pid);
/// Likewise for a process that has just become another program: its libpython may not be mapped
/// yet.
[[nodiscard]] FoundTarget find_target_after_exec(Pid pid);

/// The process's Python descendant that is nearest, if any.
[[nodiscard]] std::optional<FoundTarget> python_child_of(Pid pid);

}  // namespace gilspy
