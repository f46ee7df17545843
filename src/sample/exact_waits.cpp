#include "exact_waits.h"

#include <algorithm>

namespace gilspy {
namespace {

using Record = TraceRecord::Kind;
using Takes = Transition::Takes;

/// CPU time within which a thread that came back and found the GIL taken waits on.
constexpr Duration longest_look = std::chrono::microseconds{15};
/// CPU time in which a thread that came back takes the GIL, or leaves drop_gil. One that loses its
/// CPU earlier waits until it has one again: the thread that it woke itself often takes it.
constexpr Duration shortest_look = std::chrono::nanoseconds{1500};

}  // namespace

void ExactWaits::tell(Transition::Kind kind, Time at, Tid tid, RemoteAddress gil, Takes takes) {
  // Most are the latest; the end of a wait is told with hindsight.
  const auto place = std::ranges::upper_bound(told_, at, {}, &Transition::at);
  told_.insert(place, Transition{kind, takes, at, tid, gil});
}

ExactWaits::Thread& ExactWaits::thread(const TraceRecord& record) {
  const auto [entry, fresh] = threads_.try_emplace(record.tid);
  if (fresh) entry->second.since = entry->second.cpu_since = record.at;
  return entry->second;
}

void ExactWaits::take(const TraceRecord& record) {
  switch (record.kind) {
    case Record::given_cpu: give_cpu(thread(record), record); break;
    case Record::preempted:
    case Record::blocked: leave_cpu(thread(record), record); break;
    case Record::exited: threads_.erase(record.tid); break;
    case Record::futex_return: come_back(thread(record), record); break;
    case Record::futex_wait:
    case Record::futex_wake: take_call(record); break;
    case Record::forked:
    case Record::lost: break;
  }
}

/// A thread calls futex on one of a GIL's words.
void ExactWaits::take_call(const TraceRecord& record) {
  const auto place = locate_(record.address);
  if (!place) return;
  Thread& caller = thread(record);
  // Who calls has a CPU, whatever was missed.
  if (!caller.on_cpu) give_cpu(caller, record);
  if (record.kind == Record::futex_wait) {
    wait(caller, record, place->first, place->second);
  } else {
    wake(caller, record, place->first, place->second);
  }
}

void ExactWaits::wait(Thread& thread, const TraceRecord& record, RemoteAddress gil, GilFutex part) {
  const bool takes_up = part == GilFutex::cond && record.until;
  if (takes_up) wait_words_.insert(record.address);
  settle(thread, record.tid, record.at);
  if (thread.stage != Stage::away && thread.gil != gil) {
    end_wait(thread, record.tid, thread.since);
  }
  if (thread.stage == Stage::away) {
    tell(Transition::Kind::wait_began, record.at, record.tid, gil);
    const bool hands_over = part == GilFutex::switch_cond || part == GilFutex::switch_mutex;
    thread.takes = hands_over ? Takes::no : Takes::unless_held;
    thread.gil = gil;
  } else if (part == GilFutex::mutex && thread.takes == Takes::no) {
    // After the hand-over comes take_gil, which begins with the mutex.
    thread.takes = Takes::yes;
  }
  if (takes_up) thread.takes = Takes::yes;
  thread.stage = Stage::inside;
  thread.since = record.at;
}

void ExactWaits::wake(Thread& thread, const TraceRecord& record, RemoteAddress gil, GilFutex part) {
  settle(thread, record.tid, record.at);
  const bool waits = thread.stage != Stage::away;
  if (part == GilFutex::mutex && waits && thread.takes == Takes::yes) {
    // The end of take_gil wakes who waits for the mutex; a wait that goes on does so as well.
    come_back(thread, record);
    thread.took = true;
  } else if (part == GilFutex::mutex && waits) {
    // It waited for the mutex inside drop_gil, and is still in there.
    thread.stage = Stage::inside;
  }
  if (part == GilFutex::switch_cond) {
    // Only take_gil does it, with the GIL taken.
    if (waits) {
      thread.takes = Takes::yes;
      end_wait(thread, record.tid, record.at);
    } else {
      tell(Transition::Kind::took, record.at, record.tid, gil);
    }
    return;
  }
  // drop_gil does it, with the GIL given up.
  if (part != GilFutex::cond || !wait_words_.contains(record.address)) return;
  if (waits && thread.takes == Takes::yes) end_wait(thread, record.tid, thread.since);
  tell(Transition::Kind::gave_up, record.at, record.tid, gil);
  if (thread.stage == Stage::away) return;
  // As above.
  thread.stage = Stage::inside;
  thread.takes = Takes::no;
}

void ExactWaits::come_back(Thread& thread, const TraceRecord& record) {
  if (!thread.on_cpu) give_cpu(thread, record);
  if (record.kind == Record::futex_return && thread.stage != Stage::inside) return;
  thread.stage = Stage::back;
  thread.took = thread.delayed = false;
  thread.since = thread.cpu_since = record.at;
  thread.used = {};
}

void ExactWaits::give_cpu(Thread& thread, const TraceRecord& record) {
  tell(Transition::Kind::given_cpu, record.at, record.tid);
  if (thread.stage == Stage::back && thread.delayed) {
    thread.delayed = false;
    thread.since = record.at;
    thread.used = {};
  }
  thread.on_cpu = true;
  thread.cpu_since = record.at;
}

void ExactWaits::leave_cpu(Thread& thread, const TraceRecord& record) {
  const bool preempted = record.kind == Record::preempted;
  settle(thread, record.tid, record.at);
  tell(preempted ? Transition::Kind::preempted : Transition::Kind::blocked, record.at, record.tid);
  thread.used = thread.cpu_used(record.at);
  thread.on_cpu = false;
  if (thread.stage != Stage::back) return;
  thread.delayed = preempted && !thread.took && thread.used < shortest_look;
  if (!thread.delayed) end_wait(thread, record.tid, thread.since);
}

void ExactWaits::end_wait(Thread& thread, Tid tid, Time at) {
  tell(Transition::Kind::wait_ended, at, tid, thread.gil, thread.takes);
  thread.stage = Stage::away;
}

void ExactWaits::settle(Thread& thread, Tid tid, Time at) {
  const bool went_on =
      thread.stage == Stage::back && thread.on_cpu && thread.cpu_used(at) > longest_look;
  if (went_on) end_wait(thread, tid, thread.since);
}

void ExactWaits::settle(Time at) {
  for (auto& [tid, thread] : threads_) settle(thread, tid, at);
}

ExactWaits::Standing ExactWaits::standing(Tid tid) const {
  const auto found = threads_.find(tid);
  if (found == threads_.end()) return {};
  return {found->second.on_cpu, found->second.stage != Stage::away};
}

void ExactWaits::forget() { threads_.clear(); }

void ExactWaits::adopt(Tid tid, Time at, bool on_cpu, std::optional<RemoteAddress> waits_for) {
  Thread& thread = threads_[tid];
  thread.on_cpu = on_cpu;
  thread.since = thread.cpu_since = at;
  if (!waits_for) return;
  thread.stage = Stage::inside;
  thread.gil = *waits_for;
  thread.takes = Takes::yes;
}

std::vector<Transition> ExactWaits::peek_until(Time at) const {
  const auto end = std::ranges::upper_bound(told_, at, {}, &Transition::at);
  return {told_.begin(), end};
}

std::vector<Transition> ExactWaits::take_until(Time at) {
  auto taken = peek_until(at);
  told_.erase(told_.begin(), told_.begin() + static_cast<std::ptrdiff_t>(taken.size()));
  return taken;
}

}  // namespace gilspy
