#include "gilspy/sample/run.h"

#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

#include <cerrno>
#include <cmath>
#include <random>

#include "precedence.h"

namespace gilspy {
namespace {

/// How often the watches are looked at.
constexpr Duration watch_period = std::chrono::milliseconds{10};
/// The share of a period by which a tick's moment is moved at random: without it a target that
/// works in step with us would always be seen in the same place.
constexpr double jitter_share = 0.5;

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

/// The moments at which to tick.
class Schedule {
 public:
  Schedule(Time start, double hz) : next_(start) {
    if (hz > 0) period_ = Duration{static_cast<std::int64_t>(std::llround(1e9 / hz))};
  }

  [[nodiscard]] bool paced() const { return period_.count() > 0; }
  [[nodiscard]] Duration period() const { return period_; }

  /// The next moment; `missed` grows by those that are already over.
  [[nodiscard]] Time next(Time now, std::uint64_t& missed) {
    next_ += period_;
    if (next_ + period_ <= now) {
      const auto behind = (now - next_) / period_;
      missed += static_cast<std::uint64_t>(behind);
      next_ += behind * period_;
    }
    const auto reach = static_cast<double>(period_.count()) * jitter_share;
    return next_ + Duration{static_cast<std::int64_t>(uniform_(random_) * reach)};
  }

 private:
  Time next_;
  Duration period_{};
  // A fixed seed: the jitter need not be secret, and runs should be alike.
  std::minstd_rand random_{20240501};
  std::uniform_real_distribution<double> uniform_{0.0, 1.0};
};

/// Whether the stacks' moment has come at this tick.
class StackPace {
 public:
  explicit StackPace(const SamplerOptions& rates) {
    if (rates.stack_hz > 0) period_ = Duration{static_cast<std::int64_t>(1e9 / rates.stack_hz)};
  }
  [[nodiscard]] bool due(Time now) {
    if (now < next_) return false;
    next_ = std::max(next_ + period_, now - period_);
    return true;
  }

 private:
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

EndReason loop(Sampler& sampler, const RunOptions& options, const std::vector<Watch>& watches) {
  if (const auto first = sampler.begin(); first != Sampler::Outcome::alive) return reason_of(first);
  const Time start = now();
  const Time end = options.duration ? start + *options.duration : Time::max();
  Schedule schedule{start, options.rates.state_hz};
  StackPace stacks{options.rates};
  Lookout lookout{watches, start};
  std::optional<Precedence> precedence;
  if (schedule.paced()) precedence.emplace();
  while (true) {
    Time moment = now();
    if (schedule.paced()) {
      std::uint64_t missed = 0;
      moment = schedule.next(moment, missed);
      if (missed > 0) sampler.missed(missed);
      if (auto reason = lookout.wait(std::min(moment, end))) return *reason;
    } else if (auto reason = lookout.look()) {
      return *reason;
    }
    if (moment >= end) return EndReason::requested;
    const Time began = now();
    const auto outcome = sampler.tick(stacks.due(moment));
    if (precedence) precedence->spent(now() - began, schedule.period());
    if (outcome != Sampler::Outcome::alive) return reason_of(outcome);
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
