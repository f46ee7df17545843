#include "gilspy/os/running_program.h"

#include <unistd.h>

namespace gilspy {

std::optional<RunningProgram> RunningProgram::of(const ProcDir& process) {
  UniqueFd memory = process.open_file("mem");
  // After the open: an exec in between gives an address that the old address space does not read.
  const auto stat = process.stat();
  if (!memory || !stat || stat->exiting || stat->start_stack == 0) return std::nullopt;
  RunningProgram program{std::move(memory), RemoteAddress{stat->start_stack}};
  if (!program.runs_still()) return std::nullopt;
  return program;
}

bool RunningProgram::runs_still() const {
  char byte = 0;
  // 0 bytes: the address space has no user any more. An error is an unreadable page in a living
  // one.
  return ::pread(memory_.get(), &byte, 1, static_cast<off_t>(stack_.value())) != 0;
}

}  // namespace gilspy
