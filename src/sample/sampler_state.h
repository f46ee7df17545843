#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "classify.h"
#include "exact_waits.h"
#include "gilspy/model/lateness.h"
#include "gilspy/os/running_program.h"
#include "gilspy/python/pthread_waits.h"
#include "gilspy/python/stack_reader.h"
#include "gilspy/sample/sampler.h"
#include "holder_cpu.h"
#include "kernel_trace.h"
#include "lanes.h"
#include "native_stacks.h"
#include "still_stacks.h"

namespace gilspy {

/// What a sampler keeps from tick to tick. sampler.cpp has the course of a tick, sampler_look.cpp
/// what is read of the target and what follows from it, sampler_tell.cpp what the sink is told,
/// sampler_trace.cpp what the kernel's records add to that.
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
    if (options.native) {
      native_ =
          std::make_unique<NativeStacks>(process, memory, stacks_, interner, options.consistent);
    }
  }

  Outcome begin();
  void wait_for_names() {
    if (native_) native_->wait_for_names();
  }
  Outcome tick(bool stacks);
  void go_to_holder();
  void leave_holder() { holder_cpu_.leave(); }
  void change_rates(double state_hz, double stack_hz, const std::string& why);
  void note(std::string text);
  void end(EndReason reason);
  [[nodiscard]] bool has_room() const { return sink_.has_room(); }
  void missed_for_room() {
    ++totals.missed;
    ++without_room_;
    had_no_room_ = true;
  }
  [[nodiscard]] int records_fd() const { return trace_ ? trace_->fd() : -1; }
  void keep_records() { trace_->drain(); }

  Progress totals;
  Lateness lateness;  // since it was told last

 private:
  Outcome keep_up();
  Outcome check_process();
  [[nodiscard]] Duration reach() const;
  void ask_for_gils();
  [[nodiscard]] bool read_gils(const Lane* stack_of);
  [[nodiscard]] bool read_gils_again();
  void check_heads();
  [[nodiscard]] const Lane* likely_holder() const;
  Outcome observe(const Lane* stack_of);
  void find_standings();
  void read_attachments();
  [[nodiscard]] bool holds_as_before(const Lane& lane, const LaneSight& sight) const;
  [[nodiscard]] bool waits_still(const Lane& lane, const LaneSight& sight) const;
  [[nodiscard]] bool lacks_still(const Lane& lane, LaneSight& sight) const;
  void look_at(Lane& lane, LaneSight& sight);
  void look_at_threads();
  void learn_pthread_waits();
  void look_into_pthreads();
  void look_for_cpus();
  [[nodiscard]] bool may_rest(const Lane& lane, const LaneSight& sight) const;
  [[nodiscard]] bool blocks_on_gil(const LaneSight& sight) const;
  [[nodiscard]] bool is_holder(const LaneSight& sight) const;
  [[nodiscard]] bool is_handing_over(const Lane& lane, const std::optional<SchedStat>& old,
                                     const SchedStat& sched);
  [[nodiscard]] bool is_asked_for(const Lane& holder) const;
  void leave_out_holder(GilMoment& moment) const;
  void count_waiters();
  void follow_power();
  void tell_gils();
  void tell_gil(std::size_t index, Time at);
  [[nodiscard]] std::optional<std::string> import_under(const GilLane& gil);
  [[nodiscard]] std::optional<StackId> stack_as_before(const Lane& lane) const;
  void tell_stack(const Lane& lane, StackId stack, Time at);
  void tell_owed_stacks(Time at, bool all);
  void look_for_waiters(std::span<const ThreadState> states);
  void remember_waiters(std::span<const ThreadState> states);
  void tell_first_states(std::span<const ThreadState> states);
  void tell_states(std::span<const ThreadState> states);
  void tell_state(std::size_t lane, ThreadState state, Time from);
  void tell_unknown(Time from);
  void tell_gap_until(Time end);
  void tell_gap(Time from, Time to);
  void sample_stacks(Tid first);
  void sample_stack(Lane& lane);
  void sample_late_stacks();
  [[nodiscard]] StackEffort effort_on(const Lane& lane) const;
  void take_stack(Lane& lane, const Result<std::optional<StackId>>& stack);
  [[nodiscard]] Result<std::optional<StackId>> read_stack(const Lane& lane);
  void tell_progress();
  void tell_lateness();

  [[nodiscard]] std::vector<RemoteRange> gil_futexes();
  void begin_trace();
  void tell_trace(Time at);
  void take_kernel_records();
  void meet_newcomers();
  void note_lost(Time at);
  [[nodiscard]] Lane* lane_of(Tid tid);
  [[nodiscard]] GilLane* gil_of(const Lane& lane);
  void follow_kernel_to(Time at);
  void follow(const Transition& step);
  void put_state(Lane& lane, ThreadState state, Time at);
  void put_holder(GilLane& gil, Tid holder, Time at);
  [[nodiscard]] bool others_wait(const Lane& lane) const;
  [[nodiscard]] ThreadState state_after(const Lane& lane, const Transition& step,
                                        const GilLane* gil) const;
  [[nodiscard]] static bool moves_gil(const Lane& lane, const Transition& step);
  void agree_with_kernel(std::vector<ThreadState>& states);
  void follow_kernel_through_tick();
  void learn_standing(Lane& lane, ThreadState sampled);

  const ProcDir& process_;
  MemoryReader& memory_;
  SampleSink& sink_;
  Target target_;
  SamplerOptions options_;
  LaneTable lanes_;
  StackReader stacks_;
  std::optional<StillStacks> still_stacks_;
  std::unique_ptr<NativeStacks> native_;  // where they were asked for
  PthreadWaits pthread_waits_;
  HolderCpu holder_cpu_;

  std::optional<RunningProgram> program_;
  std::unique_ptr<KernelTrace> trace_;  // where it was asked for, and some of it can be had
  std::unique_ptr<ExactWaits> waits_;   // beside trace_
  std::vector<ThreadState> sampled_;    // what a tick saw, by lane
  std::vector<Tid> newcomers_;          // made since the last tick
  std::unordered_map<Tid, std::size_t> lane_places_;  // of those that records were about
  std::uint64_t lost_here_ = 0;                       // records, since it was noted last
  std::optional<Time> lost_since_;                    // likewise, since the last tick
  Time told_until_;                                   // of what follows from records
  Time now_;                                          // of the tick being made
  Time begin_;                                        // from where on the tick speaks
  Time last_tick_;
  Duration gap_{};       // since the last tick
  Duration interval_{};  // sys.getswitchinterval()
  Time refreshed_at_;
  Time checked_at_;
  Time heads_read_at_;
  Time progress_at_;
  std::uint64_t without_room_ = 0;  // ticks, since that was told last
  std::uint64_t thread_count_ = 0;  // as the kernel told last
  bool stopped_ = false;
  bool readable_ = false;  // the GIL could be read at this tick
  bool refresh_wanted_ = false;
  bool waiters_missed_ = false;  // at the last tick more waited than were seen
  bool look_at_all_ = false;     // at the next tick, also at threads that are known to wait or rest
  bool had_no_room_ = false;     // the sink, since the last tick
  std::size_t rest_stacks_left_ = 0;  // to be read in this look
  bool look_again_ = false;           // at the GILs: what was seen of the threads depends on them

  // What one tick reads; kept to spare allocations.
  std::vector<GilReader::Buffer> gil_bytes_;
  std::vector<RemoteAddress> heads_;       // empty: not read at this tick
  std::vector<std::int32_t> attachments_;  // by lane
  std::vector<ReadSlot> slots_;
  std::vector<PthreadWaits::Question> questions_;
  std::vector<std::size_t> asked_;  // the lanes that they are about
  std::vector<GilSight> gil_sights_;
  std::vector<LaneSight> lane_sights_;
};

}  // namespace gilspy
