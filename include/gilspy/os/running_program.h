#pragma once

#include <optional>

#include "gilspy/base/address.h"
#include "gilspy/base/unique_fd.h"
#include "gilspy/os/proc.h"

namespace gilspy {

/// The program that a process runs at the moment, told from the one it becomes by exec. Where
/// things lie tells nothing: without address space randomisation the same binary comes back at the
/// same places. An open /proc/PID/mem belongs to one address space for good, and an exec makes a
/// new one (fs/exec.c, exec_mmap): from then on the old one reads as empty (fs/proc/base.c,
/// mem_rw).
class RunningProgram {
 public:
  /// Nothing when it is ending, in the middle of an exec, or may not be read.
  [[nodiscard]] static std::optional<RunningProgram> of(const ProcDir& process);

  /// False once the process has ended or become another program.
  [[nodiscard]] bool runs_still() const;

 private:
  RunningProgram(UniqueFd memory, RemoteAddress stack)
      : memory_(std::move(memory)), stack_(stack) {}
  UniqueFd memory_;
  RemoteAddress stack_;  // its highest byte in use: always mapped
};

}  // namespace gilspy
