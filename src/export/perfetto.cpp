#include <algorithm>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "gilspy/export/exporter.h"
#include "gilspy/profile/version.h"
#include "perfetto_writer.h"
#include "text.h"
#include "wait_holders.h"

/// Perfetto's own format: a thread's states on its own track under its OS ids, the GIL with its
/// holders, waiters and hand-offs below the process, an arrow from each wait to the hold that kept
/// it waiting longest, and the stacks as samples of a sampling profiler.
namespace gilspy {
namespace {

/// An interval of Timeline::threads.
using IntervalKey = std::pair<Tid, std::size_t>;

/// A stretch in which a thread held a GIL, with its place in the timeline.
struct Hold {
  Time begin;
  Time end;
  IntervalKey key;
};

bool is_hold(const Interval& interval) {
  const Activity activity = activity_of(interval.state);
  return activity == Activity::holding_running || activity == Activity::holding_blocked;
}

/// The arrows: which leave a wait, and which reach a hold. A reader turns an arrow round that leads
/// to a slice which begins earlier, and a hold often does: so the arrow ends at a mark of its own
/// in the hold, made when the waiter came.
struct Flows {
  std::map<IntervalKey, std::uint64_t> out;
  std::map<IntervalKey, std::vector<PerfettoArrival>> in;
};

/// Of two events at one moment the file's order decides which is first: an arrow ends later than it
/// begins.
constexpr Duration instant{1};

class FlowFinder {
 public:
  explicit FlowFinder(const Profile& profile) : profile_(profile) {
    for (const auto& [tid, intervals] : profile.timeline.threads) {
      const ThreadProfile* thread = profile.thread(tid);
      if (thread == nullptr || !thread->gil) continue;
      for (std::size_t i = 0; i < intervals.size(); ++i) {
        if (!is_hold(intervals[i])) continue;
        holds_[*thread->gil].push_back({intervals[i].begin, intervals[i].end, {tid, i}});
      }
    }
    for (auto& [gil, holds] : holds_) std::ranges::sort(holds, {}, &Hold::end);
  }

  [[nodiscard]] Flows find() const {
    Flows flows;
    for (const auto& [tid, intervals] : profile_.timeline.threads) {
      for (std::size_t i = 0; i < intervals.size(); ++i) {
        if (activity_of(intervals[i].state) != Activity::waiting) continue;
        const Hold* hold = longest_during(tid, intervals[i]);
        if (hold == nullptr) continue;
        const std::uint64_t number = flows.out.size() + 1;
        flows.out[{tid, i}] = number;
        flows.in[hold->key].push_back({std::max(intervals[i].begin + instant, hold->begin),
                                       thread_label(profile_, tid) + " waits", number});
      }
    }
    for (auto& [key, arrivals] : flows.in) {
      std::ranges::stable_sort(arrivals, {}, &PerfettoArrival::at);
      // Of marks at one moment each would be shown as part of the one before.
      for (std::size_t i = 1; i < arrivals.size(); ++i) {
        arrivals[i].at = std::max(arrivals[i].at, arrivals[i - 1].at + instant);
      }
    }
    return flows;
  }

 private:
  /// The hold that covers most of this wait; null when none does.
  [[nodiscard]] const Hold* longest_during(Tid waiter, const Interval& wait) const {
    const ThreadProfile* thread = profile_.thread(waiter);
    if (thread == nullptr || !thread->gil) return nullptr;
    const auto holds = holds_.find(*thread->gil);
    if (holds == holds_.end()) return nullptr;
    const Hold* longest = nullptr;
    Duration most{};
    for (auto hold = std::ranges::upper_bound(holds->second, wait.begin, {}, &Hold::end);
         hold != holds->second.end() && hold->begin < wait.end; ++hold) {
      const Duration shared = std::min(hold->end, wait.end) - std::max(hold->begin, wait.begin);
      if (hold->key.first == waiter || shared <= most) continue;
      longest = &*hold;
      most = shared;
    }
    return longest;
  }

  const Profile& profile_;
  std::map<GilId, std::vector<Hold>> holds_;  ///< by their end
};

class PerfettoTrace {
 public:
  PerfettoTrace(const Profile& profile, std::ostream& out)
      : profile_(profile),
        writer_(out, profile.process.pid.value, *profile.tables),
        flows_(FlowFinder(profile).find()) {}

  void write() {
    const bool dated = profile_.process.unix_ns > 0;
    writer_.clock(dated ? profile_.process.at : profile_.begin, profile_.process.unix_ns);
    const std::vector<std::string> labels{
        fmt::format("gilspy {}: sampled from outside the process", version),
        fmt::format("Python {}", printable(profile_.process.python)), sampling_line(profile_)};
    const PerfettoTrack process = writer_.process(printable(profile_.process.command), labels);
    for (const GilProfile& gil : profile_.gils) write_gil(gil);
    for (const auto& [tid, intervals] : profile_.timeline.threads) write_thread(tid, intervals);
    for (const Noted& note : profile_.notes) writer_.mark(process, note.at, printable(note.text));
  }

 private:
  void write_gil(const GilProfile& gil) {
    const std::string name =
        profile_.gils.size() == 1 ? "GIL" : fmt::format("GIL ({})", printable(gil.interpreters));
    const PerfettoTrack holder = writer_.track(name);
    for (const HolderInterval& interval : holders_of(profile_, gil.id)) {
      if (interval.known && interval.holder == no_thread) continue;
      writer_.slice(holder, {interval.begin,
                             interval.end,
                             interval.known ? thread_label(profile_, interval.holder) : "unknown",
                             "gil",
                             {},
                             {},
                             {}});
    }
    const PerfettoTrack waiters = writer_.counter_track(name + " waiters", "threads");
    for (const WaiterCount& count : waiters_of(profile_, gil.id)) {
      writer_.counter(waiters, count.at, count.waiters);
    }
    const auto counts = profile_.timeline.handoffs.find(gil.id);
    if (counts == profile_.timeline.handoffs.end()) return;
    const PerfettoTrack handoffs = writer_.counter_track(name + " hand-offs", "hand-offs");
    writer_.counter(handoffs, profile_.begin, 0);
    std::int64_t total = 0;
    for (const Handoffs& more : counts->second) {
      total += more.count;
      writer_.counter(handoffs, more.at, total);
    }
  }

  void write_thread(Tid tid, const std::vector<Interval>& intervals) {
    const ThreadProfile* thread = profile_.thread(tid);
    const std::int32_t pid = thread != nullptr ? thread->pid.value : profile_.process.pid.value;
    const PerfettoTrack track =
        writer_.thread(pid, tid.value, thread != nullptr ? printable(thread->name) : "");
    for (std::size_t i = 0; i < intervals.size(); ++i) {
      const Interval& interval = intervals[i];
      PerfettoSlice slice{interval.begin,
                          interval.end,
                          std::string(name_of(activity_of(interval.state))),
                          "state",
                          details_of(tid, interval),
                          {},
                          {}};
      if (const auto out = flows_.out.find({tid, i}); out != flows_.out.end()) {
        slice.flow = out->second;
      }
      if (const auto in = flows_.in.find({tid, i}); in != flows_.in.end()) {
        slice.arrivals = in->second;
      }
      writer_.slice(track, slice);
    }
    const auto samples = profile_.timeline.stacks.find(tid);
    if (samples == profile_.timeline.stacks.end()) return;
    for (const StackMoment& moment : samples->second) {
      if (moment.stack != empty_stack) writer_.stack(pid, tid.value, moment.at, moment.stack);
    }
  }

  [[nodiscard]] std::vector<std::pair<std::string_view, std::string>> details_of(
      Tid tid, const Interval& interval) const {
    const ThreadState state = interval.state;
    std::vector<std::pair<std::string_view, std::string>> details;
    if (activity_of(state) == Activity::waiting) {
      const auto holders = holders_during(profile_, tid, interval);
      if (!holders.empty()) {
        details.emplace_back("held by", thread_label(profile_, holders.front().first));
      }
      return details;
    }
    if (state.kind != BlockKind::none) details.emplace_back("kind", name_of(state.kind));
    if (state.syscall >= 0) details.emplace_back("syscall", syscall_name(state.syscall));
    return details;
  }

  const Profile& profile_;
  PerfettoWriter writer_;
  Flows flows_;
};

class PerfettoExporter : public Exporter {
 public:
  void write(const Profile& profile, const ExportOptions&, std::ostream& out) const override {
    PerfettoTrace(profile, out).write();
  }
};

}  // namespace

const Exporter& perfetto_exporter() {
  static const PerfettoExporter exporter;
  return exporter;
}

}  // namespace gilspy
