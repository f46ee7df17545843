#include "gilspy/model/lateness.h"

#include <algorithm>
#include <bit>

namespace gilspy {
namespace {

/// The first bucket ends at 2^first_bits ns; from there on each doubling has 2^part_bits buckets.
constexpr unsigned first_bits = 10;
constexpr unsigned part_bits = 2;
constexpr std::uint64_t parts = 1 << part_bits;

std::size_t bucket_of(Duration late) {
  const auto ns = static_cast<std::uint64_t>(std::max(late, Duration{}).count());
  if (ns >> first_bits == 0) return 0;
  const unsigned doublings = static_cast<unsigned>(std::bit_width(ns)) - 1 - first_bits;
  const std::uint64_t part = (ns >> (doublings + first_bits - part_bits)) % parts;
  return std::min<std::size_t>(1 + parts * doublings + part, Lateness::buckets - 1);
}

/// Where a bucket begins, and the one before it ends.
double begin_of(std::size_t bucket) {
  if (bucket == 0) return 0;
  const std::uint64_t doublings = (bucket - 1) / parts;
  const std::uint64_t part = (bucket - 1) % parts;
  return static_cast<double>((parts + part) << (doublings + first_bits - part_bits));
}

}  // namespace

void Lateness::count(Duration late) {
  ++counts_[bucket_of(late)];
  ++ticks_;
  worst_ = std::max(worst_, late);
}

void Lateness::add(std::span<const std::uint64_t> counts, Duration worst) {
  for (std::size_t i = 0; i < std::min(counts.size(), buckets); ++i) {
    counts_.at(i) += counts[i];
    ticks_ += counts[i];
  }
  worst_ = std::max(worst_, worst);
}

std::vector<std::uint64_t> Lateness::counts() const {
  std::size_t size = buckets;
  while (size > 0 && counts_.at(size - 1) == 0) --size;
  return {counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(size)};
}

Duration Lateness::quantile(double share) const {
  double left = std::clamp(share, 0.0, 1.0) * static_cast<double>(ticks_);
  for (std::size_t i = 0; i < buckets; ++i) {
    const auto here = static_cast<double>(counts_.at(i));
    if (here == 0 || left > here) {
      left -= here;
      continue;
    }
    const double ns = begin_of(i) + (begin_of(i + 1) - begin_of(i)) * left / here;
    return std::min(Duration{static_cast<std::int64_t>(ns)}, worst_);
  }
  return worst_;
}

}  // namespace gilspy
