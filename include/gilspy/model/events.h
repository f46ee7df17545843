#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gilspy/base/time.h"
#include "gilspy/model/ids.h"
#include "gilspy/model/thread_state.h"

/// The stream from the sampler to whatever wants it: a recording, a profile, a live view.
/// Rules of the stream:
///  - an id is defined before its first use, and once (but see GilDefined);
///  - times never go back;
///  - a state holds from its event until the next one of the same thread (or GIL);
///  - ProcessStarted comes first for its pid, ProcessEnded last.
namespace gilspy {

/// A process whose sampling begins. After an exec of another Python the same pid starts again.
struct ProcessStarted {
  Time at;
  Pid pid;
  std::string command;  ///< its command line, for people; arguments separated by spaces
  std::string python;   ///< "3.12.1"
  bool free_threaded = false;
  std::optional<bool> gil_enabled;  ///< nothing when it could not be read
  std::int64_t unix_ns = 0;         ///< CLOCK_REALTIME at `at`
  std::uint32_t cores = 0;          ///< CPUs the target may use (its affinity)
  double requested_hz = 0;          ///< state lane; 0 means as fast as it goes
  double stack_hz = 0;
  Duration switch_interval{};  ///< sys.getswitchinterval(); 0 when unknown

  friend bool operator==(const ProcessStarted&, const ProcessStarted&) = default;
};

struct StringDefined {
  StringId id;
  std::string text;  ///< UTF-8, cleaned of what is not
  friend bool operator==(const StringDefined&, const StringDefined&) = default;
};

/// A code object as people know it.
struct CodeDefined {
  CodeId id;
  StringId function;  ///< qualified name where the version has one
  StringId file;
  std::uint32_t first_line = 0;
  friend bool operator==(const CodeDefined&, const CodeDefined&) = default;
};

/// That code object is none of Python's but a native function: `file` names the library that it is
/// in, and it has no lines of its own. Follows the definition.
struct NativeMarked {
  CodeId id;
  friend bool operator==(const NativeMarked&, const NativeMarked&) = default;
};

/// Where that native function is written, which its debug information tells. Its stacks may have
/// lines from then on. Follows the mark, at any distance, once.
struct NativeSource {
  CodeId id;
  StringId file;
  std::uint32_t first_line = 0;
  friend bool operator==(const NativeSource&, const NativeSource&) = default;
};

/// One more frame on top of `parent`. Id 0 (empty_stack) is the root and is never defined.
struct StackDefined {
  StackId id;
  StackId parent;
  CodeId code;
  std::uint32_t line = 0;  ///< 0: not known
  friend bool operator==(const StackDefined&, const StackDefined&) = default;
};

/// A GIL of the process. `interpreters` names those that have shared it so far ("main", "main, 1").
/// The one definition that comes again: whenever another interpreter joins.
struct GilDefined {
  GilId id;
  Pid pid;
  StringId interpreters;
  friend bool operator==(const GilDefined&, const GilDefined&) = default;
};

/// A thread seen for the first time, or one whose name or standing changed.
struct ThreadSeen {
  Time at;
  Pid pid;
  Tid tid;
  StringId name;
  bool python = false;       ///< has a Python thread state
  std::optional<GilId> gil;  ///< the GIL it takes, where it has a thread state and there is one
  friend bool operator==(const ThreadSeen&, const ThreadSeen&) = default;
};

struct ThreadGone {
  Time at;
  Tid tid;
  friend bool operator==(const ThreadGone&, const ThreadGone&) = default;
};

/// From `at` on the thread is in this state.
struct StateChanged {
  Time at;
  Tid tid;
  ThreadState state;
  friend bool operator==(const StateChanged&, const StateChanged&) = default;
};

/// From `at` on this thread holds the GIL; `no_thread` when nobody does.
/// Sent when the holder changed, and also when hand-offs happened between two ticks that show the
/// same holder: the hold was interrupted even though no tick saw by whom.
struct GilChanged {
  Time at;
  GilId gil;
  Tid holder;
  bool known = true;           ///< false: could not be told from here on
  std::uint32_t handoffs = 0;  ///< growth of gil.switch_number since the last event of this GIL
  friend bool operator==(const GilChanged&, const GilChanged&) = default;
};

/// A thread's Python stack, read in the same tick as its state. It speaks for the thread's time in
/// that activity since the previous sample of the same activity.
struct StackSampled {
  Time at;
  Tid tid;
  StackId stack;
  friend bool operator==(const StackSampled&, const StackSampled&) = default;
};

/// Something a reader of the timeline should know: "the target was stopped", "exec of ...".
struct Noted {
  Time at;
  Pid pid;
  std::string text;
  friend bool operator==(const Noted&, const Noted&) = default;
};

/// Why there was no stack where one was wanted.
enum class StackDrop : std::uint8_t {
  changed,       ///< no two looks at it hung together
  code_changed,  ///< functions were made and freed while it was read
  unreadable,    ///< memory that should be there was not
  thread_gone,
  not_stopped,  ///< another tracer has the thread, or stopping it is not allowed
};
inline constexpr std::size_t stack_drop_count = 5;
[[nodiscard]] std::string_view name_of(StackDrop drop);

/// How hard it was to read the stacks of a Progress.
struct StackTrouble {
  std::uint64_t retried = 0;  ///< stacks that were not had at the first look
  std::uint64_t retries = 0;  ///< looks beyond the first, of all stacks
  std::array<std::uint64_t, stack_drop_count> dropped{};  ///< by StackDrop; adds up to all dropped
  friend bool operator==(const StackTrouble&, const StackTrouble&) = default;
};

/// Totals since the start of sampling; sent at least once a second and at the end.
struct Progress {
  Time at;
  std::uint64_t ticks = 0;
  std::uint64_t missed = 0;    ///< ticks whose moment passed before we had the CPU
  std::uint64_t unstable = 0;  ///< ticks at which the GIL could not be read
  /// Ticks during which the GIL changed hands; they are told as of their first moment.
  std::uint64_t during_handoff = 0;
  std::uint64_t stacks = 0;
  std::uint64_t stacks_dropped = 0;
  Duration cpu{};  ///< CPU time gilspy itself has used
  StackTrouble trouble{};
  friend bool operator==(const Progress&, const Progress&) = default;
};

/// How well native functions were found, where they were asked for; stacks since the last such
/// event. Sent with each Progress.
struct NativeCounted {
  Time at;
  std::uint64_t merged = 0;    ///< stacks with the native functions that were running
  std::uint64_t broken = 0;    ///< of those: not to be followed down to the thread's beginning
  std::uint64_t left_out = 0;  ///< shown without: they could not be read at the same moment
  friend bool operator==(const NativeCounted&, const NativeCounted&) = default;
};

/// How late ticks were, where there is a rate to keep, and what room there was for them; since the
/// last such event. Sent with each Progress.
struct LatenessCounted {
  Time at;
  std::vector<std::uint64_t> ticks;  ///< by bucket of Lateness
  Duration worst{};
  /// Of those missed: left out because whoever takes the stream could not keep up.
  std::uint64_t without_room = 0;
  friend bool operator==(const LatenessCounted&, const LatenessCounted&) = default;
};

/// Where the states of threads between the ticks come from.
enum class TraceSource : std::uint8_t {
  sampled,   ///< from the ticks alone
  switches,  ///< on and off a CPU from the kernel's records of context switches
  exact,     ///< that, and waits for the GIL from its records of futex calls
};

/// "sampled", "switches", "exact".
[[nodiscard]] std::string_view name_of(TraceSource source);

/// What the kernel's own records have told, where they were asked for: sent when sampling begins,
/// and at its end. Does not bear on any event after it.
struct Traced {
  Time at;
  Pid pid;
  TraceSource source = TraceSource::sampled;
  std::uint64_t lost = 0;  ///< records that found no room, in all; each is noted where it was
  friend bool operator==(const Traced&, const Traced&) = default;
};

enum class EndReason : std::uint8_t {
  requested,  ///< duration over, Ctrl-C or SIGTERM
  target_ended,
  target_execed,  ///< the process became another program
  lost,           ///< the target could not be read any more
};

struct ProcessEnded {
  Time at;
  Pid pid;
  EndReason reason = EndReason::requested;
  friend bool operator==(const ProcessEnded&, const ProcessEnded&) = default;
};

using Event = std::variant<ProcessStarted, StringDefined, CodeDefined, NativeMarked, NativeSource,
                           StackDefined, GilDefined, ThreadSeen, ThreadGone, StateChanged,
                           GilChanged, StackSampled, Noted, Progress, NativeCounted,
                           LatenessCounted, Traced, ProcessEnded>;

/// The moment of an event; nothing for definitions.
[[nodiscard]] std::optional<Time> time_of(const Event& event);

/// Takes the stream. The sampler, a recording's reader and tests push into it alike.
class SampleSink {
 public:
  SampleSink() = default;
  SampleSink(const SampleSink&) = delete;
  SampleSink& operator=(const SampleSink&) = delete;
  virtual ~SampleSink() = default;

  virtual void accept(const Event& event) = 0;
  /// False while whoever takes the stream cannot keep up with it: a tick is better left out then.
  /// Events that must not get lost are taken all the same.
  [[nodiscard]] virtual bool has_room() const { return true; }
};

}  // namespace gilspy
