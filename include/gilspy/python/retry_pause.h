#pragma once

#include <time.h>

#include <cstdint>

#include "gilspy/base/time.h"

namespace gilspy {

/// A pause of up to 2 us between two reads of one stack, each time another one: reads that follow
/// each other at once fall into step with a target that does the same thing over and over.
class RetryPause {
 public:
  void wait() {
    // Marsaglia's xorshift64.
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    const Time until = now() + Duration{static_cast<std::int64_t>(state_ % 2048)};
    while (now() < until) {
    }
  }

  /// Where we have the target's CPU it stands as it is: after so many reads it is let go on.
  static constexpr int reads_before_rest = 8;
  static void rest() {
    // Of shorter ones nothing is left once a virtual machine's timer is set.
    constexpr timespec some{0, 30'000};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &some, nullptr);
  }

 private:
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
};

}  // namespace gilspy
