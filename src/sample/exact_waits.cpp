#include "exact_waits.h"

#include <algorithm>

namespace gilspy {
namespace {

using Record = TraceRecord::Kind;
using Takes = Transition::Takes;

/// CPU time within which a thread that waits on calls futex again, from where it wakes others.
constexpr Duration longest_look = std::chrono::microseconds{20};
/// Likewise from the end of the hand-over in drop_gil to the beginning of take_gil's wait.
constexpr Duration longest_way = std::chrono::microseconds{40};
/// And from a wait to where it wakes others. One that never does has another libc.
constexpr Duration longest_return = std::chrono::microseconds{500};
/// A thread that has handed over and loses its CPU so early loses it to the one that it woke, still
/// inside drop_gil.
constexpr Duration shortest_way = std::chrono::nanoseconds{3500};

}  // namespace

void ExactWaits::tell(Transition::Kind kind, Time at, Tid tid, RemoteAddress gil, Takes takes) {
  // Most are the latest; the end of a wait is told with hindsight.
  const auto place = std::ranges::upper_bound(told_, at, {}, &Transition::at);
  told_.insert(place, Transition{kind, takes, at, tid, gil});
}

ExactWaits::Thread& ExactWaits::thread(const TraceRecord& record) {
  const auto [entry, fresh] = threads_.try_emplace(record.tid);
  if (fresh) entry->second.returned = entry->second.cpu_since = record.at;
  return entry->second;
}

void ExactWaits::take(const TraceRecord& record) {
  switch (record.kind) {
    case Record::given_cpu: give_cpu(thread(record), record); break;
    case Record::preempted:
    case Record::blocked: leave_cpu(thread(record), record); break;
    case Record::exited: threads_.erase(record.tid); break;
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
  if (thread.stage != Stage::away && thread.gil != gil) end_wait(thread, record.tid);
  Time from = record.at;
  if (thread.stage == Stage::back && thread.takes == Takes::no && thread.lost_cpu &&
      2 * thread.used < thread.cpu_used(record.at)) {
    // Halfway, take_gil begins. It lost its CPU before.
    end_wait(thread, record.tid);
    from = thread.cpu_since;
  }
  if (thread.stage == Stage::away) {
    begin_wait(thread, record.tid, from, gil, part);
  } else if (part == GilFutex::mutex && thread.takes == Takes::no) {
    // After the hand-over comes take_gil, which begins with the mutex.
    thread.takes = Takes::yes;
  }
  if (takes_up) thread.takes = Takes::yes;
  thread.stage = Stage::inside;
  thread.asleep = false;
  thread.returned = record.at;
  thread.woke.reset();
  thread.count_cpu_from(record.at);
}

void ExactWaits::begin_wait(Thread& thread, Tid tid, Time at, RemoteAddress gil, GilFutex part) {
  tell(Transition::Kind::wait_began, at, tid, gil);
  const bool hands_over = part == GilFutex::switch_cond || part == GilFutex::switch_mutex;
  thread.takes = hands_over ? Takes::no : Takes::unless_held;
  thread.gil = gil;
}

void ExactWaits::wake(Thread& thread, const TraceRecord& record, RemoteAddress gil, GilFutex part) {
  settle(thread, record.tid, record.at);
  // drop_gil does it, with the GIL given up.
  const bool gives_up = part == GilFutex::cond && wait_words_.contains(record.address);
  const bool waits = thread.stage != Stage::away;
  if (waits) wake_in_wait(thread, record, part, gives_up);
  if (gives_up) tell(Transition::Kind::gave_up, record.at, record.tid, gil);
  // Only take_gil does that, with the GIL taken.
  if (!waits && part == GilFutex::switch_cond) {
    tell(Transition::Kind::took, record.at, record.tid, gil);
  }
}

void ExactWaits::wake_in_wait(Thread& thread, const TraceRecord& record, GilFutex part,
                              bool gives_up) {
  if (thread.stage == Stage::inside) come_back(thread, record.at);
  if (gives_up) {
    // Either it has taken the GIL meanwhile, or it waited inside drop_gil itself.
    const bool took = thread.takes == Takes::yes || thread.woke;
    if (!took) thread.takes = Takes::no;
    if (!thread.woke) thread.woke = took ? thread.returned : record.at;
    end_wait(thread, record.tid);
    return;
  }
  // Inside a wait the words of cond are used to tell who signals that others have left it.
  if (part == GilFutex::cond) return;
  if (!thread.woke) thread.woke = record.at;
  thread.count_cpu_from(record.at);
  if (part != GilFutex::switch_cond) return;
  thread.takes = Takes::yes;
  end_wait(thread, record.tid);
}

void ExactWaits::come_back(Thread& thread, Time at) {
  thread.stage = Stage::back;
  thread.returned = at;
  thread.count_cpu_from(at);
}

void ExactWaits::give_cpu(Thread& thread, const TraceRecord& record) {
  tell(Transition::Kind::given_cpu, record.at, record.tid);
  thread.on_cpu = true;
  thread.cpu_since = record.at;
  const bool woken = thread.stage == Stage::inside && thread.asleep;
  const bool on_its_way = thread.stage == Stage::back && !thread.woke;
  if (woken || on_its_way) come_back(thread, record.at);
}

void ExactWaits::leave_cpu(Thread& thread, const TraceRecord& record) {
  const bool preempted = record.kind == Record::preempted;
  settle(thread, record.tid, record.at);
  tell(preempted ? Transition::Kind::preempted : Transition::Kind::blocked, record.at, record.tid);
  thread.used = thread.cpu_used(record.at);
  thread.on_cpu = false;
  thread.lost_cpu = true;
  if (thread.stage == Stage::inside) thread.asleep = thread.asleep || !preempted;
  if (thread.stage != Stage::back) return;
  const bool handed_over = thread.takes == Takes::no && thread.woke && thread.used < shortest_way;
  if (!preempted || handed_over) end_wait(thread, record.tid);
}

void ExactWaits::end_wait(Thread& thread, Tid tid) {
  const Time at = thread.woke.value_or(thread.returned);
  tell(Transition::Kind::wait_ended, at, tid, thread.gil, thread.takes);
  thread.stage = Stage::away;
}

void ExactWaits::settle(Thread& thread, Tid tid, Time at) {
  if (thread.stage == Stage::away || !thread.on_cpu) return;
  Duration most = longest_return;
  if (thread.woke) most = thread.takes == Takes::no ? longest_way : longest_look;
  if (thread.cpu_used(at) > most) end_wait(thread, tid);
}

void ExactWaits::settle(Time at) {
  for (auto& [tid, thread] : threads_) settle(thread, tid, at);
}

void ExactWaits::settle_holder(RemoteAddress gil, Tid holder, Time at) {
  const auto found = threads_.find(holder);
  if (found == threads_.end()) return;
  Thread& thread = found->second;
  const bool open = thread.stage == Stage::back && thread.gil == gil && thread.takes != Takes::no &&
                    thread.woke && *thread.woke < at;
  if (open) end_wait(thread, holder);
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
  thread.returned = thread.cpu_since = at;
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
