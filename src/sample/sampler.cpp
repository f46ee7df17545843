#include "gilspy/sample/sampler.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "classify.h"
#include "gilspy/os/running_program.h"
#include "gilspy/python/importing.h"
#include "gilspy/python/stack_reader.h"
#include "lanes.h"
#include "still_stacks.h"

namespace gilspy {
namespace {

/// How often the lists of threads are gone through although nothing showed a change: a Python
/// thread state can go while its native thread lives on, and native threads come without Python's
/// knowledge.
constexpr Duration refresh_period = std::chrono::milliseconds{50};
/// How often an exec or a stop is looked for.
constexpr Duration process_check_period = std::chrono::milliseconds{20};
constexpr Duration progress_period = std::chrono::milliseconds{500};
/// A waiter that wakes looks at the GIL and waits on: it needs no more of a CPU than this.
constexpr Duration longest_wakeup = std::chrono::microseconds{100};
/// A tick speaks for the time halfway to its neighbours, but never for more than so much on a side.
constexpr Duration max_reach = std::chrono::milliseconds{25};

Duration own_cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) {
    return std::chrono::seconds{t.tv_sec} + std::chrono::microseconds{t.tv_usec};
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

std::int64_t unix_now_ns() {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

class Sampler::State {
 public:
  State(const ProcDir& process, MemoryReader& memory, SampleSink& sink, Interner& interner,
        Target target, SamplerOptions options)
      : process_(process),
        memory_(memory),
        sink_(sink),
        target_(std::move(target)),
        options_(options),
        lanes_(process, memory, target_, interner, sink),
        stacks_(memory, *target_.layout, interner) {
    if (options.consistent) still_stacks_.emplace(memory, stacks_);
  }

  Outcome begin();
  Outcome tick(bool stacks);
  void end(EndReason reason);

  Progress totals;

 private:
  Outcome keep_up();
  Outcome check_process();
  [[nodiscard]] bool read_gils();
  Outcome observe();
  void find_standings();
  void read_attachments();
  void look_at_threads();
  void look_for_cpus();
  [[nodiscard]] bool blocks_on_gil(const LaneSight& sight) const;
  [[nodiscard]] bool is_holder(const LaneSight& sight) const;
  [[nodiscard]] bool is_handing_over(const Lane& lane, const std::optional<SchedStat>& old,
                                     const SchedStat& sched);
  void leave_out_holder(GilMoment& moment) const;
  void count_waiters();
  void follow_power();
  void tell_gils();
  [[nodiscard]] std::optional<std::string> import_under(const GilLane& gil);
  void remember_waiters(std::span<const ThreadState> states);
  void tell_first_states(std::span<const ThreadState> states);
  void tell_states(std::span<const ThreadState> states);
  void tell_state(std::size_t lane, ThreadState state, Time from);
  void tell_unknown(Time from);
  void tell_gap(Time from, Time to);
  void sample_stacks();
  void tell_progress();

  const ProcDir& process_;
  MemoryReader& memory_;
  SampleSink& sink_;
  Target target_;
  SamplerOptions options_;
  LaneTable lanes_;
  StackReader stacks_;
  std::optional<StillStacks> still_stacks_;

  std::optional<RunningProgram> program_;
  Time now_;    // of the tick being made
  Time begin_;  // from where on the tick speaks
  Time last_tick_;
  Duration gap_{};       // since the last tick
  Duration interval_{};  // sys.getswitchinterval()
  Time refreshed_at_;
  Time checked_at_;
  Time progress_at_;
  bool stopped_ = false;
  bool readable_ = false;  // the GIL could be read at this tick
  bool refresh_wanted_ = false;

  // What one tick reads; kept to spare allocations.
  std::vector<GilReader::Buffer> gil_bytes_;
  std::vector<RemoteAddress> heads_;
  std::vector<std::int32_t> attachments_;  // by lane
  std::vector<ReadSlot> slots_;
  std::vector<GilSight> gil_sights_;
  std::vector<LaneSight> lane_sights_;
};

Sampler::Outcome Sampler::State::begin() {
  program_ = RunningProgram::of(process_);
  now_ = begin_ = last_tick_ = refreshed_at_ = checked_at_ = progress_at_ = now();
  ProcessStarted started;
  started.at = now_;
  started.pid = process_.pid();
  started.command = process_.command_line();
  started.python = target_.version.text();
  started.free_threaded = target_.layout->free_threaded;
  started.unix_ns = unix_now_ns();
  started.cores = process_.cores();
  started.requested_hz = options_.state_hz;
  started.stack_hz = options_.stack_hz;
  // The GIL's own facts have to be read before the process can be told of, and its definition comes
  // after that: so they are read by themselves here.
  const auto interpreters = read_interpreters(memory_, *target_.layout, target_.runtime);
  if (interpreters && !interpreters->empty() && !interpreters->back().gil.is_null()) {
    const GilReader reader{*target_.layout, interpreters->back().gil};
    GilReader::Buffer bytes{};
    const std::array slot{reader.slot(bytes)};
    if (const auto done = memory_.read_batch(slot); done && *done == 1) {
      started.gil_enabled = reader.decode(bytes).enabled();
      started.switch_interval = interval_ = reader.switch_interval(bytes);
    }
  }
  sink_.accept(started);
  if (!program_ || !lanes_.refresh(now_)) return Outcome::ended;
  return Outcome::alive;
}

Sampler::Outcome Sampler::State::check_process() {
  checked_at_ = now_;
  const auto stat = process_.stat();
  if (!stat || stat->state == 'Z' || stat->state == 'X') return Outcome::ended;
  // An exiting process has given up its memory, and its stack with it, before it is a zombie; in
  // the middle of an exec it has no stack either, for a moment.
  if (stat->exiting) return Outcome::ended;
  if (stat->start_stack != 0 && !(program_ && program_->runs_still())) return Outcome::execed;
  const bool stopped = stat->state == 'T' || stat->state == 't';
  if (stopped != stopped_) {
    stopped_ = stopped;
    sink_.accept(Noted{
        begin_, process_.pid(),
        stopped ? "the target was stopped (SIGSTOP or a tracer)" : "the target was continued"});
  }
  return Outcome::alive;
}

/// One batched read of every GIL and of the heads of the thread lists.
bool Sampler::State::read_gils() {
  auto& gils = lanes_.gils();
  gil_bytes_.resize(gils.size());
  heads_.resize(gils.size());
  slots_.clear();
  for (std::size_t i = 0; i < gils.size(); ++i) {
    slots_.push_back(gils[i].reader.slot(gil_bytes_[i]));
    slots_.push_back({target_.layout->at.interpreter.threads_head.in(gils[i].interpreter),
                      std::as_writable_bytes(std::span{&heads_[i], 1})});
  }
  const auto done = memory_.read_batch(slots_);
  return done && *done == slots_.size();
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

void Sampler::State::look_at_threads() {
  lane_sights_.clear();
  read_attachments();
  for (const Lane& lane : lanes_.lanes()) {
    LaneSight sight;
    if (const Standing* standing = lane.standing()) {
      sight.thread_state = standing->python.address;
      sight.gil = standing->gil;
    }
    sight.attachment = attachment_of(attachments_[lane_sights_.size()]);
    sight.syscall = lane.files.syscall();
    sight.stopped = stopped_;
    sight.waited_before = lane.state.gil == GilState::waiting;
    if (sight.syscall.kind == SyscallNow::Kind::gone) refresh_wanted_ = true;
    lane_sights_.push_back(sight);
  }
  find_standings();
}

/// The GIL, the threads' system calls, and the GIL again.
Sampler::Outcome Sampler::State::observe() {
  auto& gils = lanes_.gils();
  gil_sights_.assign(gils.size(), {});
  readable_ = read_gils();
  if (!readable_) return check_process();
  for (std::size_t i = 0; i < gils.size(); ++i) {
    gil_sights_[i].reader = &gils[i].reader;
    gil_sights_[i].moment = gils[i].reader.decode(gil_bytes_[i]);
  }
  look_at_threads();
  readable_ = read_gils();
  if (!readable_) return check_process();
  bool stable = true;
  for (std::size_t i = 0; i < gils.size(); ++i) {
    GilSight& sight = gil_sights_[i];
    sight.after = gils[i].reader.decode(gil_bytes_[i]);
    sight.stable = sight.after.same_hold(sight.moment);
    stable = stable && sight.stable;
    if (heads_[i] != gils[i].threads_head) refresh_wanted_ = true;
  }
  if (!stable) ++totals.during_handoff;
  return Outcome::alive;
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
    const auto now_sched = lane.files.schedstat();
    const auto left = lane.files.context_switches();
    const auto old = std::exchange(lane.sched, now_sched);
    if (!now_sched || !left) continue;
    if (const auto& waiting = lane.sched_waiting) {
      sight.waits_since = waiting->slices == now_sched->slices;
      sight.worked_since = now_sched->ran - waiting->ran > longest_wakeup;
    }
    const bool on_cpu = now_sched->slices > *left;
    // Off its CPU, but it ran for most of the time since the last tick: it is we who took its
    // place.
    const bool ran_till_now = old && 2 * (now_sched->ran - old->ran) > gap_;
    sight.lacks_cpu = !on_cpu && !ran_till_now;
    lane.handing_over = !on_cpu && is_handing_over(lane, old, *now_sched);
    sight.handing_over = lane.handing_over;
  }
}

bool Sampler::State::blocks_on_gil(const LaneSight& sight) const {
  return !sight.thread_state.is_null() && sight.gil < gil_sights_.size() &&
         waits_for(sight.syscall, *gil_sights_[sight.gil].reader);
}

bool Sampler::State::is_holder(const LaneSight& sight) const {
  return !sight.thread_state.is_null() && sight.gil < gil_sights_.size() &&
         sight.thread_state == gil_sights_[sight.gil].moment.holder();
}

/// The waiter that drop_gil wakes often preempts the thread that woke it, right inside drop_gil:
/// the old holder then sits on the run queue, in no wait that anybody counts. A hold of a whole
/// switch interval ended because the GIL was asked for, so that thread wants it back; after a
/// shorter one it let go by itself, and only wants a CPU.
bool Sampler::State::is_handing_over(const Lane& lane, const std::optional<SchedStat>& old,
                                     const SchedStat& sched) {
  if (lane.standing() == nullptr) return false;
  const GilLane& gil = lanes_.gils()[lane.standing()->gil];
  if (lane.handing_over) return old && old->slices == sched.slices;
  const Duration hold =
      now_ - gil.held_since > gap_ + gap_ / 2 ? gil.last_hold : now_ - gil.held_since;
  return lane.state.gil == GilState::holding && hold >= interval_ - interval_ / 4;
}

/// The holder itself uses the mutex at the end of take_gil and at the beginning of drop_gil.
void Sampler::State::leave_out_holder(GilMoment& moment) const {
  if (moment.mutex_owner == 0 || moment.mutex_users == 0) return;
  const auto owns = [&](const Lane& lane) {
    const Standing* standing = lane.standing();
    return standing != nullptr && standing->python.address == moment.holder() &&
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
    // The threads were looked at between the two: as many waited as the mean of both, half of them
    // rounded up by turns.
    const auto before = gils[i].cond_waiters.count(gil_sights_[i].moment);
    const auto after = gils[i].cond_waiters.count(gil_sights_[i].after);
    if (!before || !after) continue;
    gil_sights_[i].cond_waiters =
        static_cast<std::uint32_t>((std::uint64_t{*before} + *after + totals.ticks % 2) / 2);
  }
}

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
    GilLane& lane = gils[i];
    const GilSight& sight = gil_sights_[i];
    if (sight.reader == nullptr || !lane.defined) continue;
    std::uint64_t handoffs = 0;
    if (lane.last && sight.moment.switch_number > lane.last->switch_number) {
      handoffs = sight.moment.switch_number - lane.last->switch_number;
    }
    const RemoteAddress holder_state =
        sight.moment.enabled() ? sight.moment.holder() : RemoteAddress{};
    const Tid holder = holder_state.is_null() ? no_thread : lanes_.tid_of(holder_state);
    const bool known = holder_state.is_null() || holder != no_thread;
    if (!known) refresh_wanted_ = true;
    if (lane.told_holder != holder || handoffs > 0 || !lane.last) {
      // More than a second's worth of hand-offs in one tick is torn memory, not hand-offs.
      const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(handoffs, 1'000'000));
      sink_.accept(GilChanged{begin_, lane.id, holder, known, count});
    }
    if (!lane.last || !sight.moment.same_hold(*lane.last)) {
      lane.last_hold = begin_ - lane.held_since;
      lane.held_since = begin_;
    }
    lane.told_holder = holder;
    lane.last = sight.moment;
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

/// We were not running for so long that nobody can say what the target did meanwhile.
void Sampler::State::tell_gap(Time from, Time to) {
  tell_unknown(from);
  sink_.accept(Noted{
      from, process_.pid(),
      "gilspy had no CPU for " +
          std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count()) +
          " ms; the states of that time are unknown"});
}

void Sampler::State::sample_stacks() {
  for (const Lane& lane : lanes_.lanes()) {
    const Standing* standing = lane.standing();
    if (standing == nullptr) continue;
    const auto stack = still_stacks_
                           ? still_stacks_->read(lane, lanes_.gils()[standing->gil].reader)
                           : stacks_.read(standing->python);
    if (!stack) {
      ++totals.stacks_dropped;
      if (stack.error().kind == ErrorClass::drop_thread) refresh_wanted_ = true;
      continue;
    }
    ++totals.stacks;
    sink_.accept(StackSampled{now_, lane.tid, *stack});
  }
}

void Sampler::State::tell_progress() {
  progress_at_ = now_;
  totals.at = now_;
  totals.cpu = own_cpu_time();
  sink_.accept(totals);
}

Sampler::Outcome Sampler::State::tick(bool stacks) {
  now_ = now();
  gap_ = now_ - last_tick_;
  const Duration reach =
      std::max(max_reach, options_.state_hz > 0
                              ? Duration{static_cast<std::int64_t>(1e9 / options_.state_hz)}
                              : Duration{});
  begin_ = last_tick_ + gap_ / 2;
  if (gap_ > 2 * reach) {
    tell_gap(last_tick_ + reach, now_ - reach);
    begin_ = now_ - reach;
  }
  last_tick_ = now_;

  if (const Outcome outcome = observe(); outcome != Outcome::alive) return outcome;

  ++totals.ticks;
  if (!readable_) {
    // Ending, in the middle of an exec, or an interpreter has gone with its GIL: the next ticks
    // tell.
    refresh_wanted_ = true;
    ++totals.unstable;
    tell_unknown(begin_);
    return keep_up();
  }
  look_for_cpus();
  count_waiters();
  const std::vector<ThreadState> states = classify(lane_sights_, gil_sights_, totals.ticks);
  remember_waiters(states);
  tell_first_states(states);
  follow_power();
  tell_gils();
  tell_states(states);
  if (stacks) sample_stacks();
  return keep_up();
}

/// What can wait until a tick's looks are over.
Sampler::Outcome Sampler::State::keep_up() {
  if (now_ - progress_at_ >= progress_period) tell_progress();
  if (now_ - checked_at_ >= process_check_period) {
    if (const Outcome outcome = check_process(); outcome != Outcome::alive) return outcome;
  }
  if (refresh_wanted_ || now_ - refreshed_at_ >= refresh_period) {
    refresh_wanted_ = false;
    refreshed_at_ = now_;
    if (!lanes_.refresh(now_)) return Outcome::ended;
  }
  return Outcome::alive;
}

void Sampler::State::end(EndReason reason) {
  now_ = now();
  // The last tick speaks for no more than its reach, as every other.
  if (now_ - last_tick_ > max_reach) tell_gap(last_tick_ + max_reach, now_);
  tell_progress();
  sink_.accept(ProcessEnded{now_, process_.pid(), reason});
}

Sampler::Sampler(const ProcDir& process, MemoryReader& memory, SampleSink& sink, Interner& interner,
                 Target target, SamplerOptions options)
    : state_(std::make_unique<State>(process, memory, sink, interner, std::move(target), options)) {
}
Sampler::~Sampler() = default;

Sampler::Outcome Sampler::begin() { return state_->begin(); }
Sampler::Outcome Sampler::tick(bool stacks) { return state_->tick(stacks); }
void Sampler::missed(std::uint64_t ticks) { state_->totals.missed += ticks; }
void Sampler::end(EndReason reason) { state_->end(reason); }
std::uint64_t Sampler::ticks() const { return state_->totals.ticks; }

}  // namespace gilspy
