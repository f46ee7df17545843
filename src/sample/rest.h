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
/// A thread rests once it has blocked in the same place for half a second without having had a CPU.
/// Then it is looked at every 16 ms; when it has had a CPU meanwhile, in every tick again. What it
/// does first after a rest without taking the GIL may be seen that much late, once.
class Rest {
 public:
  static constexpr Duration look_period = std::chrono::milliseconds{16};
  /// Twice as long passes until it rests: the first time its count of slices is only noted.
  static constexpr Duration patience = std::chrono::milliseconds{250};

  /// Whether to look at the thread in this tick.
  [[nodiscard]] bool is_due(Time at) const { return !resting_ || at >= next_look_; }
  [[nodiscard]] bool is_resting() const { return resting_; }

  /// Tells what a look showed. Asks `slices`, which gives how often the thread has had a CPU, a
  /// few times a second while it does not rest. `number` is any that differs between threads, so
  /// that not all of them are due at once.
  template <class Slices>
  void saw(Time at, std::size_t number, const SyscallNow& call, bool may_rest, Slices slices) {
    const bool same = may_rest && call.kind == SyscallNow::Kind::in_syscall &&
                      call.kind == last_.kind && call.number == last_.number &&
                      call.arguments == last_.arguments;
    last_ = call;
    if (!same) {
      wake(at);
      return;
    }
    if (!resting_ && at - since_ < patience) return;
    const std::optional<std::uint64_t> now = slices();
    if (!now || now != slices_) {
      wake(at);
      slices_ = now;
      return;
    }
    schedule(at, number);
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

  void schedule(Time at, std::size_t number) {
    if (!resting_) {
      resting_ = true;
      next_look_ = at + look_period * static_cast<std::int64_t>(number % turns) / turns;
    } else if (at >= next_look_) {
      next_look_ = std::max(next_look_ + look_period, at);
    }
  }

  SyscallNow last_;
  Time since_;
  Time next_look_;
  std::optional<std::uint64_t> slices_;
  bool resting_ = false;
};

}  // namespace gilspy
