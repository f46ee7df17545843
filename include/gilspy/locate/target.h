#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/os/proc.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// A CPython found inside a process.
struct Target {
  Pid pid;
  Version version;
  std::shared_ptr<const Layout> layout;  ///< never null
  RemoteAddress runtime;                 ///< _PyRuntime
  std::string binary;                    ///< the file it lies in, as the target sees it
  std::string kind;                      ///< of that file, for people: "static, PIE, stripped"
  std::string how;                       ///< how it was found, for people: "symbol _PyRuntime"
  std::string layout_from;          ///< where the layout is from, for people: "its debug offsets"
  std::vector<std::string> others;  ///< further CPythons in the process, for people
};

struct LocateFailure {
  enum class Kind {
    not_python,   ///< no CPython in any mapped file
    not_ready,    ///< a CPython that has not yet made its first interpreter, or is just ending
    unsupported,  ///< a CPython we have no layout for
    denied,       ///< no permission to look
    gone,         ///< the process has ended
  } kind = Kind::not_python;
  std::string what;  ///< one line for people
};

/// Looks for a CPython among the files the process has mapped, and accepts a candidate only when
/// its _PyRuntime leads to an interpreter and a thread that point back at each other.
[[nodiscard]] tl::expected<Target, LocateFailure> locate_python(const ProcDir& process,
                                                                MemoryReader& memory);

}  // namespace gilspy
