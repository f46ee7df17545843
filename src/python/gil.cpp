#include "gilspy/python/gil.h"

#include <algorithm>

namespace gilspy {
namespace {

/// glibc, nptl/pthread_cond_wait.c: the low three bits of __wrefs are flags.
constexpr int wrefs_shift = 3;
/// glibc, sysdeps/nptl/bits/struct_mutex.h (x86-64): int __lock; unsigned __count; int __owner;
/// unsigned __nusers.
constexpr std::uint64_t mutex_owner_place = 8;
constexpr std::uint64_t mutex_users_place = 12;
/// Which of them says that the wait uses CLOCK_MONOTONIC, as CPython asks for since 3.7.
constexpr std::uint32_t monotonic_flag = 2;
/// Agreements needed before a place is believed, and how many times rarer disagreements must be:
/// a thread may enter or leave the wait between the two reads.
constexpr std::uint32_t agreements_needed = 5;
constexpr std::uint32_t agreements_per_difference = 8;

/// gil.enabled counts the imports in progress that may need the GIL, and is INT_MAX once it is on
/// for good (_PyEval_EnableGILTransient, _PyEval_EnableGILPermanent in Python/ceval_gil.c of 3.13).
GilMoment::Power power_of(std::optional<std::int32_t> enabled) {
  if (!enabled || *enabled == INT32_MAX) return GilMoment::Power::on;
  return *enabled == 0 ? GilMoment::Power::off : GilMoment::Power::importing;
}

}  // namespace

ReadSlot GilReader::slot(Buffer& buffer) const {
  const std::size_t size = std::min<std::size_t>(layout_->at.gil.struct_size, buffer.size());
  return {gil_, std::span{buffer}.first(size)};
}

GilMoment GilReader::decode(const Buffer& buffer) const {
  const auto& at = layout_->at.gil;
  const StructView view{buffer};
  GilMoment moment;
  moment.power = power_of(view.get(at.enabled));
  moment.locked = view.get(at.locked).value_or(0) == 1;
  moment.last_holder = view.get(at.last_holder).value_or(RemoteAddress{});
  moment.switch_number = view.get(at.switch_number).value_or(0);
  for (std::size_t i = 0; i < CondWaiters::places.size(); ++i) {
    const auto word_in = [&](Field<Embedded> cond) {
      const auto offset = static_cast<std::uint64_t>(cond.offset) + CondWaiters::places[i];
      return load<std::uint32_t>(buffer, offset).value_or(0);
    };
    moment.cond_words[i] = word_in(at.cond);
    moment.switch_cond_words[i] = word_in(at.switch_cond);
  }
  const auto word_of = [&](Field<Embedded> mutex, std::uint64_t place) {
    const auto offset = static_cast<std::uint64_t>(mutex.offset) + place;
    return load<std::uint32_t>(buffer, offset).value_or(0);
  };
  moment.mutex_owner = word_of(at.mutex, mutex_owner_place);
  moment.mutex_users =
      word_of(at.mutex, mutex_users_place) + word_of(at.switch_mutex, mutex_users_place);
  return moment;
}

Duration GilReader::switch_interval(const Buffer& buffer) const {
  const auto microseconds = StructView{buffer}.get(layout_->at.gil.interval).value_or(0);
  return std::chrono::microseconds{static_cast<std::int64_t>(microseconds & 0x7FFFFFFF)};
}

RemoteRange GilReader::wait_range() const {
  return {layout_->at.gil.cond.in(gil_), gil_ + layout_->at.gil.struct_size};
}

bool GilReader::is_wait_address(std::uint64_t futex) const {
  return wait_range().contains(RemoteAddress{futex});
}

GilFutex GilReader::part_of(std::uint64_t futex) const {
  const auto& at = layout_->at.gil;
  const RemoteAddress address{futex};
  if (!is_wait_address(futex)) return GilFutex::none;
  if (address < at.mutex.in(gil_)) return GilFutex::cond;
  if (address < at.switch_cond.in(gil_)) return GilFutex::mutex;
  return address < at.switch_mutex.in(gil_) ? GilFutex::switch_cond : GilFutex::switch_mutex;
}

bool GilReader::is_take_address(std::uint64_t futex) const {
  return part_of(futex) == GilFutex::cond;
}

bool GilReader::is_cond_address(std::uint64_t futex) const {
  const GilFutex part = part_of(futex);
  return part == GilFutex::cond || part == GilFutex::switch_cond;
}

std::uint32_t CondWaiters::inside(const GilMoment& moment, std::size_t count) {
  if (count == by_users) return moment.mutex_users;
  return (moment.cond_words[count] >> wrefs_shift) +
         (moment.switch_cond_words[count] >> wrefs_shift);
}

bool CondWaiters::proven(std::size_t count) const {
  return scores_[count].agreed >= agreements_needed &&
         scores_[count].agreed >= agreements_per_difference * scores_[count].differed;
}

void CondWaiters::learn(const GilMoment& moment, std::uint32_t blocked) {
  // Zero waiters would "agree" with any word that happens to be small.
  if (blocked == 0) return;
  for (std::size_t i = 0; i < scores_.size(); ++i) {
    Score& score = scores_[i];
    ++(inside(moment, i) == blocked ? score.agreed : score.differed);
    // Recent evidence counts: a long run must not drown a change.
    if (score.agreed + score.differed > 4096) score = {score.agreed / 2, score.differed / 2};
  }
}

bool CondWaiters::looks_right(const GilMoment& moment, std::size_t place) const {
  const auto flags = [](std::uint32_t word) { return word & ((1U << wrefs_shift) - 1); };
  const Score& score = scores_[place];
  return flags(moment.cond_words[place]) == monotonic_flag &&
         flags(moment.switch_cond_words[place]) == monotonic_flag &&
         score.differed <= score.agreed + 1;
}

std::optional<std::uint32_t> CondWaiters::count(const GilMoment& moment) const {
  if (proven(by_users)) return inside(moment, by_users);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (proven(i)) return inside(moment, i);
  }
  // Nothing seen yet: the flags in the word's low bits tell too, unless both places show them.
  const bool first = looks_right(moment, 0);
  const bool second = looks_right(moment, 1);
  if (first != second) return inside(moment, first ? 0 : 1);
  return std::nullopt;
}

std::optional<std::uint32_t> CondWaiters::count_at_mutex(const GilMoment& moment) const {
  // A thread that enters or leaves between the looks spoils an agreement; of the places it is the
  // one that agrees more often than not.
  const auto likely = [](const Score& score) {
    return score.agreed >= agreements_needed && score.agreed > score.differed;
  };
  const auto* const best =
      std::ranges::max_element(scores_.begin(), scores_.begin() + by_users, {}, &Score::agreed);
  if (!likely(*best) || !likely(scores_[by_users])) return std::nullopt;
  const std::uint32_t all = inside(moment, by_users);
  const auto place = static_cast<std::size_t>(best - scores_.begin());
  return all - std::min(all, inside(moment, place));
}

}  // namespace gilspy
