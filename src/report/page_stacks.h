#pragma once

#include <cstdint>
#include <vector>

#include "gilspy/profile/profile.h"
#include "packed.h"
#include "page_clock.h"

namespace gilspy {

/// A stack sample as the page needs it: a thread's time in `activity` before this moment, back to
/// the sample of the same activity before it, was spent in `stack`.
struct PageSample {
  std::uint32_t at;
  Activity activity;
  StackId stack;
};

/// The samples of each thread, in the order of Profile::threads. One is left out where the next of
/// its activity says the same: what time is booked on which stack does not change by that.
[[nodiscard]] std::vector<std::vector<PageSample>> samples_of(const Profile& profile,
                                                              const PageClock& clock);

/// Every `every`th sample of each thread and activity.
[[nodiscard]] std::vector<std::vector<PageSample>> thinned(
    const std::vector<std::vector<PageSample>>& samples, std::size_t every);

/// The samples, and the stacks, code and names that they need.
void pack(const std::vector<std::vector<PageSample>>& samples, const Tables& tables,
          Packer& packer);

}  // namespace gilspy
