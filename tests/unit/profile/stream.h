#pragma once

#include <map>
#include <string>
#include <string_view>

#include "event_helpers.h"
#include "gilspy/profile/profile_builder.h"

namespace gilspy::testing {

inline constexpr Tid A{101};
inline constexpr Tid B{102};
inline constexpr Tid C{103};
inline constexpr Tid D{104};
inline constexpr GilId main_gil{0};

[[nodiscard]] constexpr Duration ms(double value) {
  return Duration{static_cast<std::int64_t>(value * 1e6)};
}

/// Writes a stream by hand: every moment is in milliseconds after the start.
class Stream {
 public:
  Stream() : Stream(ProfileBuilder::Options{}) {}
  explicit Stream(ProfileBuilder::Options options) : builder(options) {}

  ProcessStarted process{at_ms(0), Pid{100}, "python app.py", "3.12.1", false, true, 0, 2, 1000,
                         100,      ms(5)};

  /// Sends ProcessStarted as `process` stands and defines the main GIL.
  void start() {
    builder.accept(process);
    builder.accept(GilDefined{main_gil, process.pid, names.string("main")});
  }
  void seen(double t, Tid tid, std::string_view name = "", std::optional<GilId> gil = main_gil) {
    builder.accept(ThreadSeen{at_ms(t), Pid{100}, tid, names.string(name), gil.has_value(), gil});
  }
  void gone(double t, Tid tid) { builder.accept(ThreadGone{at_ms(t), tid}); }
  void state(double t, Tid tid, ThreadState state) {
    builder.accept(StateChanged{at_ms(t), tid, state});
  }
  void holder(double t, Tid tid, std::uint32_t handoffs = 1) {
    builder.accept(GilChanged{at_ms(t), main_gil, tid, true, handoffs});
  }
  void holder_unknown(double t) {
    builder.accept(GilChanged{at_ms(t), main_gil, no_thread, false, 0});
  }
  /// The thread gets the GIL and starts to run.
  void takes(double t, Tid tid) {
    holder(t, tid);
    state(t, tid, holding);
  }
  void stack(double t, Tid tid, StackId stack) {
    builder.accept(StackSampled{at_ms(t), tid, stack});
  }
  /// A stack of one frame.
  StackId frame(std::string_view function, std::uint32_t line, StackId parent = empty_stack) {
    return names.stack(parent, names.code(function, "/app/worker.py", 1), line);
  }
  /// A native function on top of a stack.
  StackId native(std::string_view function, StackId parent) {
    return names.stack(parent, names.native_code(function, "_sre.so"), 0);
  }
  void ticks(double t, std::uint64_t ticks) { builder.accept(Progress{at_ms(t), ticks}); }
  void end(double t, EndReason reason = EndReason::requested) {
    builder.accept(ProcessEnded{at_ms(t), process.pid, reason});
  }
  [[nodiscard]] Profile profile() const { return builder.profile(); }

  ProfileBuilder builder;
  Interner names{builder};
};

/// Two threads hand the GIL to each other every 5 ms, for `total` ms.
inline void alternate(Stream& stream, double total) {
  stream.start();
  stream.seen(0, A, "a");
  stream.seen(0, B, "b");
  stream.state(0, B, waiting);
  Tid next = A;
  for (double t = 0; t < total; t += 5) {
    const Tid other = next == A ? B : A;
    stream.holder(t, next);
    stream.state(t, other, waiting);
    stream.state(t, next, holding);
    next = other;
  }
  stream.ticks(total, static_cast<std::uint64_t>(total));
  stream.end(total);
}

[[nodiscard]] inline Duration blame_between(const Profile& profile, Tid holder, Tid waiter) {
  Duration sum{};
  for (const Blame& row : profile.blame) {
    if (row.holder == holder && row.waiter == waiter) sum += row.time;
  }
  return sum;
}

[[nodiscard]] inline Duration stack_time(const Profile& profile, Weight weight, Tid tid,
                                         StackId stack) {
  Duration sum{};
  for (const StackWeight& row : profile.stacks_by(weight)) {
    if (row.tid == tid && row.stack == stack) sum += row.time;
  }
  return sum;
}

[[nodiscard]] inline Duration time_of_thread(const Profile& profile, Tid tid, Activity activity) {
  const ThreadProfile* thread = profile.thread(tid);
  return thread != nullptr ? time_in(thread->times, activity) : Duration{-1};
}

}  // namespace gilspy::testing
