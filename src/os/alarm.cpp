#include "gilspy/os/alarm.h"

#include <sched.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace gilspy {
namespace {

timespec timespec_of(Time at) {
  const auto ns = to_ns(at);
  return {ns / 1'000'000'000, ns % 1'000'000'000};
}

void sleep_until(Time moment) {
  const timespec until = timespec_of(moment);
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
  }
}

/// Until the timer has fired. False where that cannot be waited for.
bool wait_for(int timer) {
  std::uint64_t times = 0;
  ssize_t got = 0;
  do {
    got = ::read(timer, &times, sizeof times);
  } while (got < 0 && errno == EINTR);
  return got == sizeof times;
}

}  // namespace

Alarm::Alarm() {
  for (Timer& timer : timers_) timer.fd = UniqueFd{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)};
}

/// Also takes back that it has fired for another moment.
bool Alarm::set(Timer& timer, Time at, int cpu) {
  if (timer.at == at && timer.cpu == cpu) return true;
  timer.at = at;
  timer.cpu = cpu;
  const itimerspec when{.it_interval = {}, .it_value = timespec_of(at)};
  return ::timerfd_settime(timer.fd.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0;
}

void Alarm::wait(Time moment, Time after) {
  Timer& next = timers_.at(turn_);
  turn_ = (turn_ + 1) % timers_.size();
  if (moment <= now()) return;
  const int cpu = ::sched_getcpu();
  // Where the timer of the moment after cannot be set, it is tried again when its turn has come.
  const bool pending = set(next, moment, cpu);
  static_cast<void>(set(timers_.at(turn_), after, cpu));
  if (!pending || !wait_for(next.fd.get())) sleep_until(moment);
}

}  // namespace gilspy
