#include "thread_clock.h"

#include <algorithm>

#include "merged_intervals.h"

namespace gilspy {

ThreadClock::ThreadClock(const ThreadSeen& seen, std::string_view name, Time at, bool keep_timeline)
    : since_(at), state_began_(at), wait_began_(at), keep_timeline_(keep_timeline) {
  figures_.tid = seen.tid;
  figures_.pid = seen.pid;
  figures_.name = name;
  figures_.python = seen.python;
  figures_.gil = seen.gil;
  figures_.first = at;
  figures_.last = at;
}

void ThreadClock::seen_again(const ThreadSeen& seen, std::string_view name) {
  if (!name.empty()) figures_.name = name;
  figures_.python = seen.python;
  // At its end a thread loses its Python thread state, but what it did was about that GIL.
  if (seen.gil) figures_.gil = seen.gil;
}

void ThreadClock::change(Time at, ThreadState state) {
  advance(at);
  const bool waited = activity() == Activity::waiting;
  const bool waits = activity_of(state) == Activity::waiting;
  if (waited && !waits) figures_.longest_wait = std::max(figures_.longest_wait, at - wait_began_);
  if (!waited && waits) {
    ++figures_.waits;
    wait_began_ = at;
  }
  if (state == state_) return;
  if (keep_timeline_) append_merged(intervals_, Interval{state_began_, at, state_});
  state_ = state;
  state_began_ = at;
}

void ThreadClock::sampled(Time at, StackId stack) {
  advance(at);
  stacks_.sampled(activity(), stack);
  if (keep_timeline_) moments_.push_back(StackMoment{at, stack});
}

void ThreadClock::held_until(Time at, Duration hold) {
  // A tid can be used again while the old holder is still on record: no hold is longer than the
  // life.
  figures_.longest_hold = std::max(figures_.longest_hold, std::min(hold, at - figures_.first));
}

void ThreadClock::close(Time at) {
  advance(at);
  if (activity() == Activity::waiting) {
    figures_.longest_wait = std::max(figures_.longest_wait, at - wait_began_);
  }
  if (keep_timeline_) append_merged(intervals_, Interval{state_began_, at, state_});
  stacks_.finish();
}

void ThreadClock::advance(Time at) {
  time_in(figures_.times, activity()) += at - since_;
  stacks_.passed(activity(), at - since_);
  since_ = at;
  figures_.last = at;
}

}  // namespace gilspy
