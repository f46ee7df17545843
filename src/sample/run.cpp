#include "gilspy/sample/run.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

#include <cerrno>
#include <string>
#include <utility>

#include "cpu_budget.h"
#include "own_cpu_time.h"
#include "precedence.h"
#include "schedule.h"

namespace gilspy {
namespace {

/// How often the watches are looked at.
constexpr Duration watch_period = std::chrono::milliseconds{10};
std::optional<EndReason> poll_watches(const std::vector<Watch>& watches, Duration timeout) {
  std::vector<pollfd> fds;
  fds.reserve(watches.size());
  for (const Watch& watch : watches) fds.push_back({watch.fd, POLLIN, 0});
  const timespec wait{timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
  if (::ppoll(fds.data(), fds.size(), &wait, nullptr) <= 0) return std::nullopt;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    if (fds[i].revents == 0) continue;
    if (auto reason = watches[i].on_ready()) return reason;
  }
  return std::nullopt;
}

/// Whether the stacks' moment has come at this tick.
class StackPace {
 public:
  explicit StackPace(double hz) {
    if (hz > 0) period_ = Duration{static_cast<std::int64_t>(1e9 / hz)};
  }
  [[nodiscard]] bool due(Time now) {
    if (now < next_) return false;
    next_ = std::max(next_ + period_, now - most_owed * period_);
    return true;
  }

 private:
  /// Ticks come at random: so many stacks may be owed after a long gap.
  static constexpr int most_owed = 4;

  Duration period_{};
  Time next_;
};

/// Looks at the watches when it is time to.
class Lookout {
 public:
  Lookout(const std::vector<Watch>& watches, Time start) : watches_(watches), looked_(start) {}

  /// Waits until this moment. Its last part is a plain sleep: poll() needs 10 us more to return,
  /// in which a target whose other thread we keep waiting comes to wait as well.
  [[nodiscard]] std::optional<EndReason> wait(Time moment) {
    if (moment - now() > 2 * watch_period) {
      if (auto reason = wait_until(moment - watch_period, watches_)) return reason;
      looked_ = now();
    } else if (auto reason = look()) {
      return reason;
    }
    const auto ns = moment.time_since_epoch().count();
    const timespec until{ns / 1'000'000'000, ns % 1'000'000'000};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<EndReason> look() {
    const Time at = now();
    if (at - looked_ < watch_period) return std::nullopt;
    looked_ = at;
    return poll_watches(watches_, Duration{});
  }

 private:
  const std::vector<Watch>& watches_;
  Time looked_;
};

EndReason reason_of(Sampler::Outcome outcome) {
  return outcome == Sampler::Outcome::execed ? EndReason::target_execed : EndReason::target_ended;
}

/// When to tick and when to look at stacks, at rates that a budget may change.
class Pace {
 public:
  Pace(const RunOptions& options, Time start)
      : rates_{options.rates.state_hz, options.rates.stack_hz},
        ticks_(start, rates_.state_hz),
        stacks_(rates_.stack_hz),
        share_(options.cpu_budget.value_or(0)),
        judged_(start),
        cpu_(own_cpu_time()) {
    if (options.cpu_budget) budget_.emplace(share_, rates_);
    if (ticks_.paced()) precedence_.emplace();
  }

  [[nodiscard]] Schedule& ticks() { return ticks_; }
  [[nodiscard]] bool stacks_due(Time moment) { return stacks_.due(moment); }

  /// Tells how long a tick took that was made at this moment.
  void ticked(Sampler& sampler, Time began) {
    const Time at = now();
    if (precedence_) precedence_->spent(at - began, ticks_.period());
    if (!budget_ || at - judged_ < CpuBudget::period) return;
    const Duration cpu = own_cpu_time();
    const std::uint64_t count = sampler.ticks();
    const auto changed =
        budget_->spent(cpu - std::exchange(cpu_, cpu), at - std::exchange(judged_, at),
                       count - std::exchange(count_, count));
    if (!changed) return;
    rates_ = *changed;
    sampler.change_rates(rates_.state_hz, rates_.stack_hz, text());
    begin(at);
  }

 private:
  void begin(Time at) {
    ticks_ = Schedule{at, rates_.state_hz};
    stacks_ = StackPace{rates_.stack_hz};
    if (ticks_.paced() != precedence_.has_value()) {
      ticks_.paced() ? static_cast<void>(precedence_.emplace()) : precedence_.reset();
    }
  }
  [[nodiscard]] std::string text() const {
    const auto rate = [](double hz, const char* no_limit) {
      return hz > 0 ? fmt::format("at {:.{}f} Hz", hz, hz < 10 ? 1 : 0) : std::string{no_limit};
    };
    return fmt::format("from here on, for a CPU budget of {:g} %: states {}, stacks {}",
                       100 * share_, rate(rates_.state_hz, "as often as it goes"),
                       rate(rates_.stack_hz, "each time"));
  }

  CpuBudget::Rates rates_;
  Schedule ticks_;
  StackPace stacks_;
  double share_;
  std::optional<CpuBudget> budget_;
  std::optional<Precedence> precedence_;
  Time judged_;
  Duration cpu_;
  std::uint64_t count_ = 0;
};

EndReason loop(Sampler& sampler, const RunOptions& options, std::vector<Watch> watches) {
  if (const auto first = sampler.begin(); first != Sampler::Outcome::alive) return reason_of(first);
  if (sampler.records_fd() >= 0) {
    watches.push_back({sampler.records_fd(), [&sampler]() -> std::optional<EndReason> {
                         sampler.keep_records();
                         return std::nullopt;
                       }});
  }
  const Time start = now();
  const Time end = options.duration ? start + *options.duration : Time::max();
  Pace pace{options, start};
  Lookout lookout{watches, start};
  while (true) {
    Time moment = now();
    if (pace.ticks().paced()) {
      std::uint64_t missed = 0;
      moment = pace.ticks().next(moment, missed);
      if (missed > 0) sampler.missed(missed);
      if (auto reason = lookout.wait(std::min(moment, end))) return *reason;
    } else if (auto reason = lookout.look()) {
      return *reason;
    }
    if (moment >= end) return EndReason::requested;
    const Time began = now();
    const auto outcome = sampler.tick(pace.stacks_due(moment));
    if (outcome != Sampler::Outcome::alive) return reason_of(outcome);
    pace.ticked(sampler, began);
  }
}

}  // namespace

std::optional<EndReason> wait_until(Time deadline, const std::vector<Watch>& watches) {
  while (true) {
    const Duration left = deadline - now();
    if (auto reason = poll_watches(watches, std::max(left, Duration{}))) return reason;
    if (now() >= deadline) return std::nullopt;
  }
}

EndReason run(Sampler& sampler, const RunOptions& options, const std::vector<Watch>& watches) {
  // The default slack of 50 us would be a twentieth of a period at 1 kHz.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  const EndReason reason = loop(sampler, options, watches);
  sampler.end(reason);
  return reason;
}

}  // namespace gilspy
