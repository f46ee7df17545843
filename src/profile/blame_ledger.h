#pragma once

#include <map>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "gilspy/profile/profile.h"

namespace gilspy {

/// Books every moment of waiting on whoever held the GIL, and on the stack that held it. A holder's
/// time is pending until a stack of it is sampled, so that each waiter's entries add up to its
/// waiting time whatever the rate of stack samples was.
class BlameLedger {
 public:
  /// `waiter` waited so long while `holder` had the GIL; no_thread when nobody had it or it is not
  /// known.
  void waited(Tid holder, Tid waiter, Duration time);
  /// The stack of `holder` while it had the GIL: what is pending was spent in it.
  void sampled(Tid holder, StackId stack);
  /// Another thread has this tid now: what is pending belongs to the old one.
  void reused(Tid holder);

  /// All entries, most time first; what is pending goes to the holder's last stack, else to
  /// empty_stack.
  [[nodiscard]] std::vector<Blame> rows() const;

 private:
  struct Holder {
    StackId last = empty_stack;
    std::unordered_map<Tid, Duration> pending;  ///< by waiter
  };
  using Key = std::tuple<Tid, Tid, StackId>;  ///< holder, waiter, stack

  void settle(Tid tid, Holder& holder);

  std::unordered_map<Tid, Holder> holders_;
  std::map<Key, Duration> settled_;
};

}  // namespace gilspy
