#include "process_figures.h"

#include <fmt/format.h>

#include <array>

#include "gilspy/base/text.h"

namespace gilspy {
namespace {

constexpr std::size_t widest_command = 70;

double share_of_wall(const Profile& profile, Duration time) {
  const double wall = to_seconds(profile.wall());
  return wall > 0 ? to_seconds(time) / wall : 0;
}

std::string_view ending(std::optional<EndReason> reason) {
  if (!reason) return ", cut short: the recording stops there without an end";
  switch (*reason) {
    case EndReason::requested: return "";
    case EndReason::target_ended: return ", to the end of the process";
    case EndReason::target_execed: return ", until the process became another program";
    case EndReason::lost: return ", until the process could not be read any more";
  }
  return "";
}

std::string handoffs(const Profile& profile, const GilProfile& gil) {
  const double wall = to_seconds(profile.wall());
  const double rate = wall > 0 ? static_cast<double>(gil.handoffs) / wall : 0;
  std::string text = fmt::format("hand-offs {:.{}f}/s", rate, rate < 10 ? 1 : 0);
  if (profile.process.switch_interval == Duration{}) return text;
  text += fmt::format(" ({} forced)", gil.forced_handoffs);
  return text;
}

std::string source_text(const Traced& traced) {
  const std::string lost =
      traced.lost == 1 ? "1 record lost" : fmt::format("{} records lost", traced.lost);
  switch (traced.source) {
    case TraceSource::exact:
      return fmt::format("waits and time on CPUs exact from the kernel ({})", lost);
    case TraceSource::switches:
      return fmt::format("time on CPUs exact from the kernel ({}), waits sampled", lost);
    case TraceSource::sampled: break;
  }
  return "waits sampled, as the kernel's records may not be had";
}

}  // namespace

std::vector<std::string> process_lines(const Profile& profile) {
  const ProcessStarted& process = profile.process;
  return {fmt::format("Process {}, Python {}{}: {}", process.pid.value,
                      process.python.empty() ? "?" : terminal_text(process.python),
                      process.free_threaded ? " free-threaded" : "",
                      shortened(terminal_text(process.command), widest_command)),
          fmt::format("Watched for {}{}", human(profile.wall()), ending(profile.end_reason))};
}

std::vector<std::string> gil_lines(const Profile& profile) {
  if (profile.gils.empty()) {
    return {profile.has_gil() ? "GIL      not seen" : "GIL      off"};
  }
  std::vector<std::string> lines;
  for (const GilProfile& gil : profile.gils) {
    const bool shared = gil.interpreters.find(',') != std::string::npos;
    if (shared || profile.gils.size() > 1) {
      lines.push_back(fmt::format("GIL {} {}",
                                  shared ? "shared by the interpreters" : "of interpreter",
                                  terminal_text(gil.interpreters)));
    }
    std::string shares =
        fmt::format("GIL      held {}   contended {}   waits {} in all",
                    percent(share_of_wall(profile, gil.held)),
                    percent(share_of_wall(profile, gil.contended)), human(gil.wait));
    if (const double unknown = share_of_wall(profile, gil.unknown); unknown >= 0.0005) {
      shares += fmt::format("   unknown {}", percent(unknown));
    }
    lines.push_back(shares);
    lines.push_back(fmt::format("         {}   longest hold {}   longest wait {}",
                                handoffs(profile, gil), human(gil.longest_hold),
                                human(gil.longest_wait)));
  }
  // What rounds to 1.0 is no gain worth a line.
  if (profile.potential && *profile.potential >= 1.05) {
    const std::uint32_t cores = profile.process.cores;
    lines.push_back(fmt::format("         without it up to {:.1f} times as fast on {} core{}",
                                *profile.potential, cores, cores == 1 ? "" : "s"));
  }
  return lines;
}

namespace {

/// " (4 dropped: 3 changed meanwhile, 1 thread gone; 12 read again, 30 times in all)".
std::string stack_trouble(const Progress& progress) {
  static constexpr std::array reasons{"changed meanwhile", "code changed", "unreadable",
                                      "thread gone", "thread not stopped"};
  static_assert(reasons.size() == stack_drop_count);
  std::string text = fmt::format("{} dropped", progress.stacks_dropped);
  std::string_view between = ": ";
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (progress.trouble.dropped.at(i) == 0) continue;
    text += fmt::format("{}{} {}", between, progress.trouble.dropped.at(i), reasons.at(i));
    between = ", ";
  }
  if (progress.trouble.retried > 0) {
    text += fmt::format("; {} read again, {} times in all", progress.trouble.retried,
                        progress.trouble.retries);
  }
  return text;
}

/// "28 missed", and how many of them for want of room.
std::string missed_text(const Profile& profile) {
  std::string text = fmt::format("{} missed", profile.progress.missed);
  if (profile.missed_for_room == 0) return text;
  text +=
      fmt::format(" ({} as the recording could not be written as fast)", profile.missed_for_room);
  return text;
}

/// How late the ticks were; empty where there was no rate to keep.
std::string lateness_line(const Profile& profile) {
  const Lateness* const late = profile.late_ticks();
  if (late == nullptr) return "";
  return fmt::format(
      "\n          half of the ticks were no more than {} late, 99 % {}, the worst {}",
      human(late->quantile(0.5)), human(late->quantile(0.99)), human(late->worst()));
}

}  // namespace

std::string sampling_cost_line(const Profile& profile) {
  const Progress& progress = profile.progress;
  const double wall = to_seconds(profile.wall());
  const double hz = profile.process.requested_hz;
  const std::string native =
      profile.native
          ? fmt::format(", {} of them with native functions ({} broken, {} left out)",
                        profile.native->merged, profile.native->broken, profile.native->left_out)
          : "";
  return fmt::format(
      "Sampling: {} asked, {:.0f} achieved, {} ticks, {}, {} unstable, {} stacks ({}){}, "
      "{}gilspy used {} of a core{}{}",
      hz > 0 ? fmt::format("{:.0f} Hz", hz) : "as many Hz as go",
      wall > 0 ? static_cast<double>(progress.ticks) / wall : 0, progress.ticks,
      missed_text(profile), progress.unstable, progress.stacks, stack_trouble(progress), native,
      profile.traced ? source_text(*profile.traced) + ", " : "",
      percent(share_of_wall(profile, progress.cpu)),
      progress.ticks == 0
          ? ""
          : fmt::format("\n          holds and waits below {} are not seen one by one",
                        human(profile.resolution())),
      lateness_line(profile));
}

}  // namespace gilspy
