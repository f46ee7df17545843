#pragma once

#include <optional>
#include <string>

#include "gilspy/base/memory_reader.h"
#include "gilspy/python/interpreters.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// The module that this thread is importing, the innermost one: the argument of importlib's
/// _find_and_load. Nothing when it imports none. For versions whose thread states point at their
/// frames (3.13 on); nothing else of any frame is read.
[[nodiscard]] std::optional<std::string> module_being_imported(MemoryReader& memory,
                                                               const Layout& layout,
                                                               const PythonThread& thread);

}  // namespace gilspy
