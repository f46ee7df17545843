#include "schedule.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gilspy {
namespace {

/// An exponential variable that is cut off here has a mean of `mean_of_cut`, and so the longest gap
/// is longest_gap times the mean one.
constexpr double cut = 3.92;
constexpr double mean_of_cut = 0.98016;  // 1 - exp(-cut)
static_assert(cut / mean_of_cut < Schedule::longest_gap);

}  // namespace

Schedule::Schedule(Time start, double hz) : next_(start), due_(start) {
  if (hz <= 0) return;
  period_ = Duration{static_cast<std::int64_t>(std::llround(1e9 / hz))};
  next_ += gap();
}

Duration Schedule::gap() {
  if (dealt_ == deck_.size()) {
    std::iota(deck_.begin(), deck_.end(), std::size_t{0});
    std::ranges::shuffle(deck_, random_);
    dealt_ = 0;
  }
  std::uniform_real_distribution<double> within{0, 1};
  const double share = (static_cast<double>(deck_[dealt_++]) + within(random_)) / deck_size;
  const double periods = std::min(-std::log1p(-std::min(share, 1.0)), cut) / mean_of_cut;
  return Duration{static_cast<std::int64_t>(periods * static_cast<double>(period_.count()))};
}

Time Schedule::next(Time now, std::uint64_t& missed) {
  due_ = next_;
  next_ += gap();
  if (now - next_ <= period_ / patience_part) return due_;
  missed += 1 + static_cast<std::uint64_t>((now - next_) / period_);
  next_ = now + gap();
  return now;
}

}  // namespace gilspy
