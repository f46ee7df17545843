#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gilspy/profile/profile.h"
#include "gilspy/top/controls.h"

/// Everything the screen is made of: plain values.
namespace gilspy::top {

inline constexpr Duration slot_length = std::chrono::milliseconds{250};

/// A moment of a thread's strip: the two activities it spent most time in.
struct Slot {
  Activity most = Activity::unknown;
  Activity next = Activity::unknown;
  std::uint8_t eighths = 8;  ///< how much of both was `most`: 4 to 8
  bool seen = false;         ///< false: the thread was not there yet

  friend bool operator==(const Slot&, const Slot&) = default;
};

/// What is known of a thread besides its figures. A thread of the profile without one is gone.
struct ThreadNow {
  ThreadState state;
  std::optional<StackId> stack;
  std::int16_t blocked_in = -1;  ///< the system call it was last blocked in
  std::vector<Slot> strip;       ///< oldest first
};

/// Shares of each slot, oldest first.
struct GilHistory {
  std::vector<double> held;
  std::vector<double> contended;
  int waiters = 0;  ///< now
};

/// The target as it is now, and its figures over the reach that was asked for.
struct View {
  Profile profile;
  std::map<Tid, ThreadNow> threads;
  std::map<GilId, GilHistory> gils;
  /// For how long the process has been there; nothing when that is not known.
  std::optional<Duration> uptime;
};

/// What the terminal can show.
struct Look {
  bool color = true;
  bool unicode = true;
};

struct State {
  View view;
  Controls controls;
  Look look;
  std::string command;  ///< what was launched, while its Python has not been seen
  std::string ended;    ///< why nothing changes any more; "" while the target is there
  std::string note;     ///< a word for the last line, in place of the keys
};

}  // namespace gilspy::top
