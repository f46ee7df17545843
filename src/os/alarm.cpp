#include "gilspy/os/alarm.h"

#include <sched.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace gilspy {
namespace {

void sleep_until(Time moment) {
  const timespec until = to_timespec(moment.time_since_epoch());
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
  const itimerspec when{.it_interval = {}, .it_value = to_timespec(at.time_since_epoch())};
  if (::timerfd_settime(timer.fd.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0) return false;
  timer.at = at;
  timer.cpu = cpu;
  return true;
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
