#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "gilspy/profile/profile.h"

namespace gilspy {

/// Time as the page counts it: whole units since the run began, in 32 bits. A unit is a microsecond
/// unless the run is longer than an hour and eleven minutes.
class PageClock {
 public:
  explicit PageClock(const Profile& profile) : begin_(profile.begin) {
    constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
    const std::int64_t wall = profile.wall().count();
    unit_ = std::max<std::int64_t>(1000, wall / most + 1);
    end_ = static_cast<std::uint32_t>(wall / unit_);
  }

  /// The nearest unit; moments outside of the run are pulled to its ends.
  [[nodiscard]] std::uint32_t units(Time at) const {
    if (at <= begin_) return 0;
    return static_cast<std::uint32_t>(
        std::min<std::int64_t>(((at - begin_).count() + unit_ / 2) / unit_, end_));
  }
  [[nodiscard]] Duration unit() const { return Duration{unit_}; }
  [[nodiscard]] std::uint32_t end() const { return end_; }

 private:
  Time begin_;
  std::int64_t unit_ = 1000;
  std::uint32_t end_ = 0;
};

}  // namespace gilspy
