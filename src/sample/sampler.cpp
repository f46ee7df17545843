#include "gilspy/sample/sampler.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gilspy/os/open_files.h"
#include "sampler_state.h"
#include "schedule.h"

namespace gilspy {
namespace {

/// How often the lists of threads are gone through although nothing showed a change: a Python
/// thread state can go from the middle of its list while its native thread lives on.
constexpr Duration refresh_period = std::chrono::milliseconds{50};
/// The same once nothing has changed for a while: with hundreds of threads it takes longer than a
/// tick.
constexpr Duration settled_refresh_period = std::chrono::milliseconds{500};
/// How often an exec or a stop is looked for.
constexpr Duration process_check_period = std::chrono::milliseconds{20};
constexpr Duration progress_period = std::chrono::milliseconds{500};
/// A tick speaks for the time halfway to its neighbours, but never for more than so much on a side,
/// or half of a gap that is to be expected.
constexpr Duration max_reach = std::chrono::milliseconds{25};

std::int64_t unix_now_ns() {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Sampler::Outcome Sampler::State::begin() {
  allow_many_files();
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
  begin_trace();
  if (native_) native_->refresh(now_);
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
  // Native threads come and go without Python's knowledge.
  if (std::exchange(thread_count_, stat->threads) != stat->threads) refresh_wanted_ = true;
  const bool stopped = stat->state == 'T' || stat->state == 't';
  if (stopped != stopped_) {
    stopped_ = stopped;
    sink_.accept(Noted{
        begin_, process_.pid(),
        stopped ? "the target was stopped (SIGSTOP or a tracer)" : "the target was continued"});
  }
  return Outcome::alive;
}

/// Beyond the longest gap that is to be expected it is we who had no CPU.
Duration Sampler::State::reach() const {
  if (options_.state_hz <= 0) return max_reach;
  constexpr double periods = (Schedule::longest_gap + 1) / 2;
  return std::max(max_reach,
                  Duration{static_cast<std::int64_t>(periods * 1e9 / options_.state_hz)});
}

Sampler::Outcome Sampler::State::tick(bool stacks) {
  now_ = now();
  gap_ = now_ - last_tick_;
  const Duration longest = reach();
  const bool too_long = gap_ > 2 * longest;
  begin_ = too_long ? now_ - longest : last_tick_ + gap_ / 2;
  if (trace_) follow_kernel_to(begin_);
  if (too_long) tell_gap_until(begin_);
  had_no_room_ = false;
  last_tick_ = now_;

  // Its stack can be read together with the GIL. Of the others' we know what they are while nobody
  // takes it.
  const bool may_ask = stacks && !native_ && !still_stacks_;
  const Lane* const holder = may_ask ? likely_holder() : nullptr;
  const Tid begun = holder != nullptr ? holder->tid : no_thread;
  if (const Outcome outcome = observe(holder); outcome != Outcome::alive) return outcome;

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
  std::vector<ThreadState> states = classify(lane_sights_, gil_sights_, totals.ticks);
  remember_waiters(states);
  look_for_waiters(states);
  if (trace_) agree_with_kernel(states);
  tell_first_states(states);
  tell_owed_stacks(begin_, false);
  follow_power();
  tell_gils();
  tell_states(states);
  if (trace_) follow_kernel_through_tick();
  if (native_) sample_late_stacks();
  if (stacks) sample_stacks(begun);
  return keep_up();
}

/// What can wait until a tick's looks are over.
Sampler::Outcome Sampler::State::keep_up() {
  if (now_ - progress_at_ >= progress_period) {
    tell_owed_stacks(now_, true);
    tell_progress();
  }
  const bool settled = lanes_.is_settled(now_) && !refresh_wanted_;
  const Duration period = settled ? settled_refresh_period : refresh_period;
  const bool refresh_due = refresh_wanted_ || now_ - refreshed_at_ >= period;
  // What has changed may be the whole program: its threads are not this one's.
  if (refresh_due || now_ - checked_at_ >= process_check_period) {
    if (const Outcome outcome = check_process(); outcome != Outcome::alive) return outcome;
  }
  if (refresh_due || refresh_wanted_) {
    // A thread that went was seen to, and the kernel's count tells of one that came.
    const bool there =
        settled && !refresh_wanted_ ? lanes_.refresh_python(now_) : lanes_.refresh(now_);
    refresh_wanted_ = lanes_.awaits_threads();
    refreshed_at_ = now_;
    if (!there) return Outcome::ended;
  }
  if (native_) native_->keep_up(now_);
  return Outcome::alive;
}

void Sampler::State::change_rates(double state_hz, double stack_hz, const std::string& why) {
  options_.state_hz = state_hz;
  options_.stack_hz = stack_hz;
  note(why);
}

void Sampler::State::note(std::string text) {
  sink_.accept(Noted{now_, process_.pid(), std::move(text)});
}

void Sampler::State::end(EndReason reason) {
  tell_owed_stacks(last_tick_, true);
  now_ = now();
  if (trace_) follow_kernel_to(now_);
  // The last tick speaks for no more than any other; the next one may not have been due yet.
  if (now_ - last_tick_ > 2 * reach()) tell_gap_until(now_);
  tell_progress();
  sink_.accept(ProcessEnded{now_, process_.pid(), reason});
}

Sampler::Sampler(const ProcDir& process, MemoryReader& memory, SampleSink& sink, Interner& interner,
                 Target target, SamplerOptions options)
    : state_(std::make_unique<State>(process, memory, sink, interner, std::move(target), options)) {
}
Sampler::~Sampler() = default;

Sampler::Outcome Sampler::begin() { return state_->begin(); }
void Sampler::wait_for_names() { state_->wait_for_names(); }
Sampler::Outcome Sampler::tick(bool stacks) { return state_->tick(stacks); }
void Sampler::change_rates(double state_hz, double stack_hz, const std::string& why) {
  state_->change_rates(state_hz, stack_hz, why);
}
void Sampler::note(std::string text) { state_->note(std::move(text)); }
void Sampler::go_to_holder() { state_->go_to_holder(); }
void Sampler::leave_holder() { state_->leave_holder(); }
void Sampler::missed(std::uint64_t ticks) { state_->totals.missed += ticks; }
bool Sampler::has_room() const { return state_->has_room(); }
void Sampler::missed_for_room() { state_->missed_for_room(); }
void Sampler::late(Duration by) { state_->lateness.count(by); }
void Sampler::end(EndReason reason) { state_->end(reason); }
int Sampler::records_fd() const { return state_->records_fd(); }
void Sampler::keep_records() { state_->keep_records(); }
std::uint64_t Sampler::ticks() const { return state_->totals.ticks; }

}  // namespace gilspy
