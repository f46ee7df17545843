#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gilspy/os/proc.h"

namespace gilspy {

enum class Access { allowed, denied, gone };

/// Tries it: reads one byte of the process's memory and a thread's system call.
[[nodiscard]] Access read_access(const ProcDir& process);

/// One thing that decides whether a process can be read.
struct AccessCheck {
  std::string name;
  bool good = false;
  std::string finding;  ///< what was found
  std::string fix;      ///< the command or step that mends it; empty when good
};

/// What of this machine and this user decides, without any process.
[[nodiscard]] std::vector<AccessCheck> check_machine();
/// What of this process decides, as well.
[[nodiscard]] std::vector<AccessCheck> check_process(const ProcDir& process);

/// The first reason why the process cannot be read, with its fix, in one line.
[[nodiscard]] std::string why_denied(const ProcDir& process);

}  // namespace gilspy
