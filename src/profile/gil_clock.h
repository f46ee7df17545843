#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "blame_ledger.h"
#include "gilspy/profile/profile.h"

namespace gilspy {

/// Adds up one GIL's life: who holds it, who waits, for how long. Copies are closed for a profile
/// in mid-stream while the original runs on.
class GilClock {
 public:
  /// A hold that is over.
  struct Hold {
    Tid holder;
    Duration length;
  };

  GilClock(GilId id, Time at, bool keep_timeline);

  void set_interpreters(std::string_view names) { figures_.interpreters = names; }
  /// Takes in a new holder, or hand-offs under the same one; answers the hold that it ended.
  std::optional<Hold> change(Time at, const GilChanged& event, BlameLedger& blame);
  void wait_begins(Time at, Tid waiter);
  /// `switch_interval` 0: not known, then no wait counts as forced.
  void wait_ends(Time at, Tid waiter, Duration switch_interval, BlameLedger& blame);
  /// Books the waiting so far on the holder, so that a stack sampled now can be blamed for it.
  void settle(Time at, BlameLedger& blame);
  /// Nothing more comes: counts everything up to `at`. Answers the hold that it cut off.
  std::optional<Hold> close(Time at, Duration switch_interval, BlameLedger& blame);

  [[nodiscard]] Tid holder() const { return holder_; }
  /// How long `tid` has had this GIL without a break; 0 when it has not.
  [[nodiscard]] Duration hold_so_far(Time at, Tid tid) const;
  /// True once a holder or a waiter was seen: a GIL that exists but is off has neither.
  [[nodiscard]] bool in_use() const { return in_use_; }
  [[nodiscard]] const GilProfile& figures() const { return figures_; }
  [[nodiscard]] const std::vector<HolderInterval>& intervals() const { return intervals_; }
  [[nodiscard]] const std::vector<HandoffCount>& handoffs() const { return handoffs_; }

 private:
  struct Waiter {
    Time began;
    Time settled;
  };

  void advance(Time at);
  void settle_one(Time at, Tid tid, Waiter& waiter, BlameLedger& blame);
  void count_wait(Duration length, Duration switch_interval);
  std::optional<Hold> end_hold(Time at);

  GilProfile figures_;
  Tid holder_ = no_thread;
  bool known_ = false;  ///< until the first GilChanged
  bool in_use_ = false;
  bool keep_timeline_;
  Time since_;  ///< everything before is in figures_
  Time holder_began_;
  Time hold_began_;
  std::map<Tid, Waiter> waiters_;
  std::vector<HolderInterval> intervals_;
  std::vector<HandoffCount> handoffs_;
};

}  // namespace gilspy
