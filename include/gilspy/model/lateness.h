#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gilspy/base/time.h"

namespace gilspy {

/// How late ticks were, each against the moment it was due at: a histogram of constant size, with
/// four buckets to a doubling. Below 1.024 us it is one bucket, from 17 s on another.
class Lateness {
 public:
  static constexpr std::size_t buckets = 101;

  void count(Duration late);
  /// Adds what counts() and worst() of another one gave. Counts beyond the last bucket are left
  /// out.
  void add(std::span<const std::uint64_t> counts, Duration worst);
  void clear() { *this = {}; }

  [[nodiscard]] std::uint64_t ticks() const { return ticks_; }
  /// Ticks by bucket, up to the last bucket that has any.
  [[nodiscard]] std::vector<std::uint64_t> counts() const;
  [[nodiscard]] Duration worst() const { return worst_; }
  /// That share of the ticks (0..1) was no later than this. Never above worst().
  [[nodiscard]] Duration quantile(double share) const;

 private:
  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t ticks_ = 0;
  Duration worst_{};
};

}  // namespace gilspy
