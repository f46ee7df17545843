// What a tick reads of the target, and what follows from it.

#include <algorithm>
#include <utility>

#include "sampler_state.h"

namespace gilspy {
namespace {

/// A waiter that wakes looks at the GIL and waits on: it needs no more of a CPU than this.
constexpr Duration longest_wakeup = std::chrono::microseconds{100};
/// How often it is looked for threads that Python has made.
constexpr Duration heads_period = std::chrono::milliseconds{1};

}  // namespace

void Sampler::State::ask_for_gils() {
  const auto& gils = lanes_.gils();
  slots_.clear();
  for (std::size_t i = 0; i < gils.size(); ++i) {
    slots_.push_back(gils[i].reader.slot(gil_bytes_[i]));
  }
}

/// One batched read of every GIL and, unless it was done just now, of the heads of the thread
/// lists; with `stack_of`, also of what that thread's stack begins with.
bool Sampler::State::read_gils(const Lane* stack_of) {
  auto& gils = lanes_.gils();
  const bool heads_due = now_ - heads_read_at_ >= heads_period;
  if (heads_due) heads_read_at_ = now_;
  gil_bytes_.resize(gils.size());
  heads_.assign(heads_due ? gils.size() : 0, {});
  ask_for_gils();
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    slots_.push_back({target_.layout->at.interpreter.threads_head.in(gils[i].interpreter),
                      std::as_writable_bytes(std::span{&heads_[i], 1})});
  }
  const std::size_t count = slots_.size();
  if (stack_of != nullptr) stacks_.ask(stack_of->standing()->python, slots_);
  const Time begun = now();
  const auto done = memory_.read_batch(slots_);
  if (!done || *done < count) return false;
  if (stack_of != nullptr) stacks_.answer({*done - count, now() - begun});
  return true;
}

bool Sampler::State::read_gils_again() {
  ask_for_gils();
  const auto done = memory_.read_batch(slots_);
  return done && *done == slots_.size();
}

/// Where a list begins with another thread state than when it was gone through, it is to be gone
/// through again.
void Sampler::State::check_heads() {
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    if (heads_[i] != lanes_.gils()[i].threads_head) refresh_wanted_ = true;
  }
}

/// Who is likely to hold the GIL, as it did at the last tick.
const Lane* Sampler::State::likely_holder() const {
  for (const GilLane& gil : lanes_.gils()) {
    if (!gil.told_holder || *gil.told_holder == no_thread) continue;
    const auto found = std::ranges::find(lanes_.lanes(), *gil.told_holder, &Lane::tid);
    if (found != lanes_.lanes().end() && found->standings.size() == 1) return &*found;
  }
  return nullptr;
}

/// The thread that we wake on the CPU of has lost that CPU to us, wherever it was: its stack stands
/// still while we read it. On another CPU it would change several times meanwhile.
void Sampler::State::go_to_holder() {
  if (const Lane* const holder = likely_holder()) holder_cpu_.go_to(*holder);
}

/// Free-threaded builds: whether each thread is attached, in one read.
void Sampler::State::read_attachments() {
  const auto& lanes = lanes_.lanes();
  attachments_.assign(lanes.size(), -1);
  if (!target_.layout->free_threaded) return;
  slots_.clear();
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const Standing* standing = lanes[i].standing();
    if (standing == nullptr) continue;
    slots_.push_back({target_.layout->at.thread.state.in(standing->python.address),
                      std::as_writable_bytes(std::span{&attachments_[i], 1})});
  }
  const auto done = memory_.read_batch(slots_);
  if (!done || *done != slots_.size()) refresh_wanted_ = true;
}

/// A thread with states in several interpreters runs in the one whose GIL it holds or waits for;
/// while it does neither, in the one it was seen in last.
void Sampler::State::find_standings() {
  for (std::size_t i = 0; i < lane_sights_.size(); ++i) {
    Lane& lane = lanes_.lanes()[i];
    if (lane.standings.size() < 2) continue;
    const SyscallNow& call = lane_sights_[i].syscall;
    const auto holds = [&](const Standing& standing) {
      return standing.python.address == gil_sights_[standing.gil].moment.holder();
    };
    const auto waits = [&](const Standing& standing) {
      return waits_for(call, lanes_.gils()[standing.gil].reader);
    };
    auto found = std::ranges::find_if(lane.standings, holds);
    if (found == lane.standings.end()) {
      // Several may take the same GIL: then it is still the one it was in.
      if (waits(*lane.standing())) continue;
      found = std::ranges::find_if(lane.standings, waits);
    }
    if (found == lane.standings.end()) continue;
    lanes_.activate(lane, static_cast<std::size_t>(found - lane.standings.begin()), begin_);
    lane_sights_[i].thread_state = found->python.address;
    lane_sights_[i].gil = found->gil;
  }
}

/// Who waits for the GIL, or holds it, is what everybody wants to know of. A thread with several
/// standings may be called back into another interpreter.
bool Sampler::State::may_rest(const Lane& lane, const LaneSight& sight) const {
  return !stopped_ && lane.standings.size() < 2 && !is_holder(sight) && !blocks_on_gil(sight) &&
         sight.attachment != Attachment::attached;
}

/// Nobody has taken the thread's GIL since the tick before.
bool Sampler::State::holds_as_before(const Lane& lane, const LaneSight& sight) const {
  if (sight.thread_state.is_null() || lane.standings.size() > 1) return false;
  const auto& gil = lanes_.gils()[sight.gil];
  return gil.last && gil.last->enabled() && gil_sights_[sight.gil].moment.same_hold(*gil.last);
}

/// It was seen in the GIL's queue: so it is there still.
bool Sampler::State::waits_still(const Lane& lane, const LaneSight& sight) const {
  return is_futex(lane.rest.last()) && holds_as_before(lane, sight) &&
         lanes_.gils()[sight.gil].reader.is_take_address(lane.rest.last().arguments[0]);
}

/// It was on a run queue without a CPU, and has had none since: so it is where it was.
bool Sampler::State::lacks_still(const Lane& lane, LaneSight& sight) const {
  if (!lane.sched || !lane.lacked_cpu || !holds_as_before(lane, sight)) return false;
  const auto sched = lane.files.schedstat();
  if (!sched || sched->slices != lane.sched->slices) return false;
  sight.sched = sched;
  return true;
}

/// Where the thread stands; of one at rest, unless its time has come, where it stood.
void Sampler::State::look_at(Lane& lane, LaneSight& sight) {
  sight.syscall = lane.rest.last();
  if (!look_at_all_ && (!lane.rest.is_due(now_) || waits_still(lane, sight))) return;
  const auto slices = [&lane] {
    const auto sched = lane.files.schedstat();
    return sched ? std::optional{sched->slices} : std::nullopt;
  };
  if (lane.rest.is_resting()) lane.rest.asked(now_, slices());
  if (lane.rest.is_resting() || lacks_still(lane, sight)) return;
  const bool first_of_crowd = totals.ticks == 0 && lanes_.lanes().size() >= Rest::crowd;
  const auto slices_before = first_of_crowd ? slices() : std::nullopt;
  sight.syscall = lane.files.syscall();
  // A holder that runs did so at the first moment too, whatever has become of the GIL.
  const bool holder_runs = is_holder(sight) && sight.syscall.kind == SyscallNow::Kind::running;
  if (!sight.thread_state.is_null() && !holder_runs) look_again_ = true;
  lane.rest.saw(now_, lane_sights_.size(), lanes_.lanes().size(), sight.syscall,
                may_rest(lane, sight), slices);
  if (first_of_crowd && may_rest(lane, sight)) {
    lane.rest.rest_from_here(now_, lane_sights_.size(), slices_before);
  }
  if (!lane.rest.is_resting()) lane.rest_stack.reset();
}

void Sampler::State::look_at_threads() {
  look_again_ = false;
  lane_sights_.clear();
  read_attachments();
  for (Lane& lane : lanes_.lanes()) {
    LaneSight sight;
    if (const Standing* standing = lane.standing()) {
      sight.thread_state = standing->python.address;
      sight.gil = standing->gil;
    }
    sight.attachment = attachment_of(attachments_[lane_sights_.size()]);
    if (is_holder(sight) || sight.attachment == Attachment::attached) lane.rest.wake(now_);
    look_at(lane, sight);
    sight.stopped = stopped_;
    sight.waited_before = lane.state.gil == GilState::waiting;
    if (sight.syscall.kind == SyscallNow::Kind::gone) refresh_wanted_ = true;
    lane_sights_.push_back(sight);
  }
  find_standings();
}

/// The GIL, the threads' system calls, and the GIL again, if those depend on it.
Sampler::Outcome Sampler::State::observe(const Lane* stack_of) {
  auto& gils = lanes_.gils();
  gil_sights_.assign(gils.size(), {});
  readable_ = read_gils(stack_of);
  if (!readable_) return check_process();
  for (std::size_t i = 0; i < gils.size(); ++i) {
    gil_sights_[i].reader = &gils[i].reader;
    gil_sights_[i].moment = gils[i].reader.decode(gil_bytes_[i]);
  }
  look_at_threads();
  look_into_pthreads();
  if (look_again_) readable_ = read_gils_again();
  if (!readable_) return check_process();
  bool stable = true;
  for (std::size_t i = 0; i < gils.size(); ++i) {
    GilSight& sight = gil_sights_[i];
    sight.after = look_again_ ? gils[i].reader.decode(gil_bytes_[i]) : sight.moment;
    sight.stable = sight.after.same_hold(sight.moment);
    stable = stable && sight.stable;
  }
  check_heads();
  if (!stable) ++totals.during_handoff;
  return Outcome::alive;
}

bool Sampler::State::is_holder(const LaneSight& sight) const {
  return !sight.thread_state.is_null() && sight.gil < gil_sights_.size() &&
         sight.thread_state == gil_sights_[sight.gil].moment.holder();
}

bool Sampler::State::blocks_on_gil(const LaneSight& sight) const {
  return !sight.thread_state.is_null() && sight.gil < gil_sights_.size() &&
         waits_for(sight.syscall, *gil_sights_[sight.gil].reader);
}

/// The waiter that drop_gil wakes often preempts the thread that woke it, right inside drop_gil:
/// the old holder then sits on the run queue, in no wait that anybody counts. A hold of a whole
/// switch interval while somebody waited ended because the GIL was asked for, so that thread wants
/// it back; after another one it let go by itself, and only wants a CPU.
bool Sampler::State::is_handing_over(const Lane& lane, const std::optional<SchedStat>& old,
                                     const SchedStat& sched) {
  if (lane.standing() == nullptr) return false;
  const GilLane& gil = lanes_.gils()[lane.standing()->gil];
  if (lane.handing_over) return old && old->slices == sched.slices;
  const Duration hold =
      now_ - gil.held_since > gap_ + gap_ / 2 ? gil.last_hold : now_ - gil.held_since;
  return lane.state.gil == GilState::holding && hold >= interval_ - interval_ / 4 &&
         is_asked_for(lane);
}

/// Whether anybody was seen to want the GIL of this holder, or has taken it since.
bool Sampler::State::is_asked_for(const Lane& holder) const {
  const Standing& standing = *holder.standing();
  if (gil_sights_[standing.gil].moment.last_holder != standing.python.address) return true;
  return std::ranges::any_of(lanes_.lanes(), [&](const Lane& lane) {
    return lane.standing() != nullptr && lane.standing()->gil == standing.gil &&
           lane.state.gil == GilState::waiting;
  });
}

/// Whether the threads on a run queue have a CPU. Only for those that do not hold the GIL: a holder
/// keeps everybody waiting either way.
void Sampler::State::look_for_cpus() {
  auto& lanes = lanes_.lanes();
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    Lane& lane = lanes[i];
    LaneSight& sight = lane_sights_[i];
    const bool on_queue = sight.syscall.kind == SyscallNow::Kind::running && !stopped_;
    if (!on_queue || is_holder(sight)) {
      lane.sched.reset();
      lane.handing_over = false;
      if (on_queue || !blocks_on_gil(sight)) {
        lane.sched_waiting.reset();
      } else if (!lane.sched_waiting) {
        lane.sched_waiting = lane.files.schedstat();
      }
      continue;
    }
    const auto now_sched = sight.sched ? sight.sched : lane.files.schedstat();
    const auto old = std::exchange(lane.sched, now_sched);
    if (!now_sched) continue;
    // Who had no CPU, and has had none since, has none; the other count takes six times as long.
    const bool has_none = old && lane.lacked_cpu && old->slices == now_sched->slices;
    const auto left = has_none ? std::nullopt : lane.files.context_switches();
    if (!has_none && !left) continue;
    if (const auto& waiting = lane.sched_waiting) {
      sight.waits_since = waiting->slices == now_sched->slices;
      sight.worked_since = now_sched->ran - waiting->ran > longest_wakeup;
    }
    const bool on_cpu = !has_none && now_sched->slices > *left;
    lane.lacked_cpu = !on_cpu;
    // Off its CPU, but it ran for most of the time since the last tick: it is we who took its
    // place.
    const bool ran_till_now = old && 2 * (now_sched->ran - old->ran) > gap_;
    sight.lacks_cpu = !on_cpu && !ran_till_now;
    lane.handing_over = !on_cpu && is_handing_over(lane, old, *now_sched);
    sight.handing_over = lane.handing_over;
  }
}

/// The holder itself uses the mutex at the end of take_gil and in drop_gil, where it may lose its
/// CPU when it has let go of the GIL but not of the mutex.
void Sampler::State::leave_out_holder(GilMoment& moment) const {
  if (moment.mutex_owner == 0 || moment.mutex_users == 0) return;
  const auto owns = [&](const Lane& lane) {
    const Standing* standing = lane.standing();
    return standing != nullptr && standing->python.address == moment.last_holder &&
           standing->python.native_id == moment.mutex_owner;
  };
  if (std::ranges::any_of(lanes_.lanes(), owns)) --moment.mutex_users;
}

void Sampler::State::count_waiters() {
  auto& gils = lanes_.gils();
  for (std::size_t i = 0; i < gils.size() && i < gil_sights_.size(); ++i) {
    if (gil_sights_[i].reader == nullptr) continue;
    leave_out_holder(gil_sights_[i].moment);
    leave_out_holder(gil_sights_[i].after);
    const BlockedInWait blocked = blocked_in_wait(lane_sights_, i, gil_sights_[i]);
    if (blocked.certain && gil_sights_[i].stable) {
      gils[i].cond_waiters.learn(gil_sights_[i].moment, blocked.count);
    }
    if (pthread_waits_.learnt()) {
      // Without that count only those wait who say so.
      gil_sights_[i].mutex_waiters =
          gils[i].cond_waiters.count_at_mutex(gil_sights_[i].moment).value_or(0);
    }
    const auto before = gils[i].cond_waiters.count(gil_sights_[i].moment);
    const auto after = gils[i].cond_waiters.count(gil_sights_[i].after);
    if (!before || !after) continue;
    // The threads were looked at between the two: as many waited as the mean of both, half of them
    // rounded up by turns.
    gil_sights_[i].cond_waiters =
        static_cast<std::uint32_t>((std::uint64_t{*before} + *after + totals.ticks % 2) / 2);
  }
}

/// So that a waiter who does not run until the next tick is known to wait still.
void Sampler::State::remember_waiters(std::span<const ThreadState> states) {
  auto& lanes = lanes_.lanes();
  for (std::size_t i = 0; i < lanes.size() && i < states.size(); ++i) {
    if (!lanes[i].sched) continue;
    lanes[i].sched_waiting.reset();
    if (states[i].gil == GilState::waiting) lanes[i].sched_waiting = lanes[i].sched;
  }
}

/// When more wait for a GIL than were seen, twice in a row, somebody has come back from a rest.
void Sampler::State::look_for_waiters(std::span<const ThreadState> states) {
  const bool missed_before = std::exchange(waiters_missed_, false);
  const auto& lanes = lanes_.lanes();
  for (std::size_t gil = 0; gil < gil_sights_.size(); ++gil) {
    std::uint32_t waiting = 0;
    bool resting = false;
    for (std::size_t i = 0; i < lanes.size() && i < states.size(); ++i) {
      if (lane_sights_[i].gil != gil) continue;
      if (states[i].gil == GilState::waiting) ++waiting;
      resting = resting || lanes[i].rest.is_resting();
    }
    if (resting && gil_sights_[gil].cond_waiters.value_or(0) > waiting) waiters_missed_ = true;
  }
  look_at_all_ = waiters_missed_ && missed_before;
}

}  // namespace gilspy
