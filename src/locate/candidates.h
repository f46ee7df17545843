#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/locate/binaries.h"
#include "gilspy/python_offsets/version.h"

namespace gilspy {

/// What _PyRuntime begins with from 3.13 on (Include/internal/pycore_debug_offsets.h).
inline constexpr std::string_view debug_cookie = "xdebugpy";

/// Where a CPython's _PyRuntime may be. Believed only once it was followed.
struct Candidate {
  RemoteAddress runtime;
  Version version;  ///< {} when the file does not tell
  bool free_threaded = false;
  std::string how;             ///< for people: by what it was found
  bool debug_offsets = false;  ///< it begins with their cookie
};

/// What was found in one mapped file.
struct Candidates {
  std::string kind;  ///< of the file, for people: "shared, stripped"
  std::vector<Candidate> runtimes;
  bool python_without_runtime = false;  ///< a CPython, but too old, or stripped of too much
};

[[nodiscard]] Candidates find_candidates(const ProcDir& process, MemoryReader& memory,
                                         const std::vector<Mapping>& maps, const Binary& binary);

}  // namespace gilspy
