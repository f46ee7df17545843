#include "find_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "gilspy/base/failure.h"
#include "gilspy/os/access.h"
#include "gilspy/os/process_memory.h"
#include "gilspy/sample/run.h"

namespace gilspy {
namespace {

/// An interpreter needs 10-30 ms to start, some hundred on a loaded machine.
constexpr Duration start_limit = std::chrono::seconds{3};
constexpr Duration look_again = std::chrono::milliseconds{2};

[[noreturn]] void refuse(const ProcDir& process, const LocateFailure& failure) {
  using Kind = LocateFailure::Kind;
  const int pid = process.pid().value;
  switch (failure.kind) {
    case Kind::denied:
      throw Failure(ExitCode::permission,
                    fmt::format("process {} cannot be read: {}", pid, why_denied(process)));
    case Kind::gone: throw Failure(ExitCode::gone, fmt::format("process {} has ended", pid));
    case Kind::unsupported:
      throw Failure(ExitCode::unsupported, fmt::format("process {}: {}", pid, failure.what));
    case Kind::not_ready:
      throw Failure(ExitCode::unsupported,
                    fmt::format("process {}: {}; try again when it runs", pid, failure.what));
    case Kind::not_python: break;
  }
  if (const auto child = python_child_of(process.pid())) {
    throw Failure(ExitCode::unsupported,
                  fmt::format("process {} ({}) is not a Python, but its child {} is: gilspy attach "
                              "--pid {}",
                              pid, process.command_line(), child->process.pid().value,
                              child->process.pid().value));
  }
  throw Failure(ExitCode::unsupported, fmt::format("process {} ({}) is not a Python: {}", pid,
                                                   process.command_line(), failure.what));
}

/// Kinds of failure that time can mend.
FoundTarget wait_for_target(Pid pid, std::initializer_list<LocateFailure::Kind> passing) {
  auto process = ProcDir::open(pid);
  if (!process || !process->alive()) {
    throw Failure(ExitCode::gone, fmt::format("there is no process {}", pid.value));
  }
  ProcessMemory memory{pid};
  const Time limit = now() + start_limit;
  while (true) {
    if (const auto denied = read_access(*process); denied != Access::allowed) {
      refuse(
          *process,
          {denied == Access::gone ? LocateFailure::Kind::gone : LocateFailure::Kind::denied, ""});
    }
    auto target = locate_python(*process, memory);
    if (target) return {std::move(*process), std::move(*target)};
    const bool passes = std::ranges::find(passing, target.error().kind) != passing.end();
    if (!passes || now() >= limit) {
      refuse(*process, target.error());
    }
    static_cast<void>(wait_until(now() + look_again, {}));
  }
}

}  // namespace

FoundTarget find_target(Pid pid) { return wait_for_target(pid, {LocateFailure::Kind::not_ready}); }

FoundTarget find_target_after_exec(Pid pid) {
  return wait_for_target(pid, {LocateFailure::Kind::not_ready, LocateFailure::Kind::not_python});
}

std::optional<FoundTarget> python_child_of(Pid pid) {
  for (const Pid child : descendants_of(pid)) {
    auto process = ProcDir::open(child);
    if (!process) continue;
    ProcessMemory memory{child};
    if (auto target = locate_python(*process, memory)) {
      return FoundTarget{std::move(*process), std::move(*target)};
    }
  }
  return std::nullopt;
}

}  // namespace gilspy
