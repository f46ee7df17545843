// What the kernel's own records add to the ticks.

#include <fmt/format.h>

#include <algorithm>

#include "sampler_state.h"

namespace gilspy {

std::vector<RemoteRange> Sampler::State::gil_futexes() {
  std::vector<RemoteRange> futexes;
  for (const GilLane& gil : lanes_.gils()) futexes.push_back(gil.reader.wait_range());
  return futexes;
}

void Sampler::State::begin_trace() {
  if (!options_.exact) return;
  trace_ = std::make_unique<KernelTrace>(process_, gil_futexes());
  told_until_ = now_;
  if (!trace_->why_not().empty()) {
    sink_.accept(
        Noted{now_, process_.pid(),
              fmt::format("waits for the GIL are sampled, not exact: {}", trace_->why_not())});
  }
  tell_trace(now_);
  if (trace_->source() == TraceSource::sampled) {
    trace_.reset();
    return;
  }
  using Place = std::optional<std::pair<RemoteAddress, GilFutex>>;
  waits_ = std::make_unique<ExactWaits>([this](std::uint64_t futex) -> Place {
    for (const GilLane& gil : lanes_.gils()) {
      const GilFutex part = gil.reader.part_of(futex);
      if (part != GilFutex::none) return std::pair{gil.reader.address(), part};
    }
    return std::nullopt;
  });
}

void Sampler::State::tell_trace(Time at) {
  if (trace_) sink_.accept(Traced{at, process_.pid(), trace_->source(), trace_->lost()});
}

void Sampler::State::take_kernel_records() {
  const Time horizon = now();
  trace_->drain();
  for (const TraceRecord& record : trace_->take_until(horizon)) {
    if (record.kind == TraceRecord::Kind::exited) {
      refresh_wanted_ = true;
      lane_places_.erase(record.tid);
    }
    if (record.kind == TraceRecord::Kind::forked) {
      // Told of as of the end of the last tick: all that it has done since will be recorded.
      newcomers_.push_back(record.tid);
    }
    if (record.kind == TraceRecord::Kind::lost) {
      lost_here_ += record.count;
      if (!lost_since_) lost_since_ = record.at;
      waits_->forget();
    } else {
      waits_->take(record);
    }
  }
  waits_->settle(horizon);
}

/// From the moment of a loss on, ticks alone tell, until they have told how each thread stands.
void Sampler::State::note_lost(Time at) {
  lost_since_.reset();
  if (lost_here_ == 0) return;
  sink_.accept(Noted{at, process_.pid(),
                     fmt::format("{} of the kernel's records were lost; around here waits are as "
                                 "sampled",
                                 lost_here_)});
  lost_here_ = 0;
  for (Lane& lane : lanes_.lanes()) lane.kernel.forget();
}

/// There is a question for each record: where the lane was last time it mostly is still.
Lane* Sampler::State::lane_of(Tid tid) {
  auto& lanes = lanes_.lanes();
  std::size_t& place = lane_places_[tid];
  if (place < lanes.size() && lanes[place].tid == tid) return &lanes[place];
  const auto found = std::ranges::find(lanes, tid, &Lane::tid);
  if (found == lanes.end()) {
    lane_places_.erase(tid);
    return nullptr;
  }
  place = static_cast<std::size_t>(found - lanes.begin());
  return &*found;
}

GilLane* Sampler::State::gil_of(const Lane& lane) {
  const Standing* standing = lane.standing();
  return standing != nullptr ? &lanes_.gils()[standing->gil] : nullptr;
}

/// Threads made since the last tick are told of at once: from their first moment on.
void Sampler::State::meet_newcomers() {
  if (newcomers_.empty()) return;
  refreshed_at_ = now_;
  // A target that is gone will be noticed by the looks that follow.
  static_cast<void>(lanes_.refresh(told_until_));
  for (const Tid tid : newcomers_) {
    Lane* lane = lane_of(tid);
    if (lane == nullptr || lane->told) continue;
    lane->kernel = KernelView{trace_->source() == TraceSource::exact};
    lane->kernel.know(CpuState::runnable, false);
    lane->state.gil = lane->standing() != nullptr ? GilState::released : GilState::none;
    lane->state.cpu = CpuState::runnable;
    lane->told = true;
    sink_.accept(StateChanged{told_until_, tid, lane->state});
  }
  newcomers_.clear();
}

void Sampler::State::follow_kernel_to(Time at) {
  take_kernel_records();
  meet_newcomers();
  for (const Transition& step : waits_->take_until(at)) follow(step);
}

void Sampler::State::put_state(Lane& lane, ThreadState state, Time at) {
  if (!lane.told || lane.state == state) return;
  lane.state = state;
  sink_.accept(StateChanged{at, lane.tid, state});
}

void Sampler::State::put_holder(GilLane& gil, Tid holder, Time at) {
  if (!gil.defined || gil.told_holder == holder) return;
  if (gil.told_holder && *gil.told_holder != no_thread) {
    Lane* before = lane_of(*gil.told_holder);
    if (before != nullptr && before->state.gil == GilState::holding) {
      ThreadState state = before->state;
      state.gil = GilState::released;
      put_state(*before, state, at);
    }
  }
  const bool handed_over = holder != no_thread && gil.last_taker && *gil.last_taker != holder;
  if (holder != no_thread) gil.last_taker = holder;
  gil.told_handoffs += handed_over ? 1 : 0;
  gil.told_holder = holder;
  sink_.accept(GilChanged{at, gil.id, holder, true, handed_over ? 1U : 0U});
}

bool Sampler::State::others_wait(const Lane& lane) const {
  const Standing* own = lane.standing();
  return own != nullptr && std::ranges::any_of(lanes_.lanes(), [&](const Lane& other) {
           const Standing* standing = other.standing();
           return &other != &lane && standing != nullptr && standing->gil == own->gil &&
                  other.kernel.known() && other.kernel.waiting();
         });
}

/// The state that a step leads to; and whether the thread has the GIL then.
ThreadState Sampler::State::state_after(const Lane& lane, const Transition& step,
                                        const GilLane* gil) const {
  using Kind = Transition::Kind;
  ThreadState state = lane.state;
  if (lane.kernel.waiting()) return lane.kernel.in_wait(state);
  const bool other_holds = gil == nullptr || (gil->told_holder.value_or(no_thread) != no_thread &&
                                              gil->told_holder != lane.tid);
  switch (step.kind) {
    case Kind::given_cpu: return lane.kernel.running(state, other_holds);
    case Kind::blocked: return lane.kernel.blocked(state, others_wait(lane));
    case Kind::wait_ended:
      state = lane.kernel.running(state, other_holds);
      state.cpu = lane.kernel.cpu();
      state.gil = lane.kernel.takes(step.takes) ? GilState::holding : GilState::released;
      return state;
    case Kind::took: state.gil = GilState::holding; break;
    case Kind::gave_up: state.gil = GilState::released; break;
    case Kind::preempted:
    case Kind::wait_began: break;
  }
  state.cpu = lane.kernel.cpu();
  return state;
}

void Sampler::State::follow(const Transition& step) {
  Lane* lane = lane_of(step.tid);
  // Of one that no tick has told of yet, the next one does.
  if (lane == nullptr || !lane->kernel.known()) return;
  const Time at = told_until_ = std::max(step.at, told_until_);
  GilLane* gil = gil_of(*lane);
  const bool held = lane->state.gil == GilState::holding;
  if (step.kind == Transition::Kind::wait_began) lane->kernel.set_held(held);
  lane->kernel.follow(step);
  if (!lane->told) return;
  const ThreadState state = state_after(*lane, step, gil);
  const bool holds = state.gil == GilState::holding;
  if (gil != nullptr && (held != holds || step.kind == Transition::Kind::gave_up)) {
    if (holds) put_holder(*gil, lane->tid, at);
    if (!holds && (gil->told_holder == lane->tid || step.kind == Transition::Kind::gave_up)) {
      put_holder(*gil, no_thread, at);
    }
  }
  put_state(*lane, state, at);
}

/// Whether a step may change who has the GIL.
bool Sampler::State::moves_gil(const Lane& lane, const Transition& step) {
  switch (step.kind) {
    case Transition::Kind::preempted: return false;
    case Transition::Kind::given_cpu: return !lane.kernel.waiting();
    case Transition::Kind::blocked:
    case Transition::Kind::wait_began: return lane.state.gil == GilState::holding;
    case Transition::Kind::wait_ended:
    case Transition::Kind::took:
    case Transition::Kind::gave_up: return true;
  }
  return true;
}

/// A tick speaks of now_, but as of begin_. Where records show that a thread, or who has the GIL,
/// has changed in between, they tell of that time themselves, and the tick of its end.
void Sampler::State::agree_with_kernel(std::vector<ThreadState>& states) {
  take_kernel_records();
  for (const GilSight& sight : gil_sights_) {
    if (sight.reader == nullptr || !sight.moment.enabled()) continue;
    waits_->settle_holder(sight.reader->address(), lanes_.tid_of(sight.moment.holder()), now_);
  }
  note_lost(begin_);
  trace_->watch(gil_futexes());
  auto& lanes = lanes_.lanes();
  sampled_ = states;
  for (Lane& lane : lanes) lane.kernel_moves = false;
  for (GilLane& gil : lanes_.gils()) gil.kernel_moves = false;
  std::unordered_map<Tid, KernelView> ahead;
  for (const Transition& step : waits_->peek_until(now_)) {
    Lane* lane = lane_of(step.tid);
    if (lane == nullptr) continue;
    lane->kernel_moves = true;
    GilLane* gil = gil_of(*lane);
    if (gil != nullptr && moves_gil(*lane, step)) gil->kernel_moves = true;
    ahead.try_emplace(step.tid, lane->kernel).first->second.follow(step);
  }
  for (std::size_t i = 0; i < lanes.size() && i < states.size(); ++i) {
    Lane& lane = lanes[i];
    const auto moved = ahead.find(lane.tid);
    if (moved == ahead.end() || moved->second.agrees(sampled_[i])) lane.kernel.learn(sampled_[i]);
    const GilLane* gil = gil_of(lane);
    lane.kernel_moves = lane.kernel_moves || (gil != nullptr && gil->kernel_moves);
    states[i] = lane.kernel_moves && lane.told ? lane.state : lane.kernel.agreed(states[i]);
  }
}

/// The second half of a tick: what happened from begin_ to now_, and how things stand then.
void Sampler::State::follow_kernel_through_tick() {
  told_until_ = std::max(told_until_, begin_);
  for (const Transition& step : waits_->take_until(now_)) follow(step);
  told_until_ = now_;
  auto& lanes = lanes_.lanes();
  auto& gils = lanes_.gils();
  for (std::size_t i = 0; i < gils.size() && i < gil_sights_.size(); ++i) {
    if (!gils[i].kernel_moves || gil_sights_[i].reader == nullptr) continue;
    const Lane* taker = lane_of(gils[i].told_holder.value_or(no_thread));
    if (taker == nullptr || !taker->kernel.was_taking(now_)) tell_gil(i, now_);
  }
  for (std::size_t i = 0; i < lanes.size() && i < sampled_.size(); ++i) {
    Lane& lane = lanes[i];
    if (!lane.kernel.known()) learn_standing(lane, sampled_[i]);
    if (!lane.kernel_moves || lane.kernel.was_taking(now_)) continue;
    put_state(lane, lane.kernel.agreed(sampled_[i]), now_);
  }
}

/// Of a thread that the records have not told of yet: from what they know, or from the tick.
void Sampler::State::learn_standing(Lane& lane, ThreadState sampled) {
  const GilLane* gil = gil_of(lane);
  if (!waits_->knows(lane.tid)) {
    if (sampled.cpu == CpuState::unknown) return;
    const bool waits = sampled.gil == GilState::waiting && gil != nullptr;
    waits_->adopt(lane.tid, now_, sampled.cpu == CpuState::running,
                  waits ? std::optional{gil->reader.address()} : std::nullopt);
  }
  lane.kernel = KernelView{trace_->source() == TraceSource::exact};
  const auto standing = waits_->standing(lane.tid);
  const CpuState off = sampled.cpu == CpuState::runnable ? CpuState::runnable : CpuState::blocked;
  lane.kernel.know(standing.on_cpu ? CpuState::running : off, standing.waits);
  lane.kernel.learn(sampled);
}

}  // namespace gilspy
