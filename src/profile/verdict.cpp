#include "verdict.h"

#include <algorithm>

#include <fmt/format.h>

#include "duration_math.h"
#include "stack_weights.h"

namespace gilspy {
namespace {

/// Start-up alone (imports, one thread) takes some 0.1 s: less than this says nothing about the
/// rest.
constexpr Duration shortest_run = std::chrono::milliseconds{500};
/// The standard error of a share near one half is 7 points at 50 ticks; with fewer it is a guess.
constexpr std::uint64_t fewest_ticks = 50;
/// Ticks are missed when the machine is busiest, so what is missing is not like what was seen.
constexpr double most_bad_ticks = 0.20;
/// More unknown time than this could turn the answer either way.
constexpr double most_unknown = 0.20;
/// Stacks that change fast are dropped first: with so many gone, those that are left are others.
constexpr double most_lost_stacks = 0.20;
/// A thread that finds the GIL taken one time in five is a slow-down that users notice.
constexpr double contended_enough = 0.20;
/// The same for threads that come and go: of the time they want to run, so much goes into waiting.
constexpr double waiting_enough = 0.25;
/// A GIL that is free half of the time is not what holds the program back.
constexpr double held_enough = 0.50;
/// One thread that has the GIL for so much of the time, and nobody else to speak of ...
constexpr double nearly_all = 0.90;
/// ... is not contended: below this share waits are start-up and shutdown.
constexpr double hardly_any = 0.05;
/// A smaller gain than this is within the error of the estimate.
constexpr double least_gain = 1.05;
/// While gilspy comes to a CPU of the target's, what runs on the others goes on, and comes to wait
/// for what it keeps from its CPU. A GIL that changes hands once in less than so many times a
/// tick's lateness is seen as gilspy makes it: held less and waited for more ...
constexpr int fewest_latenesses = 2;
/// ... by so much of the time, with two threads that pass items through two queues
/// (docs/accuracy.md).
constexpr double error_of_fast_handoffs = 0.3;

std::string percent(double share) {
  if (share > 0 && share < 0.01) return "under 1 %";
  return fmt::format("{:.0f} %", share * 100);
}

struct Shares {
  double held = 0;
  double contended = 0;
  double waiting = 0;  ///< of the time in which its threads want to run
  double unknown = 0;  ///< of wall time, the holder
};

Shares shares_of(const Profile& profile, const GilProfile& gil) {
  Duration wait{};
  Duration run{};
  for (const ThreadProfile& thread : profile.threads) {
    if (thread.gil != gil.id) continue;
    add_to(wait, time_in(thread.times, Activity::waiting));
    add_to(run, weigh(thread.times, Weight::hold));
    add_to(run, time_in(thread.times, Activity::running));
  }
  add_to(run, wait);
  const Duration wall = profile.wall();
  return {share_of(gil.held, wall), share_of(gil.contended, wall), share_of(wait, run),
          share_of(gil.unknown, wall)};
}

/// Why there is no answer and what to do about it; "" when there is enough data.
std::string shortcoming(const Profile& profile) {
  const Progress& progress = profile.progress;
  if (profile.wall() < shortest_run) {
    return fmt::format("only {:.2f} s were recorded. Record a longer stretch: at least {:.1f} s.",
                       to_seconds(profile.wall()), to_seconds(shortest_run));
  }
  if (progress.ticks < fewest_ticks) {
    return fmt::format("only {} ticks. Record longer, or raise the rate with -r.", progress.ticks);
  }
  const double bad =
      (static_cast<double>(progress.missed) + static_cast<double>(progress.unstable)) /
      (static_cast<double>(progress.ticks) + static_cast<double>(progress.missed));
  if (bad > most_bad_ticks) {
    return fmt::format(
        "{} of the ticks came too late or could not be read in one piece. Lower the rate with -r, "
        "or leave gilspy a free CPU.",
        percent(bad));
  }
  if (const double unknown = unknown_share(profile); unknown > most_unknown) {
    return fmt::format(
        "for {} of the threads' time it could not be told what they did. Record longer; if it "
        "stays "
        "so, `gilspy doctor --pid PID` says what cannot be read.",
        percent(unknown));
  }
  return "";
}

bool gil_is_off(const Profile& profile) {
  return profile.gils.empty() && profile.process.gil_enabled == false;
}

/// Of several GILs the one that is waited for most.
const GilProfile& busiest(const Profile& profile) {
  return *std::ranges::max_element(
      profile.gils, {}, [](const GilProfile& gil) { return std::pair{gil.wait, gil.held}; });
}

bool is_bound(const Shares& shares) {
  return shares.held >= held_enough &&
         (shares.contended >= contended_enough || shares.waiting >= waiting_enough);
}

/// How long one has the GIL until the next one has it, on average.
Duration handoff_period(const Profile& profile, const GilProfile& gil) {
  return profile.wall() / static_cast<std::int64_t>(std::max<std::uint64_t>(gil.handoffs, 1));
}

bool outruns_looks(const Profile& profile, const GilProfile& gil) {
  const Lateness* late = profile.late_ticks();
  return late != nullptr && handoff_period(profile, gil) < fewest_latenesses * late->quantile(0.5);
}

bool waits_are_exact(const Profile& profile) {
  return profile.traced && profile.traced->source == TraceSource::exact;
}

/// Whether the answer would be another one within the error of hand-offs that outrun the looks.
bool may_be_otherwise(const Shares& shares, bool exact_waits) {
  const auto bound_by = [&](double error) {
    const double of_waits = exact_waits ? 0 : error;
    return is_bound(
        {shares.held + error, shares.contended + of_waits, shares.waiting + of_waits, 0});
  };
  return bound_by(-error_of_fast_handoffs) != bound_by(error_of_fast_handoffs);
}

std::string bound_text(const Profile& profile, const Shares& shares) {
  std::string text = fmt::format(
      "GIL-bound: the GIL was held {} of the time, and for {} of the time at least one thread "
      "waited "
      "for it.",
      percent(shares.held), percent(shares.contended));
  if (shares.contended < contended_enough) {
    text += fmt::format(" Threads that wanted to run spent {} of that time waiting.",
                        percent(shares.waiting));
  }
  if (!profile.potential) return text;
  const std::uint32_t cores = profile.process.cores;
  const std::string_view plural = cores == 1 ? "" : "s";
  if (*profile.potential >= least_gain) {
    text += fmt::format(" Without the GIL this could run up to {:.1f} times as fast on {} core{}.",
                        *profile.potential, cores, plural);
  } else {
    text += fmt::format(" But without the GIL it would run no faster on {} core{}.", cores, plural);
  }
  return text;
}

/// The one thread that has the GIL nearly all of the time; nothing when there is no such thread.
const ThreadProfile* only_holder(const Profile& profile, const GilProfile& gil) {
  const auto hold = [](const ThreadProfile& t) { return weigh(t.times, Weight::hold); };
  const auto most = std::ranges::max_element(profile.threads, {}, hold);
  if (most == profile.threads.end()) return nullptr;
  return share_of(hold(*most), gil.held) >= nearly_all ? &*most : nullptr;
}

std::string free_text(const Profile& profile, const GilProfile& gil, const Shares& shares) {
  const ThreadProfile* only = only_holder(profile, gil);
  if (only != nullptr && shares.held >= nearly_all && shares.contended < hardly_any) {
    const Duration blocked = time_in(only->times, Activity::holding_blocked);
    const bool in_calls = 2 * blocked > weigh(only->times, Weight::hold);
    return fmt::format(
        "Not GIL-bound: one thread holds the GIL nearly all the time, but nobody waits for it; {}.",
        in_calls ? "it keeps the GIL across system calls" : "it is CPU-bound in one thread");
  }
  std::string text =
      fmt::format("Not GIL-bound: the GIL was held {} of the time", percent(shares.held));
  if (shares.contended >= hardly_any) {
    text += fmt::format(", and for {} of the time at least one thread waited for it",
                        percent(shares.contended));
  } else if (shares.held >= held_enough) {
    text += ", but hardly any thread waited for it";
  }
  return text + ".";
}

std::string fast_handoffs_text(const Profile& profile, const GilProfile& gil) {
  const auto us = [](Duration d) { return static_cast<double>(d.count()) / 1e3; };
  return fmt::format(
      "the GIL changed hands every {:.0f} us on average, while half of the looks "
      "came more than {:.0f} us late: ",
      us(handoff_period(profile, gil)), us(profile.late_ticks()->quantile(0.5)));
}

std::string resolution_text(const Profile& profile, const GilProfile& gil) {
  if (gil.handoffs <= profile.progress.ticks) return "";
  if (outruns_looks(profile, gil)) {
    return fmt::format(" But {}{} may be off by tens of points.", fast_handoffs_text(profile, gil),
                       waits_are_exact(profile) ? "shares of holding" : "these shares");
  }
  return fmt::format(
      " Most hand-offs were shorter than the sampler's resolution ({} hand-offs in {} ticks): "
      "shares "
      "are right on average, but single holds were missed.",
      gil.handoffs, profile.progress.ticks);
}

/// The verdict is of states alone, but what comes with it is of stacks.
std::string lossy_text(const Profile& profile) {
  const auto dropped = static_cast<double>(profile.progress.stacks_dropped);
  const double all = dropped + static_cast<double>(profile.progress.stacks);
  if (all == 0 || dropped / all <= most_lost_stacks) return "";
  return fmt::format(
      " {} of the stacks could not be read: what is said of functions is not enough to go by. "
      "Try --consistent.",
      percent(dropped / all));
}

}  // namespace

double unknown_share(const Profile& profile) {
  Duration unknown{};
  Duration all{};
  for (const ThreadProfile& thread : profile.threads) {
    add_to(unknown, time_in(thread.times, Activity::unknown));
    add_to(all, thread.last - thread.first);
  }
  return share_of(unknown, all);
}

Verdict verdict_of(const Profile& profile) {
  const auto insufficient = [](const std::string& why) {
    return Verdict{VerdictKind::insufficient_data, "Not enough data: " + why};
  };
  // No figure could say otherwise.
  if (gil_is_off(profile) && profile.progress.ticks > 0) {
    return {VerdictKind::not_gil_bound, "Not GIL-bound: free-threaded, GIL off."};
  }
  if (const std::string why = shortcoming(profile); !why.empty()) return insufficient(why);
  if (profile.gils.empty()) {
    return insufficient("no GIL was seen. `gilspy doctor --pid PID` says what cannot be read.");
  }
  const GilProfile& gil = busiest(profile);
  const Shares shares = shares_of(profile, gil);
  if (shares.unknown > most_unknown) {
    return insufficient(fmt::format(
        "for {} of the time it could not be told who held the GIL. `gilspy doctor --pid "
        "PID` says what cannot be read.",
        percent(shares.unknown)));
  }
  const bool exact_waits = waits_are_exact(profile);
  if (outruns_looks(profile, gil) && may_be_otherwise(shares, exact_waits)) {
    return insufficient(fast_handoffs_text(profile, gil) +
                        (exact_waits ? "shares of holding may be off by tens of points."
                                     : "shares of holding and waiting may be off by tens of "
                                       "points. --exact has the waits from the kernel."));
  }
  const bool bound = is_bound(shares);
  return {bound ? VerdictKind::gil_bound : VerdictKind::not_gil_bound,
          (bound ? bound_text(profile, shares) : free_text(profile, gil, shares)) +
              resolution_text(profile, gil) + lossy_text(profile)};
}

}  // namespace gilspy
