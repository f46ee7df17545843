#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "chrome_stacks.h"
#include "chrome_writer.h"
#include "gilspy/export/exporter.h"
#include "gilspy/profile/version.h"
#include "text.h"
#include "wait_holders.h"

/// Chrome's trace event format, for Perfetto, chrome://tracing and VizTracer's viewer.
///
/// Slices of one track must nest; Perfetto drops or displaces those that overlap in part. Users lay
/// this file over VizTracer's of the same run (`viztracer --combine`), and its functions fill the
/// tracks of the real threads: a wait begins inside one function, a state of ours ends in the midst
/// of another. So the real pid and tid get the thread's name only, and what we saw lies on tracks
/// right after it with tids of their own, made from the real one: the thread's states, and its
/// stacks. They begin above what a Linux tid can be (2^22) and end below 2^32.
namespace gilspy {
namespace {

constexpr std::uint32_t tid_mask = 0x0FFF'FFFF;  // keeps the ranges apart whatever a recording says
// In the order wanted: chrome://tracing follows the sort index, Perfetto the tids.
constexpr std::uint32_t gil_tids = 1U << 28;
constexpr std::uint32_t state_tids = 2U << 28;
constexpr std::uint32_t stack_tids = 3U << 28;

std::string_view colour_of(Activity activity) {
  switch (activity) {
    case Activity::holding_running: return "thread_state_running";
    case Activity::holding_blocked: return "bad";
    case Activity::waiting: return "terrible";
    case Activity::running: return "good";
    case Activity::blocked: return "thread_state_sleeping";
    case Activity::runnable: return "thread_state_runnable";
    case Activity::unknown: return "thread_state_unknown";
  }
  return "";
}

class ChromeTrace {
 public:
  ChromeTrace(const Profile& profile, std::ostream& out) : profile_(profile), writer_(out) {}

  void write() {
    writer_.name_process(pid(), printable(profile_.process.command));
    write_gils();
    for (const ThreadProfile& thread : profile_.threads) write_thread(thread);
    for (const auto& [tid, intervals] : profile_.timeline.threads) write_states(tid, intervals);
    for (const Noted& note : profile_.notes) {
      writer_.mark({pid(), pid()}, note.at, printable(note.text));
    }
    writer_.finish(other_data());
  }

 private:
  [[nodiscard]] std::uint32_t pid() const {
    return static_cast<std::uint32_t>(profile_.process.pid.value);
  }

  [[nodiscard]] ChromeTrack track_of(Tid tid, std::uint32_t kind) const {
    const ThreadProfile* thread = profile_.thread(tid);
    const auto owner = thread != nullptr ? static_cast<std::uint32_t>(thread->pid.value) : pid();
    return {owner, kind + (static_cast<std::uint32_t>(tid.value) & tid_mask)};
  }

  void write_gils() {
    std::uint32_t count = 0;
    for (const GilProfile& gil : profile_.gils) {
      const ChromeTrack track{pid(), gil_tids + count++};
      const std::string name =
          profile_.gils.size() == 1 ? "GIL" : fmt::format("GIL ({})", printable(gil.interpreters));
      writer_.name_track(track, name + ": holder");
      write_holders(track, gil.id);
      write_waiters(gil.id, name + ": waiters");
    }
  }

  void write_holders(ChromeTrack track, GilId gil) {
    for (const HolderInterval& interval : holders_of(profile_, gil)) {
      if (!interval.known) {
        writer_.slice(track, {interval.begin, interval.end, "unknown", "gil",
                              "thread_state_unknown", nlohmann::ordered_json::object()});
      } else if (interval.holder != no_thread) {
        const std::string holder = thread_label(profile_, interval.holder);
        writer_.slice(
            track,
            {interval.begin, interval.end, holder, "gil", "", {{"tid", interval.holder.value}}});
      }
    }
  }

  void write_waiters(GilId gil, std::string_view name) {
    for (const WaiterCount& count : waiters_of(profile_, gil)) {
      writer_.counter(pid(), count.at, name, "waiters", count.waiters);
    }
  }

  void write_thread(const ThreadProfile& thread) {
    const std::string label = thread_label(thread);
    const std::string name = printable(thread.name);
    writer_.name_track(track_of(thread.tid, 0), name.empty() ? label : name);
    writer_.name_track(track_of(thread.tid, state_tids), label + ": state");
    const auto samples = profile_.timeline.stacks.find(thread.tid);
    if (samples == profile_.timeline.stacks.end()) return;
    const ChromeTrack track = track_of(thread.tid, stack_tids);
    writer_.name_track(track, label + ": stack");
    const Tables& tables = *profile_.tables;
    for (const StackSlice& slice :
         stack_slices(tables, samples->second, thread.first, thread.last)) {
      const FrameText frame = frame_text(tables, {empty_stack, slice.code, slice.line});
      writer_.slice(track, {slice.begin,
                            slice.end,
                            frame.function,
                            "stack",
                            "",
                            {{"file", frame.file}, {"line", frame.line}}});
    }
  }

  void write_states(Tid tid, const std::vector<Interval>& intervals) {
    const ChromeTrack track = track_of(tid, state_tids);
    for (const Interval& interval : intervals) {
      const Activity activity = activity_of(interval.state);
      writer_.slice(track, {interval.begin, interval.end, name_of(activity), "state",
                            colour_of(activity), args_of(tid, interval)});
    }
  }

  [[nodiscard]] nlohmann::ordered_json args_of(Tid tid, const Interval& interval) const {
    const ThreadState state = interval.state;
    nlohmann::ordered_json args{{"gil", name_of(state.gil)}, {"cpu", name_of(state.cpu)}};
    if (state.kind != BlockKind::none) args["kind"] = name_of(state.kind);
    if (state.syscall >= 0) args["syscall"] = syscall_name(state.syscall);
    if (activity_of(state) == Activity::waiting) {
      if (const std::string holders = held_by(tid, interval); !holders.empty()) {
        args["held by"] = holders;
      }
    }
    return args;
  }

  /// The holders during a wait, the one that had it longest first.
  [[nodiscard]] std::string held_by(Tid waiter, const Interval& wait) const {
    constexpr std::size_t most = 5;
    const auto times = holders_during(profile_, waiter, wait);
    std::string names;
    for (std::size_t i = 0; i < std::min(times.size(), most); ++i) {
      names += (i == 0 ? "" : ", ") + thread_label(profile_, times[i].first);
    }
    return times.size() <= most ? names : fmt::format("{} and {} more", names, times.size() - most);
  }

  [[nodiscard]] nlohmann::ordered_json other_data() const {
    const ProcessStarted& process = profile_.process;
    const Progress& progress = profile_.progress;
    return {{"gilspy", version},
            {"mode", "sampled from outside the process"},
            {"command", printable(process.command)},
            {"python", printable(process.python)},
            {"clock", "CLOCK_MONOTONIC"},
            {"start_unix_ns", process.unix_ns},
            {"requested_hz", process.requested_hz},
            {"stack_hz", process.stack_hz},
            {"achieved_hz", achieved_hz(profile_)},
            {"ticks", progress.ticks},
            {"missed", progress.missed},
            {"unstable", progress.unstable},
            {"stacks", progress.stacks},
            {"stacks_dropped", progress.stacks_dropped},
            {"stacks_retried", progress.trouble.retried},
            {"resolution_seconds", to_seconds(profile_.resolution())}};
  }

  const Profile& profile_;
  ChromeWriter writer_;
};

class ChromeExporter : public Exporter {
 public:
  void write(const Profile& profile, const ExportOptions&, std::ostream& out) const override {
    ChromeTrace(profile, out).write();
  }
};

}  // namespace

const Exporter& chrome_exporter() {
  static const ChromeExporter exporter;
  return exporter;
}

}  // namespace gilspy
