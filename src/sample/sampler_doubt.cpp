// Threads on a run queue that may be waiters: what their libc says of each.

#include <algorithm>

#include "sampler_state.h"

namespace gilspy {

/// Learns from a thread that is seen inside the wait, until the libc has told or never will.
void Sampler::State::learn_pthread_waits() {
  if (pthread_waits_.learnt()) return;
  for (std::size_t i = 0; i < lane_sights_.size(); ++i) {
    const LaneSight& sight = lane_sights_[i];
    const Standing* standing = lanes_.lanes()[i].standing();
    if (standing == nullptr || !blocks_on_gil(sight)) continue;
    const GilReader& gil = *gil_sights_[sight.gil].reader;
    if (!gil.is_cond_address(sight.syscall.arguments[0])) continue;
    pthread_waits_.learn(memory_, standing->python.ident, gil);
    return;
  }
}

void Sampler::State::look_into_pthreads() {
  learn_pthread_waits();
  questions_.clear();
  asked_.clear();
  if (!pthread_waits_.learnt()) return;
  for (std::size_t i = 0; i < lane_sights_.size(); ++i) {
    LaneSight& sight = lane_sights_[i];
    const Standing* standing = lanes_.lanes()[i].standing();
    if (standing == nullptr || sight.gil >= gil_sights_.size()) continue;
    const GilSight& gil = gil_sights_[sight.gil];
    sight.in_mutex =
        gil.moment.mutex_owner != 0 && gil.moment.mutex_owner == standing->python.native_id;
    if (sight.syscall.kind != SyscallNow::Kind::running || stopped_ || is_holder(sight)) continue;
    if (sight.sched) {
      sight.place = lanes_.lanes()[i].place;
      continue;
    }
    questions_.push_back({standing->python.ident, gil.reader});
    asked_.push_back(i);
  }
  pthread_waits_.look(memory_, questions_);
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    lane_sights_[asked_[i]].place = questions_[i].place;
    lanes_.lanes()[asked_[i]].place = questions_[i].place;
  }
}

}  // namespace gilspy
