// What the sink is told of a tick.

#include <algorithm>

#include "gilspy/python/importing.h"
#include "own_cpu_time.h"
#include "sampler_state.h"

namespace gilspy {
namespace {

/// Stacks of threads at rest that are read in one look: to read those of hundreds, which come to
/// rest together, takes as long as several ticks.
constexpr std::size_t most_rest_stacks = 32;

}  // namespace

/// The module that a thread under this GIL is importing.
std::optional<std::string> Sampler::State::import_under(const GilLane& gil) {
  for (const Lane& lane : lanes_.lanes()) {
    const Standing* standing = lane.standing();
    if (standing == nullptr || lanes_.gils()[standing->gil].id != gil.id) continue;
    if (auto name = module_being_imported(memory_, *target_.layout, standing->python)) return name;
  }
  return std::nullopt;
}

/// Free-threaded builds: the GIL may come back when an extension that needs it is imported.
void Sampler::State::follow_power() {
  if (!target_.layout->free_threaded) return;
  auto& gils = lanes_.gils();
  for (std::size_t i = 0; i < gils.size() && i < gil_sights_.size(); ++i) {
    GilLane& gil = gils[i];
    if (gil_sights_[i].reader == nullptr) continue;
    if (gil_sights_[i].moment.enabled() && !gil.defined) lanes_.define(gil, begin_);
    const auto note =
        gil.power.follow(begin_, gil_sights_[i].moment.power, [&] { return import_under(gil); });
    if (note) sink_.accept(Noted{begin_, process_.pid(), *note});
  }
}

void Sampler::State::tell_gils() {
  auto& gils = lanes_.gils();
  for (std::size_t i = 0; i < gils.size() && i < gil_sights_.size(); ++i) {
    if (gil_sights_[i].reader != nullptr && !gils[i].kernel_moves) tell_gil(i, begin_);
  }
}

void Sampler::State::tell_gil(std::size_t index, Time at) {
  GilLane& lane = lanes_.gils()[index];
  const GilSight& sight = gil_sights_[index];
  if (!lane.defined) return;
  std::uint64_t handoffs = 0;
  if (lane.last && sight.moment.switch_number > lane.last->switch_number) {
    handoffs = sight.moment.switch_number - lane.last->switch_number;
  }
  // The kernel's records may have told of them, and of one more that was in the making.
  const std::uint64_t told = std::min(handoffs, lane.told_handoffs);
  handoffs -= told;
  lane.told_handoffs = std::min<std::uint64_t>(lane.told_handoffs - told, 1);
  const RemoteAddress holder_state =
      sight.moment.enabled() ? sight.moment.holder() : RemoteAddress{};
  const Tid holder = holder_state.is_null() ? no_thread : lanes_.tid_of(holder_state);
  const bool known = holder_state.is_null() || holder != no_thread;
  if (!known) refresh_wanted_ = true;
  if (lane.told_holder != holder || handoffs > 0 || !lane.last) {
    // More than a second's worth of hand-offs in one tick is torn memory, not hand-offs.
    const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(handoffs, 1'000'000));
    sink_.accept(GilChanged{at, lane.id, holder, known, count});
  }
  if (!lane.last || !sight.moment.same_hold(*lane.last)) {
    lane.last_hold = at - lane.held_since;
    lane.held_since = at;
  }
  lane.told_holder = holder;
  if (holder != no_thread) lane.last_taker = holder;
  lane.last = sight.moment;
}

/// A thread's first state speaks for the time since it was found.
void Sampler::State::tell_first_states(std::span<const ThreadState> states) {
  const auto& lanes = lanes_.lanes();
  for (std::size_t i = 0; i < lanes.size() && i < states.size(); ++i) {
    if (!lanes[i].told) tell_state(i, states[i], lanes[i].since);
  }
}

void Sampler::State::tell_states(std::span<const ThreadState> states) {
  const auto& lanes = lanes_.lanes();
  for (std::size_t i = 0; i < lanes.size() && i < states.size(); ++i) {
    if (lanes[i].state != states[i]) tell_state(i, states[i], begin_);
  }
}

void Sampler::State::tell_state(std::size_t lane, ThreadState state, Time from) {
  if (lane_sights_[lane].syscall.kind == SyscallNow::Kind::gone) return;
  Lane& told = lanes_.lanes()[lane];
  told.state = state;
  told.told = true;
  sink_.accept(StateChanged{from, told.tid, state});
}

/// From here on nothing is known.
void Sampler::State::tell_unknown(Time from) {
  for (Lane& lane : lanes_.lanes()) {
    lane.state = ThreadState{};
    lane.told = true;
    sink_.accept(StateChanged{from, lane.tid, lane.state});
  }
  for (GilLane& gil : lanes_.gils()) {
    gil.told_holder.reset();
    if (gil.defined) sink_.accept(GilChanged{from, gil.id, no_thread, false, 0});
  }
}

/// There was no tick for long: nobody can say what the target did meanwhile, but for the kernel's
/// records, up to where some are missing.
void Sampler::State::tell_gap_until(Time end) {
  Time from = last_tick_ + reach();
  if (trace_) from = std::max(lost_since_.value_or(end), told_until_);
  if (from < end) tell_gap(from, end);
}

void Sampler::State::tell_gap(Time from, Time to) {
  tell_unknown(from);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
  sink_.accept(Noted{from, process_.pid(),
                     (had_no_room_ ? "the recording could not be written as fast as needed for "
                                   : "gilspy had no CPU for ") +
                         std::to_string(ms) + " ms; the states of that time are unknown"});
}

/// The first one's has been begun.
void Sampler::State::sample_stacks(Tid first) {
  auto& lanes = lanes_.lanes();
  rest_stacks_left_ = options_.state_hz > 0 ? most_rest_stacks : lanes.size();
  const auto begun = std::ranges::find(lanes, first, &Lane::tid);
  if (begun != lanes.end()) sample_stack(*begun);
  for (Lane& lane : lanes) {
    if (lane.tid != first) sample_stack(lane);
  }
}

void Sampler::State::sample_stack(Lane& lane) {
  if (lane.standing() == nullptr && !native_) return;
  // It has not run: its stack is what it was.
  if (lane.rest.is_resting() && lane.rest_stack) {
    lane.owed_stack = lane.rest_stack;
    return;
  }
  // And will be: the next look at stacks finds it as well.
  if (lane.rest.is_resting() && !native_ && rest_stacks_left_-- == 0) {
    rest_stacks_left_ = 0;
    return;
  }
  if (const auto stack = stack_as_before(lane)) {
    tell_stack(lane, *stack, now_);
  } else {
    take_stack(lane, read_stack(lane));
  }
}

/// Only who has the GIL can change its frames, and nobody has taken it since they were read. Native
/// functions do not need it.
std::optional<StackId> Sampler::State::stack_as_before(const Lane& lane) const {
  if (!lane.stack_read || native_ || lane.standings.size() != 1) return std::nullopt;
  const GilMoment& moment = gil_sights_[lane.standing()->gil].moment;
  if (!moment.same_hold(lane.stack_read->hold)) return std::nullopt;
  return lane.stack_read->stack;
}

/// Native stacks of threads that had no CPU when they were asked for.
void Sampler::State::sample_late_stacks() {
  for (Lane& lane : lanes_.lanes()) {
    if (native_->owes(lane)) take_stack(lane, native_->read_late(lane));
  }
}

void Sampler::State::take_stack(Lane& lane, const Result<std::optional<StackId>>& stack) {
  lane.stack_read.reset();
  const StackEffort effort = effort_on(lane);
  if (effort.again > 0) ++totals.trouble.retried;
  totals.trouble.retries += effort.again;
  if (!stack) {
    ++totals.stacks_dropped;
    ++totals.trouble.dropped.at(static_cast<std::size_t>(effort.failed));
    if (stack.error().kind == ErrorClass::drop_thread) refresh_wanted_ = true;
    return;
  }
  const std::optional<StackId> id = *stack;
  if (!id) return;
  if (lane.rest.is_resting()) lane.rest_stack = *id;
  if (const Standing* standing = lane.standing()) {
    const GilMoment& moment = gil_sights_[standing->gil].moment;
    const bool holds = moment.holder() == standing->python.address;
    if (moment.enabled() && !holds) lane.stack_read = StackRead{*id, moment};
  }
  tell_stack(lane, *id, now_);
}

/// Of the read before.
StackEffort Sampler::State::effort_on(const Lane& lane) const {
  if (lane.standing() == nullptr) return {};
  return still_stacks_ && !native_ ? still_stacks_->effort() : stacks_.effort();
}

/// Nothing for one that comes later.
Result<std::optional<StackId>> Sampler::State::read_stack(const Lane& lane) {
  if (native_) return native_->read(lane);
  const Standing& standing = *lane.standing();
  if (still_stacks_) return still_stacks_->read(lane, lanes_.gils()[standing.gil].reader);
  return stacks_.read(standing.python);
}

void Sampler::State::tell_stack(const Lane& lane, StackId stack, Time at) {
  ++totals.stacks;
  sink_.accept(StackSampled{at, lane.tid, stack});
}

/// Of the time that threads have rested. Those who go on with their work are told of as of then.
void Sampler::State::tell_owed_stacks(Time at, bool all) {
  for (Lane& lane : lanes_.lanes()) {
    if (!lane.owed_stack || (lane.rest.is_resting() && !all)) continue;
    tell_stack(lane, *lane.owed_stack, at);
    lane.owed_stack.reset();
  }
}

void Sampler::State::tell_lateness() {
  if (lateness.ticks() == 0 && without_room_ == 0) return;
  sink_.accept(LatenessCounted{now_, lateness.counts(), lateness.worst(), without_room_});
  lateness.clear();
  without_room_ = 0;
}

void Sampler::State::tell_progress() {
  progress_at_ = now_;
  totals.at = now_;
  totals.cpu = own_cpu_time();
  sink_.accept(totals);
  tell_lateness();
  tell_trace(now_);
  if (!native_) return;
  sink_.accept(native_->take_counts(now_));
  if (auto note = native_->take_note()) sink_.accept(Noted{now_, process_.pid(), *note});
}

}  // namespace gilspy
