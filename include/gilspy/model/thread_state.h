#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gilspy {

/// Where a thread stands towards the GIL.
enum class GilState : std::uint8_t {
  unknown,   ///< could not be told at this tick; always counted and shown
  none,      ///< a native thread without a Python thread state, or a build whose GIL is off
  released,  ///< has a Python thread state, neither holds nor waits
  waiting,   ///< inside take_gil, or handing over inside drop_gil
  holding,   ///< gil.last_holder is this thread and gil.locked is 1
};

/// Where a thread stands towards the CPUs.
enum class CpuState : std::uint8_t {
  unknown,
  running,   ///< on a CPU
  runnable,  ///< ready, but without a CPU
  blocked,   ///< off CPU in a system call
  stopped,   ///< job control or a tracer
};

/// What a blocked thread waits for, by its system call.
enum class BlockKind : std::uint8_t { none, lock, io, sleep, child, poll, other };

/// Where a thread state of a free-threaded build stands while its GIL is off (PyThreadState.state).
enum class Attachment : std::uint8_t {
  none,       ///< no such thing: a native thread, a build with a GIL, or one whose GIL is on
  detached,   ///< lets others stop the world: blocks, or runs no Python
  attached,   ///< may run Python
  suspended,  ///< stopped by another thread that stopped the world (a garbage collection does)
};

inline constexpr std::size_t attachment_count = 4;

/// Both axes at one moment. `syscall` is the x86-64 system call number while blocked, else -1;
/// it may be known while holding or waiting too (a futex, a call that keeps the GIL).
struct ThreadState {
  GilState gil = GilState::unknown;
  CpuState cpu = CpuState::unknown;
  BlockKind kind = BlockKind::none;
  std::int16_t syscall = -1;
  Attachment attachment = Attachment::none;

  friend constexpr auto operator<=>(const ThreadState&, const ThreadState&) = default;
};

/// The timeline's states: what the two axes come to. A thread's seven times add up to its lifetime.
enum class Activity : std::uint8_t {
  holding_running,  ///< holds the GIL, in no system call (on a CPU or preempted)
  holding_blocked,  ///< holds the GIL across a system call, or while stopped: a finding
  waiting,          ///< waits for the GIL
  running,          ///< on a CPU without the GIL
  blocked,          ///< off CPU without wanting the GIL
  runnable,         ///< ready, without the GIL and without a CPU
  unknown,
};
inline constexpr std::size_t activity_count = 7;

[[nodiscard]] Activity activity_of(ThreadState state);

/// True when the thread would use a CPU now if neither the GIL nor other threads were in its way.
[[nodiscard]] bool wants_cpu(ThreadState state);

[[nodiscard]] std::string_view name_of(GilState state);
[[nodiscard]] std::string_view name_of(CpuState state);
[[nodiscard]] std::string_view name_of(BlockKind kind);
[[nodiscard]] std::string_view name_of(Attachment attachment);
/// As people read it: "holding, running", "waiting for the GIL", "blocked".
[[nodiscard]] std::string_view name_of(Activity activity);

/// "waiting for the GIL", "blocked (io: recvfrom)", "holding, blocked (clock_nanosleep)"; with the
/// GIL off "attached, running", "suspended (the world is stopped)".
[[nodiscard]] std::string describe(ThreadState state);

/// Name of an x86-64 system call, or "syscall 999" for one we do not know; "" for -1.
[[nodiscard]] std::string syscall_name(std::int16_t number);

/// What a thread blocked in this system call waits for. futex is `lock`.
[[nodiscard]] BlockKind block_kind_of(std::int16_t syscall);

}  // namespace gilspy
