#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gilspy/base/time.h"
#include "gilspy/model/events.h"
#include "gilspy/model/lateness.h"
#include "gilspy/model/tables.h"

/// What a run came to: plain values that exporters and reports show. Made by ProfileBuilder.
namespace gilspy {

using ActivityTimes = std::array<Duration, activity_count>;

[[nodiscard]] constexpr Duration& time_in(ActivityTimes& times, Activity activity) {
  return times[static_cast<std::size_t>(activity)];
}
[[nodiscard]] constexpr Duration time_in(const ActivityTimes& times, Activity activity) {
  return times[static_cast<std::size_t>(activity)];
}

/// What the width of a flame graph means.
enum class Weight : std::uint8_t {
  hold,   ///< time the stack's thread held the GIL
  wait,   ///< time the stack's thread waited for it
  blame,  ///< waiter-time that passed while this stack held it
  cpu,    ///< time on a CPU, with the GIL or without
  wall,   ///< all of the thread's time
};
inline constexpr std::size_t weight_count = 5;
[[nodiscard]] std::string_view name_of(Weight weight);
[[nodiscard]] std::optional<Weight> weight_named(std::string_view name);

[[nodiscard]] constexpr Duration time_in(const std::array<Duration, attachment_count>& times,
                                         Attachment attachment) {
  return times[static_cast<std::size_t>(attachment)];
}

struct ThreadProfile {
  Tid tid;
  Pid pid;
  std::string name;
  bool python = false;
  std::optional<GilId> gil;  ///< the one it takes, or took last
  Time first;                ///< first seen
  Time last;                 ///< gone, or the end of sampling
  ActivityTimes times{};     ///< adds up to last - first
  Duration longest_hold{};
  Duration longest_wait{};
  std::uint64_t waits = 0;  ///< separate waits seen
  /// With the GIL of a free-threaded build off; by Attachment, the first one unused.
  std::array<Duration, attachment_count> attached_times{};
  std::uint64_t holds = 0;  ///< separate holds seen: how often it was handed the GIL, at least
};

/// Figures of one GIL over the run.
struct GilProfile {
  GilId id;
  std::string interpreters;
  Duration held{};
  Duration contended{};  ///< time with at least one waiter
  Duration wait{};       ///< waiter-time, all threads
  Duration unknown{};    ///< time in which the holder could not be told
  std::uint64_t handoffs = 0;
  std::uint64_t forced_handoffs =
      0;  ///< waits longer than the switch interval; 0 when it is not known
  Duration longest_hold{};
  Duration longest_wait{};
};

/// Waiter-time that passed while `holder` had the GIL with `stack` on top of it.
/// holder is no_thread for the moments in which nobody held it (hand-over) or it was not known.
struct Blame {
  Tid holder;
  Tid waiter;
  StackId stack;  ///< of the holder; empty_stack when none was sampled
  Duration time{};
};

/// Time per stack of one thread under one weight. Under hold, wait, cpu and wall a thread's rows
/// add up to its times exactly; under blame to what Profile::blame says of it as a holder. Moments
/// without a holder are nobody's stack, and only in Profile::blame.
struct StackWeight {
  Tid tid;
  StackId stack;  ///< empty_stack: time for which no stack was sampled
  Duration time{};
};

enum class VerdictKind : std::uint8_t { gil_bound, not_gil_bound, insufficient_data };
[[nodiscard]] std::string_view name_of(VerdictKind kind);

struct Verdict {
  VerdictKind kind = VerdictKind::insufficient_data;
  std::string text;  ///< one or two sentences for people, with the figures that led to it
};

/// A stretch of one thread's time in one state.
struct Interval {
  Time begin;
  Time end;
  ThreadState state;
};

/// A stretch of a GIL's time under one holder (no_thread: free).
struct HolderInterval {
  Time begin;
  Time end;
  Tid holder;
  bool known = true;
};

/// A stack as it was sampled.
struct StackMoment {
  Time at;
  StackId stack;
};

/// Growth of a GIL's count of hand-offs, seen at this moment. The holder may look the same before
/// and after: then its hold was interrupted between two ticks.
struct Handoffs {
  Time at;
  std::uint32_t count = 0;
};

/// What happened when, for timelines. Equal neighbours are merged.
struct Timeline {
  std::map<Tid, std::vector<Interval>> threads;
  std::map<GilId, std::vector<HolderInterval>> gils;
  std::map<GilId, std::vector<Handoffs>> handoffs;
  std::map<Tid, std::vector<StackMoment>> stacks;
};

struct Profile {
  ProcessStarted process;
  Time begin;
  Time end;  ///< of the last event seen: a recording cut short ends where it was cut
  std::optional<EndReason> end_reason;  ///< nothing for a recording cut short
  Progress progress;
  std::optional<NativeCounted> native;  ///< in all; nothing where they were not asked for
  std::optional<Lateness> lateness;     ///< of the ticks; nothing where there was no rate to keep
  std::uint64_t missed_for_room = 0;    ///< of the missed ticks: the recording could not keep up
  std::optional<Traced> traced;         ///< nothing where the kernel's records were not asked for
  std::vector<ThreadProfile> threads;   ///< in the order they were first seen
  /// Threads that a selection took out. They keep their names, as the ones who held the GIL.
  std::vector<ThreadProfile> left_out;
  std::vector<GilProfile> gils;     ///< by id; none on a build whose GIL is off
  std::optional<double> potential;  ///< GIL-free potential; nothing when it cannot be told
  std::vector<Blame> blame;         ///< most time first
  std::array<std::vector<StackWeight>, weight_count> stacks;  ///< by Weight
  std::vector<Noted> notes;
  Verdict verdict;
  Timeline timeline;
  /// Never null: names of codes and stacks. Shared with the ProfileBuilder and so grows while
  /// events keep coming: what ids mean stays, but a string_view out of it may not outlive the next
  /// event.
  std::shared_ptr<const Tables> tables;

  [[nodiscard]] Duration wall() const { return end - begin; }
  /// A shorter hold is not seen for sure: the mean time between two ticks; 0 without ticks.
  [[nodiscard]] Duration resolution() const {
    return progress.ticks > 0 ? wall() / static_cast<std::int64_t>(progress.ticks) : Duration{};
  }
  /// How late the ticks came; null where that is not known of any.
  [[nodiscard]] const Lateness* late_ticks() const {
    return lateness && lateness->ticks() > 0 ? &*lateness : nullptr;
  }
  /// False where there is nothing to say of any GIL: on a free-threaded build that runs without it.
  [[nodiscard]] bool has_gil() const { return !gils.empty() || process.gil_enabled != false; }
  [[nodiscard]] const std::vector<StackWeight>& stacks_by(Weight weight) const {
    return stacks[static_cast<std::size_t>(weight)];
  }
  /// The thread with this tid, the latest one where the tid was used again; also one that was left
  /// out. Null when there is none.
  [[nodiscard]] const ThreadProfile* thread(Tid tid) const;
};

}  // namespace gilspy
