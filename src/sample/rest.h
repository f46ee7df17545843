#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "gilspy/base/time.h"
#include "gilspy/os/thread_files.h"

namespace gilspy {

/// Lets a thread that does nothing be looked at less often. To read where a thread stands costs
/// a microsecond or two; a server has hundreds that have waited for work for minutes.
///
/// A thread rests once it has blocked in the same place for half a second without having had a CPU;
/// among many others for a tenth. Then it is asked every 16 ms whether it has had one; if so, it is
/// looked at in every tick again. What it does first after a rest without taking the GIL may be
/// seen that much late, once. A thread of a crowd that is blocked at the very first look rests from
/// there on: to look at hundreds in each tick, only to learn who has work, would cost many ticks.
class Rest {
 public:
  static constexpr Duration look_period = std::chrono::milliseconds{16};
  /// Twice as long passes until it rests: the first time its count of slices is only noted.
  static constexpr Duration patience = std::chrono::milliseconds{250};
  static constexpr Duration patience_in_crowd = std::chrono::milliseconds{50};
  /// From so many threads on it is a crowd.
  static constexpr std::size_t crowd = 64;

  /// Whether to look at the thread in this tick.
  [[nodiscard]] bool is_due(Time at) const { return !resting_ || at >= next_look_; }
  [[nodiscard]] bool is_resting() const { return resting_; }

  /// Tells of a thread at rest how often it has had a CPU. While that stays the same, it stands
  /// where it stood; otherwise it is awake.
  void asked(Time at, std::optional<std::uint64_t> slices) {
    if (!slices || slices != slices_) {
      wake(at);
    } else if (at >= next_look_) {
      next_look_ = std::max(next_look_ + look_period, at);
    }
  }

  /// Tells what a look at a thread that is awake showed. Asks `slices`, which gives how often it
  /// has had a CPU, a few times a second. It is the thread of this number among so many: not all of
  /// them are due at once.
  template <class Slices>
  void saw(Time at, std::size_t number, std::size_t of, const SyscallNow& call, bool may_rest,
           Slices slices) {
    const bool same = may_rest && call.kind == SyscallNow::Kind::in_syscall &&
                      call.kind == last_.kind && call.number == last_.number &&
                      call.arguments == last_.arguments;
    last_ = call;
    if (!same) {
      wake(at);
      return;
    }
    if (at - since_ < (of < crowd ? patience : patience_in_crowd)) return;
    const std::optional<std::uint64_t> now = slices();
    if (now && now == slices_) {
      rest(at, number);
      return;
    }
    wake(at);
    slices_ = now;
  }
  /// Lets one that was just seen blocked rest at once. `slices` is how often it had had a CPU
  /// before it was seen: should it have run between the two, that shows when it is asked next.
  void rest_from_here(Time at, std::size_t number, std::optional<std::uint64_t> slices) {
    if (!slices || last_.kind != SyscallNow::Kind::in_syscall) return;
    slices_ = slices;
    rest(at, number);
  }
  void wake(Time at) {
    resting_ = false;
    slices_.reset();
    since_ = at;
  }

  /// What the last look showed.
  [[nodiscard]] const SyscallNow& last() const { return last_; }

 private:
  static constexpr std::size_t turns = 16;

  void rest(Time at, std::size_t number) {
    resting_ = true;
    next_look_ = at + look_period * static_cast<std::int64_t>(number % turns) / turns;
  }

  SyscallNow last_;
  Time since_;
  Time next_look_;
  std::optional<std::uint64_t> slices_;
  bool resting_ = false;
};

}  // namespace gilspy
