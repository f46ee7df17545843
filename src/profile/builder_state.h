#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "blame_ledger.h"
#include "cpu_demand.h"
#include "gil_clock.h"
#include "gilspy/profile/profile_builder.h"
#include "thread_clock.h"

namespace gilspy {

/// Everything accepted so far. Taking events in is in profile_builder.cpp, making a profile of it
/// in builder_profile.cpp.
class ProfileBuilder::State {
 public:
  explicit State(Options options)
      : options_(std::move(options)), tables_(options_.tables ? options_.tables : own_tables_) {}

  void accept(const Event& event);
  [[nodiscard]] Profile profile() const;

 private:
  void advance(Time at);

  // Each runs at now_, the moment of its event.
  void on(const StringDefined&) {}
  void on(const CodeDefined&) {}
  void on(const NativeMarked&) {}
  void on(const NativeSource&) {}
  void on(const StackDefined&) {}
  void on(const ProcessStarted& event);
  void on(const ProcessEnded& event);
  void on(const Progress& event);
  void on(const NativeCounted& event);
  void on(const LatenessCounted& event);
  void on(const Noted& event);
  void on(const Traced& event);
  void on(const GilDefined& event);
  void on(const GilChanged& event);
  void on(const ThreadSeen& event);
  void on(const ThreadGone& event) { thread_ends(event.tid); }
  void on(const StateChanged& event);
  void on(const StackSampled& event);

  ThreadClock* living(Tid tid);
  GilClock& gil(GilId id);
  GilClock& gil_of(const ThreadClock& thread);
  void wait_ends(const ThreadClock& thread);
  void thread_ends(Tid tid);
  void process_ends(Pid pid);
  void credit(const std::optional<GilClock::Hold>& hold);
  [[nodiscard]] Duration switch_interval() const;

  void put_threads(Profile& profile, const std::vector<ThreadClock>& threads) const;
  void put_gils(Profile& profile, const std::vector<GilClock>& gils) const;

  Options options_;
  std::shared_ptr<Tables> own_tables_ = std::make_shared<Tables>();
  std::shared_ptr<const Tables> tables_;  ///< those of the options, or own_tables_
  std::optional<Time> begin_;
  Time now_{};
  std::optional<ProcessStarted> process_;  ///< the first one
  std::optional<EndReason> end_reason_;
  Progress progress_;
  std::optional<NativeCounted> native_;
  std::optional<Lateness> lateness_;
  std::uint64_t missed_for_room_ = 0;
  std::optional<Traced> traced_;
  std::vector<Noted> notes_;
  std::vector<ThreadClock> threads_;  ///< living and gone, in the order they were first seen
  std::unordered_map<Tid, std::size_t> living_;
  std::unordered_set<Tid> gone_;
  std::map<GilId, GilClock> gils_;
  std::map<GilId, Pid> gil_pids_;
  /// Where threads wait whose GIL is not known yet. Never held, so nobody is blamed.
  GilClock no_gil_{GilId{}, Time{}, false};
  BlameLedger blame_;
  CpuDemand demand_;
};

}  // namespace gilspy
