#pragma once

#include <string>
#include <string_view>

#include "../event_helpers.h"
#include "gilspy/profile/profile_builder.h"
#include "gilspy/top/live.h"
#include "gilspy/top/render.h"

namespace gilspy::top::testing {

using gilspy::testing::at_ms;

inline constexpr ThreadState holding = gilspy::testing::holding;
inline constexpr ThreadState waiting = gilspy::testing::waiting;
inline constexpr ThreadState running = gilspy::testing::running;
inline constexpr ThreadState sleeping = gilspy::testing::sleeping;
inline constexpr Pid process{100};
inline constexpr GilId main_gil{0};

[[nodiscard]] constexpr Duration ms(double value) {
  return Duration{static_cast<std::int64_t>(value * 1e6)};
}

/// A stream written by hand into any sink; moments are milliseconds after the start.
class Stream {
 public:
  explicit Stream(SampleSink& sink) : sink_(sink), names_(sink) {
    sink.accept(ProcessStarted{at_ms(0), process, "/usr/bin/python3 app.py --port 80", "3.12.1",
                               false, true, 1'700'000'000'000'000'000, 2, 1000, 100, ms(5)});
    sink.accept(GilDefined{main_gil, process, names_.string("main")});
  }

  void thread(double t, Tid tid, std::string_view name, ThreadState state) {
    sink_.accept(ThreadSeen{at_ms(t), process, tid, names_.string(name), true, main_gil});
    sink_.accept(StateChanged{at_ms(t), tid, state});
  }
  void gone(double t, Tid tid) { sink_.accept(ThreadGone{at_ms(t), tid}); }
  void state(double t, Tid tid, ThreadState state) {
    sink_.accept(StateChanged{at_ms(t), tid, state});
  }
  void holder(double t, Tid tid) { sink_.accept(GilChanged{at_ms(t), main_gil, tid, true, 1}); }
  void stack(double t, Tid tid, StackId id) { sink_.accept(StackSampled{at_ms(t), tid, id}); }
  void progress(double t) {
    Progress totals;
    totals.at = at_ms(t);
    totals.ticks = static_cast<std::uint64_t>(t);
    sink_.accept(totals);
  }
  void end(double t) { sink_.accept(ProcessEnded{at_ms(t), process, EndReason::target_ended}); }
  [[nodiscard]] StackId frame(std::string_view function, std::uint32_t line,
                              StackId parent = empty_stack) {
    return names_.stack(parent, names_.code(function, "/srv/app/worker.py", 10), line);
  }

 private:
  SampleSink& sink_;
  Interner names_;
};

/// `first` and `second` hand the GIL to each other every 5 ms from `from` to `to`; each has a stack
/// sampled while it holds.
inline void alternate(Stream& stream, double from, double to, Tid first, Tid second,
                      StackId first_stack, StackId second_stack) {
  for (double t = from; t < to; t += 10) {
    stream.holder(t, first);
    stream.state(t, second, waiting);
    stream.state(t, first, holding);
    stream.stack(t + 4, first, first_stack);
    stream.holder(t + 5, second);
    stream.state(t + 5, first, waiting);
    stream.state(t + 5, second, holding);
    stream.stack(t + 9, second, second_stack);
  }
}

inline constexpr Tid alpha{101};
inline constexpr Tid beta{102};
inline constexpr Tid idle{103};

/// Two threads that fight for the GIL for so long, and one that sleeps.
inline void fight(SampleSink& sink, double total, std::string_view first_name = "alpha",
                  std::string_view second_name = "beta") {
  Stream stream{sink};
  stream.thread(0, alpha, first_name, holding);
  stream.thread(0, beta, second_name, waiting);
  stream.thread(0, idle, "MainThread", sleeping);
  const StackId main = stream.frame("main", 40);
  const StackId parse = stream.frame("parse", 17, main);
  const StackId encode = stream.frame("encode", 90, main);
  for (double t = 0; t < total; t += 500) {
    alternate(stream, t, t + 500, alpha, beta, parse, encode);
    stream.progress(t + 500);
  }
}

[[nodiscard]] inline State fight_state(Look look = {}) {
  Live live{std::chrono::seconds{10}};
  fight(live, 2000);
  State state;
  state.view = live.view(Reach::window);
  state.view.uptime = std::chrono::seconds{75};
  state.look = look;
  return state;
}

}  // namespace gilspy::top::testing
