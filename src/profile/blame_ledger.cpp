#include "blame_ledger.h"

#include <algorithm>

namespace gilspy {

void BlameLedger::waited(Tid holder, Tid waiter, Duration time) {
  if (time == Duration{}) return;
  // A thread that is said to hold and to wait at once was read in between: nobody else is to blame.
  holders_[holder == waiter ? no_thread : holder].pending[waiter] += time;
}

void BlameLedger::sampled(Tid holder, StackId stack) {
  Holder& entry = holders_[holder];
  entry.last = stack;
  settle(holder, entry);
}

void BlameLedger::reused(Tid holder) {
  const auto found = holders_.find(holder);
  if (found == holders_.end()) return;
  settle(holder, found->second);
  holders_.erase(found);
}

std::vector<Blame> BlameLedger::rows() const {
  auto all = settled_;
  for (const auto& [tid, holder] : holders_) {
    for (const auto& [waiter, time] : holder.pending) all[{tid, waiter, holder.last}] += time;
  }
  std::vector<Blame> rows;
  rows.reserve(all.size());
  for (const auto& [key, time] : all) {
    const auto [holder, waiter, stack] = key;
    rows.push_back(Blame{holder, waiter, stack, time});
  }
  std::ranges::stable_sort(rows, std::ranges::greater{}, &Blame::time);
  return rows;
}

void BlameLedger::settle(Tid tid, Holder& holder) {
  for (const auto& [waiter, time] : holder.pending) settled_[{tid, waiter, holder.last}] += time;
  holder.pending.clear();
}

}  // namespace gilspy
