#pragma once

#include <cstdint>
#include <vector>

#include "gilspy/profile/profile.h"

namespace gilspy {

/// A function that stayed at one place of a thread's stack for a while.
struct StackSlice {
  Time begin;
  Time end;
  CodeId code;
  std::uint32_t line = 0;  ///< where it was when the slice began
};

/// The samples taken in [begin, end], as slices that nest: those of callers come before those of
/// what they call, and begin and end no later and no earlier. A function's slice goes on from
/// sample to sample while it has the same callers; moving on to another line does not end it.
[[nodiscard]] std::vector<StackSlice> stack_slices(const Tables& tables,
                                                   const std::vector<StackMoment>& samples,
                                                   Time begin, Time end);

}  // namespace gilspy
