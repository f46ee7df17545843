#pragma once

#include <deque>
#include <map>
#include <vector>

#include "gilspy/model/events.h"
#include "gilspy/profile/profile.h"
#include "gilspy/top/state.h"

namespace gilspy::top {

/// The recent past in equal slots: each thread's states, and how far each GIL was held and
/// contended.
class Strips {
 public:
  /// Starts anew.
  void begin(Time at);
  void accept(const Event& event);
  /// Time has passed up to `at`.
  void advance(Time at);

  /// Oldest first; the last one is the slot that was closed last. Empty for a thread that is gone.
  [[nodiscard]] std::vector<Slot> thread(Tid tid) const;
  [[nodiscard]] std::map<GilId, GilHistory> gils() const;

 private:
  struct Lane {
    Activity activity = Activity::unknown;
    std::optional<GilId> gil;
    Time since;
    ActivityTimes times{};
    std::deque<Slot> slots;
  };
  struct GilLane {
    bool held = false;
    int waiters = 0;
    Time since;
    Duration held_time{};
    Duration contended_time{};
    std::deque<double> held_shares;
    std::deque<double> contended_shares;
  };

  void on_state(Time at, Tid tid, Activity activity);
  void count_waiter(Time at, const Lane& lane, int change);
  static void pass(Lane& lane, Time at);
  static void pass(GilLane& gil, Time at);
  void close_slot();

  Time slot_end_;
  std::map<Tid, Lane> threads_;
  std::map<GilId, GilLane> gils_;
};

}  // namespace gilspy::top
