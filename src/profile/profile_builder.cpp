#include "gilspy/profile/profile_builder.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "builder_state.h"

namespace gilspy {
namespace {

/// A stream that says it lasted longer is damaged; without a bound its sums would overflow.
constexpr Duration longest_run = std::chrono::hours{24 * 400};
/// For the same reason: CLOCK_MONOTONIC counts from boot, and no machine was up for a century.
constexpr Time latest_moment{std::chrono::hours{24 * 36500}};

}  // namespace

ProfileBuilder::ProfileBuilder() : ProfileBuilder(Options{}) {}
ProfileBuilder::ProfileBuilder(Options options)
    : state_(std::make_unique<State>(std::move(options))) {}
ProfileBuilder::~ProfileBuilder() = default;

void ProfileBuilder::accept(const Event& event) { state_->accept(event); }

Profile ProfileBuilder::profile() const { return state_->profile(); }

void ProfileBuilder::State::accept(const Event& event) {
  if (!options_.tables) own_tables_->accept(event);
  if (const auto time = time_of(event)) advance(*time);
  std::visit([this](const auto& e) { on(e); }, event);
}

/// Moves to the moment of an event. A time that goes back or leaps is pulled into place.
void ProfileBuilder::State::advance(Time at) {
  at = std::clamp(at, Time{}, latest_moment);
  if (!begin_) begin_ = now_ = at;
  now_ = std::clamp(at, now_, *begin_ + longest_run);
}

void ProfileBuilder::State::on(const ProcessStarted& event) {
  if (!process_) {
    process_ = event;
    process_->at = now_;
    demand_.set_cores(event.cores);
    return;
  }
  // One profile for all: the first process stays its subject, and a note says what was added to it.
  const bool again = event.pid == process_->pid;
  if (again) {
    process_ends(event.pid);
    end_reason_.reset();
  }
  notes_.push_back(Noted{
      now_, event.pid,
      fmt::format("process {} {} Python {}: {}; figures are added up from here on", event.pid.value,
                  again ? "became" : "joined, with", event.python, event.command)});
}

void ProfileBuilder::State::on(const ProcessEnded& event) {
  process_ends(event.pid);
  if (!process_ || event.pid == process_->pid) end_reason_ = event.reason;
}

void ProfileBuilder::State::on(const Progress& event) {
  progress_ = event;
  progress_.at = now_;
}

void ProfileBuilder::State::on(const NativeCounted& event) {
  NativeCounted sum = native_.value_or(NativeCounted{});
  sum.at = now_;
  sum.merged += event.merged;
  sum.broken += event.broken;
  sum.left_out += event.left_out;
  native_ = sum;
}

void ProfileBuilder::State::on(const LatenessCounted& event) {
  if (!lateness_) lateness_.emplace();
  lateness_->add(event.ticks, event.worst);
  missed_for_room_ += event.without_room;
}

/// Of several programs in a row, the one that could be seen least well counts.
void ProfileBuilder::State::on(const Traced& event) {
  if (!traced_) {
    traced_ = event;
    return;
  }
  traced_->source = std::min(traced_->source, event.source);
  traced_->lost = std::max(traced_->lost, event.lost);
}

void ProfileBuilder::State::on(const Noted& event) {
  notes_.push_back(Noted{now_, event.pid, event.text});
}

void ProfileBuilder::State::on(const GilDefined& event) {
  gil(event.id).set_interpreters(tables_->string(event.interpreters));
  gil_pids_.insert_or_assign(event.id, event.pid);
}

void ProfileBuilder::State::on(const GilChanged& event) {
  credit(gil(event.gil).change(now_, event, blame_));
}

void ProfileBuilder::State::on(const ThreadSeen& event) {
  if (event.tid == no_thread) return;
  const std::string_view name = tables_->string(event.name);
  if (event.gil) gil(*event.gil);
  ThreadClock* thread = living(event.tid);
  if (thread == nullptr) {
    if (gone_.erase(event.tid) > 0) blame_.reused(event.tid);
    living_.emplace(event.tid, threads_.size());
    threads_.emplace_back(event, name, now_, options_.keep_timeline);
    return;
  }
  const bool moves =
      event.gil && thread->figures().gil != event.gil && thread->activity() == Activity::waiting;
  if (moves) wait_ends(*thread);
  thread->seen_again(event, name);
  if (moves) gil_of(*thread).wait_begins(now_, event.tid);
}

void ProfileBuilder::State::on(const StateChanged& event) {
  ThreadClock* thread = living(event.tid);
  if (thread == nullptr) return;
  const bool waited = thread->activity() == Activity::waiting;
  const bool waits = activity_of(event.state) == Activity::waiting;
  if (waited && !waits) wait_ends(*thread);
  if (!waited && waits) gil_of(*thread).wait_begins(now_, event.tid);
  demand_.leave(now_, thread->state());
  demand_.enter(now_, event.state);
  thread->change(now_, event.state);
}

void ProfileBuilder::State::on(const StackSampled& event) {
  ThreadClock* thread = living(event.tid);
  if (thread == nullptr) return;
  // Exporters use stacks as indices, so one that was never defined goes no further than here.
  const StackId stack = event.stack.value < tables_->stack_count() ? event.stack : empty_stack;
  thread->sampled(now_, stack);

  GilClock& its_gil = gil_of(*thread);
  // The thread's own state is of the same tick as the stack; the GIL's may still come.
  const Activity activity = thread->activity();
  const bool holds = activity == Activity::holding_running ||
                     activity == Activity::holding_blocked ||
                     (activity == Activity::unknown && its_gil.holder() == event.tid);
  if (!holds) return;
  its_gil.settle(now_, blame_);
  blame_.sampled(event.tid, stack);
}

ThreadClock* ProfileBuilder::State::living(Tid tid) {
  const auto found = living_.find(tid);
  return found != living_.end() ? &threads_[found->second] : nullptr;
}

GilClock& ProfileBuilder::State::gil(GilId id) {
  return gils_.try_emplace(id, id, now_, options_.keep_timeline).first->second;
}

GilClock& ProfileBuilder::State::gil_of(const ThreadClock& thread) {
  const auto id = thread.figures().gil;
  return id ? gil(*id) : no_gil_;
}

void ProfileBuilder::State::wait_ends(const ThreadClock& thread) {
  gil_of(thread).wait_ends(now_, thread.figures().tid, switch_interval(), blame_);
}

void ProfileBuilder::State::thread_ends(Tid tid) {
  ThreadClock* thread = living(tid);
  if (thread == nullptr) return;
  if (thread->activity() == Activity::waiting) wait_ends(*thread);
  thread->held_until(now_, gil_of(*thread).hold_so_far(now_, tid));
  demand_.leave(now_, thread->state());
  thread->close(now_);
  living_.erase(tid);
  gone_.insert(tid);
}

/// After an exec the same pid goes on without its old threads, and nobody holds its old GILs.
void ProfileBuilder::State::process_ends(Pid pid) {
  std::vector<Tid> ending;
  for (const auto& [tid, index] : living_) {
    if (threads_[index].figures().pid == pid) ending.push_back(tid);
  }
  for (const Tid tid : ending) thread_ends(tid);
  for (const auto& [id, owner] : gil_pids_) {
    if (owner == pid) on(GilChanged{now_, id, no_thread, true, 0});
  }
}

void ProfileBuilder::State::credit(const std::optional<GilClock::Hold>& hold) {
  if (!hold) return;
  if (ThreadClock* thread = living(hold->holder)) thread->held_until(now_, hold->length);
}

Duration ProfileBuilder::State::switch_interval() const {
  return process_ ? process_->switch_interval : Duration{};
}

}  // namespace gilspy
