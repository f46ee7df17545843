#pragma once

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <array>
#include <cstdint>
#include <vector>

#include "classify.h"

namespace gilspy::testing {

/// Builds what one tick saw. GIL number g lies at gil_at(g); thread state number n at state(n).
inline const Layout& layout() { return *layout_for({3, 12, 0}, false); }

[[nodiscard]] constexpr RemoteAddress gil_at(std::size_t gil) {
  return RemoteAddress{0x7f0000000000 + 0x1000 * gil};
}
[[nodiscard]] constexpr RemoteAddress state(std::uint64_t number) {
  return RemoteAddress{0x555500000000 + 0x200 * number};
}

inline const GilReader& reader(std::size_t gil) {
  static const std::array<GilReader, 3> readers{GilReader{layout(), gil_at(0)},
                                                GilReader{layout(), gil_at(1)},
                                                GilReader{layout(), gil_at(2)}};
  return readers.at(gil);
}

/// A stable GIL that is held by this thread state; by nobody when null.
[[nodiscard]] inline GilSight held_by(RemoteAddress holder, std::size_t gil = 0) {
  GilSight sight;
  sight.reader = &reader(gil);
  sight.moment.locked = !holder.is_null();
  sight.moment.last_holder = holder;
  sight.after = sight.moment;
  return sight;
}
[[nodiscard]] inline GilSight with_waiters(GilSight sight, std::uint32_t waiters) {
  sight.cond_waiters = waiters;
  return sight;
}

[[nodiscard]] inline LaneSight on_queue(RemoteAddress thread_state, std::size_t gil = 0) {
  LaneSight lane;
  lane.thread_state = thread_state;
  lane.gil = gil;
  lane.syscall.kind = SyscallNow::Kind::running;
  return lane;
}
[[nodiscard]] inline LaneSight in_call(RemoteAddress thread_state, std::int16_t number,
                                       std::uint64_t first_argument = 0, std::size_t gil = 0) {
  LaneSight lane = on_queue(thread_state, gil);
  lane.syscall = {SyscallNow::Kind::in_syscall, number, {first_argument}};
  return lane;
}
[[nodiscard]] inline LaneSight in_futex(RemoteAddress thread_state, RemoteAddress futex,
                                        std::size_t gil = 0) {
  return in_call(thread_state, SYS_futex, futex.value(), gil);
}
/// Blocked on a futex inside gil.cond (glibc waits on its __g_signals).
[[nodiscard]] inline LaneSight in_cond(RemoteAddress thread_state, std::size_t gil = 0) {
  return in_futex(thread_state, layout().at.gil.cond.in(gil_at(gil)) + 40, gil);
}
[[nodiscard]] inline LaneSight in_switch_cond(RemoteAddress thread_state, std::size_t gil = 0) {
  return in_futex(thread_state, layout().at.gil.switch_cond.in(gil_at(gil)) + 40, gil);
}
[[nodiscard]] inline LaneSight in_mutex(RemoteAddress thread_state, std::size_t gil = 0) {
  return in_futex(thread_state, layout().at.gil.mutex.in(gil_at(gil)), gil);
}
[[nodiscard]] inline LaneSight elsewhere(LaneSight lane, SyscallNow::Kind kind) {
  lane.syscall = {kind, -1, {}};
  return lane;
}

/// The GIL went from one to the other while the threads were looked at.
[[nodiscard]] inline GilSight handed_over(RemoteAddress from, RemoteAddress to) {
  GilSight gil = held_by(from);
  gil.stable = false;
  gil.after = held_by(to).moment;
  return gil;
}

[[nodiscard]] inline LaneSight at_place(LaneSight lane, PthreadPlace place) {
  lane.place = place;
  return lane;
}
[[nodiscard]] inline LaneSight in_the_mutex(LaneSight lane) {
  lane.in_mutex = true;
  return lane;
}

using Lanes = std::vector<LaneSight>;
using Gils = std::vector<GilSight>;

[[nodiscard]] inline std::vector<GilState> gil_states(const Lanes& lanes, const Gils& gils) {
  std::vector<GilState> result;
  for (const ThreadState& each : classify(lanes, gils)) result.push_back(each.gil);
  return result;
}
[[nodiscard]] inline ThreadState only(const LaneSight& lane, const GilSight& gil) {
  const auto states = classify(Lanes{lane}, Gils{gil});
  EXPECT_EQ(states.size(), 1U);
  return states.empty() ? ThreadState{} : states.front();
}

}  // namespace gilspy::testing
