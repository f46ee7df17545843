#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gilspy/profile/profile.h"

/// What somebody should look at first, found in a profile's timeline.
namespace gilspy {

enum class FindingKind : std::uint8_t {
  /// The GIL was kept far beyond the switch interval while others waited: code that does not come
  /// back to the interpreter's loop, and so does not see that it should let go.
  long_hold,
  /// The GIL was kept across a system call.
  held_in_syscall,
  /// A thread needs the GIL for a moment only, and waits about a switch interval each time: the
  /// convoy effect of I/O beside computation (https://bugs.python.org/issue7946).
  convoy,
  /// While a thread waited, another one got the GIL again and again.
  starving,
};
[[nodiscard]] std::string_view name_of(FindingKind kind);

/// What happened to several threads is one finding, and so is what happened again and again: under
/// long_hold and held_in_syscall for each function and system call. The longest occurrence is the
/// example to look at.
struct Finding {
  FindingKind kind = FindingKind::long_hold;
  Tid thread;                 ///< of the example: who held it; under convoy and starving who waited
  std::uint64_t threads = 1;  ///< that this happened to
  Time begin;                 ///< of the example
  Time end;                   ///< likewise
  std::uint64_t count = 0;    ///< occurrences
  Duration total{};           ///< of all occurrences
  Duration waited{};          ///< what it cost: waiter-time, of all who waited
  /// Under starving: who got the GIL most often in the example; under convoy: who had it longest in
  /// most of the waits, or no_thread where that is not known.
  Tid other;
  std::uint64_t overtaken = 0;  ///< under starving: how often; under convoy: in how many waits
  StackId stack;                ///< of the holder in the example, where one was sampled
  /// The native function that was on top most often, over all occurrences.
  std::optional<CodeId> native;
  std::int16_t syscall = -1;  ///< under held_in_syscall; -1: stopped
  [[nodiscard]] Duration longest() const { return end - begin; }
};

/// What cost most waiting first; never more than a few dozen. Needs the timeline.
[[nodiscard]] std::vector<Finding> findings_of(const Profile& profile);

}  // namespace gilspy
