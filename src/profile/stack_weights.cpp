#include "stack_weights.h"

namespace gilspy {

void StackWeights::sampled(Activity activity, StackId stack) {
  Duration& pending = time_in(pending_, activity);
  last_[static_cast<std::size_t>(activity)] = stack;
  if (pending == Duration{}) return;
  time_in(by_stack_[stack], activity) += pending;
  pending = Duration{};
}

void StackWeights::finish() {
  for (std::size_t i = 0; i < activity_count; ++i) {
    if (pending_[i] == Duration{}) continue;
    by_stack_[last_[i]][i] += pending_[i];
    pending_[i] = Duration{};
  }
}

Duration weigh(const ActivityTimes& times, Weight weight) {
  const auto in = [&](Activity activity) { return time_in(times, activity); };
  switch (weight) {
    case Weight::hold: return in(Activity::holding_running) + in(Activity::holding_blocked);
    case Weight::wait: return in(Activity::waiting);
    case Weight::cpu: return in(Activity::holding_running) + in(Activity::running);
    case Weight::wall: {
      Duration all{};
      for (const Duration time : times) all += time;
      return all;
    }
    case Weight::blame: break;
  }
  return Duration{};
}

}  // namespace gilspy
