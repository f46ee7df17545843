#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>

#include "gilspy/base/time.h"

namespace gilspy {

/// The moments at which to tick: as random as raindrops, so many a second in the mean.
///
/// A tick changes what comes after it: it takes the CPU from a thread, and others come to wait for
/// that one. Even moments would never fall into that time, nor see what follows from it; those of a
/// Poisson process see every time as much as there is of it, also what they have brought about
/// themselves (Wolff 1982, "Poisson arrivals see time averages"). And no target can be in step with
/// them.
class Schedule {
 public:
  /// No gap is longer than so many periods: one in fifty would be.
  static constexpr double longest_gap = 4;

  /// So small a part of a period it may be late without leaving out moments: chance puts some so
  /// close together that a look takes longer.
  static constexpr int patience_part = 4;

  /// `hz` 0: not paced.
  Schedule(Time start, double hz);

  [[nodiscard]] bool paced() const { return period_.count() > 0; }
  [[nodiscard]] Duration period() const { return period_; }

  /// The next moment; it may be over, and is to be made up for. `missed` grows by those that are
  /// not, because later ones have been over for long as well.
  [[nodiscard]] Time next(Time now, std::uint64_t& missed);
  /// When the moment that next() gave was due: it may have been over already.
  [[nodiscard]] Time due() const { return due_; }
  /// What next() gives next, if it is not asked too late.
  [[nodiscard]] Time upcoming() const { return next_; }

 private:
  [[nodiscard]] Duration gap();

  /// Gaps come in decks, one of each length in each: then the number of ticks differs little from
  /// what was asked for.
  static constexpr std::size_t deck_size = 16;

  Time next_;
  Time due_;
  Duration period_{};
  std::array<std::size_t, deck_size> deck_{};
  std::size_t dealt_ = deck_size;
  // A fixed seed: chance need not be secret here, and runs should be alike.
  std::minstd_rand random_{20240501};
};

}  // namespace gilspy
