#pragma once

#include <string>

#include "gilspy/base/unique_fd.h"
#include "gilspy/os/proc.h"

namespace gilspy {

/// Opens a file of a process's /proc folder that stands for a mapped file ("exe",
/// "map_files/..."), or nothing when that is not a regular file.
[[nodiscard]] UniqueFd open_mapped_file(const ProcDir& process, const std::string& path);

/// Opens a regular file by the name it has for the process: in its mount namespace and below its
/// root, out of which no symbolic link leads. What is no regular file is never opened: whatever
/// lies there, the target or its container put it there.
[[nodiscard]] UniqueFd open_in_root(const ProcDir& process, const std::string& path);

/// Likewise, but nothing where the name itself is a symbolic link, or the file belongs to neither
/// the process's user nor root.
[[nodiscard]] UniqueFd open_own_in_root(const ProcDir& process, const std::string& path);

}  // namespace gilspy
