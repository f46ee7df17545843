#include "gilspy/sample/run.h"

#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <utility>

#include "gilspy/os/alarm.h"
#include "own_cpu_time.h"
#include "pace.h"

namespace gilspy {
namespace {

/// How often the watches are looked at.
constexpr Duration watch_period = std::chrono::milliseconds{10};
/// How often somebody who ticks as fast as it goes asks whether there is room again.
constexpr Duration room_period = std::chrono::milliseconds{1};

std::optional<EndReason> poll_watches(const std::vector<Watch>& watches, Duration timeout) {
  std::vector<pollfd> fds;
  fds.reserve(watches.size());
  for (const Watch& watch : watches) fds.push_back({watch.fd, POLLIN, 0});
  const timespec wait = to_timespec(timeout);
  if (::ppoll(fds.data(), fds.size(), &wait, nullptr) <= 0) return std::nullopt;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    if (fds[i].revents == 0) continue;
    if (auto reason = watches[i].on_ready()) return reason;
  }
  return std::nullopt;
}

/// Looks at the watches when it is time to.
class Lookout {
 public:
  Lookout(const std::vector<Watch>& watches, Time start) : watches_(watches), looked_(start) {}

  /// Waits until this moment; `after` is likely to be the one after it. Its last part waits for
  /// nothing else: poll() needs 10 us more to return, in which a target whose other thread we keep
  /// waiting comes to wait as well.
  [[nodiscard]] std::optional<EndReason> wait(Time moment, Time after) {
    if (moment - now() > 2 * watch_period) {
      if (auto reason = wait_until(moment - watch_period, watches_)) return reason;
      looked_ = now();
    } else if (auto reason = look()) {
      return reason;
    }
    alarm_.wait(moment, after);
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
  Alarm alarm_;
};

EndReason reason_of(Sampler::Outcome outcome) {
  return outcome == Sampler::Outcome::execed ? EndReason::target_execed : EndReason::target_ended;
}

EndReason loop(Sampler& sampler, const RunOptions& options, std::vector<Watch> watches) {
  Pace pace{options, now(), own_cpu_time()};
  if (const auto first = sampler.begin(); first != Sampler::Outcome::alive) return reason_of(first);
  if (sampler.records_fd() >= 0) {
    watches.push_back({sampler.records_fd(), [&sampler]() -> std::optional<EndReason> {
                         sampler.keep_records();
                         return std::nullopt;
                       }});
  }
  const Time start = now();
  const Time end = options.duration ? start + *options.duration : Time::max();
  pace.begin(start, own_cpu_time());
  Lookout lookout{watches, start};
  while (true) {
    const bool paced = pace.ticks().paced();
    Time moment = now();
    if (paced) {
      std::uint64_t missed = 0;
      moment = pace.ticks().next(moment, missed);
      if (missed > 0) sampler.missed(missed);
    }
    const bool stacks = pace.stacks_due(moment);
    if (pace.goes_first()) {
      if (stacks) {
        sampler.go_to_holder();
      } else if (!pace.stacks_near(moment)) {
        sampler.leave_holder();
      }
    }
    const auto ended =
        paced ? lookout.wait(std::min(moment, end), pace.ticks().upcoming()) : lookout.look();
    if (ended) return *ended;
    if (moment >= end) return EndReason::requested;
    if (!sampler.has_room()) {
      sampler.missed_for_room();
      if (paced) continue;
      const Time again = moment + room_period;
      if (auto reason = lookout.wait(again, again + room_period)) return *reason;
      continue;
    }
    const Time began = now();
    if (paced) sampler.late(began - pace.ticks().due());
    const auto outcome = sampler.tick(stacks);
    if (outcome != Sampler::Outcome::alive) return reason_of(outcome);
    const Time at = now();
    pace.looked(at - began);
    if (auto note = pace.take_note()) sampler.note(std::move(*note));
    if (!pace.is_to_judge(at)) continue;
    if (const auto change = pace.judge(at, own_cpu_time(), sampler.ticks())) {
      sampler.change_rates(change->rates.state_hz, change->rates.stack_hz, change->why);
    }
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
  // The default slack of 50 us is longer than the rests between reads of one stack.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  const EndReason reason = loop(sampler, options, watches);
  sampler.end(reason);
  return reason;
}

}  // namespace gilspy
