#pragma once

#include <vector>

#include "gilspy/profile/profile.h"

namespace gilspy {

[[nodiscard]] inline bool same_state(const Interval& a, const Interval& b) {
  return a.state == b.state;
}
[[nodiscard]] inline bool same_state(const HolderInterval& a, const HolderInterval& b) {
  return a.holder == b.holder && a.known == b.known;
}

/// Appends a stretch of time: empty ones vanish, and one that goes on where an equal one ended only
/// makes that one longer.
template <class Stretch>
void append_merged(std::vector<Stretch>& list, const Stretch& next) {
  if (next.begin == next.end) return;
  if (!list.empty() && list.back().end == next.begin && same_state(list.back(), next)) {
    list.back().end = next.end;
  } else {
    list.push_back(next);
  }
}

}  // namespace gilspy
