#include "precedence.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace gilspy {
namespace {

/// More than one part in so many of a CPU is too much for a real-time thread.
constexpr int largest_part = 5;
/// One that needs less than this may be one again: with hundreds of threads only the beginning,
/// when nobody is known to rest, takes long.
constexpr int small_part = 10;
/// Over how long that is counted.
constexpr Duration span = std::chrono::milliseconds{200};

/// struct sched_attr of include/uapi/linux/sched/types.h, as of its first version.
struct SchedulingWish {
  std::uint32_t size = sizeof(SchedulingWish);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0;
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};
/// SCHED_FLAG_RESET_ON_FORK: what is started from here is an ordinary process.
constexpr std::uint64_t reset_on_fork = 1;

bool ask_for(const SchedulingWish& wish) { return ::syscall(SYS_sched_setattr, 0, &wish, 0) == 0; }

SchedulingWish short_slices() {
  SchedulingWish wish;
  wish.nice = ::getpriority(PRIO_PROCESS, 0);
  wish.runtime = 100'000;  // ns, the least that is allowed
  return wish;
}

}  // namespace

Precedence::Precedence() {
  if (::sched_getscheduler(0) != SCHED_OTHER) return;
  may_have_it_ = take();
  if (!may_have_it_) static_cast<void>(ask_for(short_slices()));
}

bool Precedence::take() {
  real_time_ = ask_for({.policy = SCHED_FIFO, .flags = reset_on_fork, .priority = 1});
  return real_time_;
}

Precedence::~Precedence() {
  if (real_time_) static_cast<void>(ask_for({}));
}

void Precedence::spent(Duration busy, Duration of) {
  if (!may_have_it_) return;
  busy_ += busy;
  of_ += of;
  if (of_ < span) return;
  const int part = on_trial_ ? largest_part : small_part;
  on_trial_ = real_time_ && largest_part * busy_ > of_;
  if (on_trial_) {
    real_time_ = false;
    static_cast<void>(ask_for(short_slices()));
  } else if (!real_time_ && part * busy_ < of_) {
    may_have_it_ = take();
  }
  busy_ = of_ = {};
}

}  // namespace gilspy
