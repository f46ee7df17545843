#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "gilspy/export/exporter.h"
#include "gilspy/profile/blame.h"
#include "gilspy/profile/finding_text.h"
#include "gilspy/profile/findings.h"
#include "gilspy/profile/version.h"

/// The summary as data. Scripts rely on it: names stay, what was not measured is left out.
namespace gilspy {
namespace {

using Json = nlohmann::ordered_json;

/// Grows when a name changes its meaning or goes away, not when one is added.
constexpr int schema = 1;
/// With fifty threads there are a hundred thousand.
constexpr std::size_t most_blame_rows = 1000;

Json process_json(const Profile& profile) {
  const ProcessStarted& process = profile.process;
  Json json{{"pid", process.pid.value}, {"command", process.command}};
  if (!process.python.empty()) json["python"] = process.python;
  json["free_threaded"] = process.free_threaded;
  if (process.gil_enabled) json["gil_enabled"] = *process.gil_enabled;
  return json;
}

Json clock_json(const Profile& profile) {
  if (profile.process.unix_ns == 0) return {{"start_monotonic_ns", to_ns(profile.begin)}};
  // Both clocks at one moment, that of ProcessStarted.
  return {{"start_monotonic_ns", to_ns(profile.process.at)},
          {"start_unix_ns", profile.process.unix_ns}};
}

Json sampling_json(const Profile& profile) {
  const Progress& progress = profile.progress;
  Json json{{"requested_hz", profile.process.requested_hz}};
  if (profile.wall() > Duration{}) {
    json["achieved_hz"] = static_cast<double>(progress.ticks) / to_seconds(profile.wall());
  }
  if (const Duration resolution = profile.resolution(); resolution > Duration{}) {
    json["resolution_seconds"] = to_seconds(resolution);
  }
  json["ticks"] = progress.ticks;
  json["missed"] = progress.missed;
  if (profile.lateness) json["missed_for_room"] = profile.missed_for_room;
  if (const Lateness* const late = profile.late_ticks()) {
    json["late_seconds_median"] = to_seconds(late->quantile(0.5));
    json["late_seconds_p99"] = to_seconds(late->quantile(0.99));
    json["late_seconds_worst"] = to_seconds(late->worst());
  }
  json["unstable"] = progress.unstable;
  json["stacks"] = progress.stacks;
  json["stacks_dropped"] = progress.stacks_dropped;
  json["stacks_retried"] = progress.trouble.retried;
  json["stack_retries"] = progress.trouble.retries;
  Json& dropped = json["stacks_dropped_by_reason"] = Json::object();
  for (std::size_t i = 0; i < stack_drop_count; ++i) {
    dropped[std::string(name_of(static_cast<StackDrop>(i)))] = progress.trouble.dropped.at(i);
  }
  json["cpu_seconds"] = to_seconds(progress.cpu);
  if (profile.native) {
    json["native_stacks"] = profile.native->merged;
    json["native_broken"] = profile.native->broken;
    json["native_left_out"] = profile.native->left_out;
  }
  json["source"] = name_of(profile.traced ? profile.traced->source : TraceSource::sampled);
  if (profile.traced) json["lost_records"] = profile.traced->lost;
  return json;
}

Json gil_json(const Profile& profile, const GilProfile& gil) {
  Json json;
  if (const double wall = to_seconds(profile.wall()); wall > 0) {
    json["held_share"] = to_seconds(gil.held) / wall;
    json["contended_share"] = to_seconds(gil.contended) / wall;
    json["unknown_share"] = to_seconds(gil.unknown) / wall;
  }
  json["wait_seconds"] = to_seconds(gil.wait);
  json["handoffs"] = gil.handoffs;
  if (profile.process.switch_interval > Duration{}) {
    json["forced_handoffs"] = gil.forced_handoffs;
  }
  json["longest_hold_seconds"] = to_seconds(gil.longest_hold);
  json["longest_wait_seconds"] = to_seconds(gil.longest_wait);
  return json;
}

/// "gil" is the main interpreter's; with more than one there is also a list of all.
void put_gils(Json& json, const Profile& profile) {
  if (profile.gils.empty()) return;
  json["gil"] = gil_json(profile, profile.gils.front());
  if (profile.potential) json["gil"]["potential"] = *profile.potential;
  if (profile.gils.size() == 1) return;
  for (const GilProfile& gil : profile.gils) {
    Json row{{"interpreters", gil.interpreters}};
    row.update(gil_json(profile, gil));
    json["gils"].push_back(std::move(row));
  }
}

Json thread_json(const Profile& profile, const ThreadProfile& thread) {
  const auto seconds = [&](auto state, const auto& times) {
    return to_seconds(time_in(times, state));
  };
  Json json{{"tid", thread.tid.value}, {"name", thread.name}};
  if (profile.has_gil()) {
    json["holding_running_seconds"] = seconds(Activity::holding_running, thread.times);
    json["holding_blocked_seconds"] = seconds(Activity::holding_blocked, thread.times);
    json["waiting_seconds"] = seconds(Activity::waiting, thread.times);
  }
  json["running_seconds"] = seconds(Activity::running, thread.times);
  json["blocked_seconds"] = seconds(Activity::blocked, thread.times);
  json["runnable_seconds"] = seconds(Activity::runnable, thread.times);
  json["unknown_seconds"] = seconds(Activity::unknown, thread.times);
  if (thread.attached_times != decltype(thread.attached_times){}) {
    json["attached_seconds"] = seconds(Attachment::attached, thread.attached_times);
    json["detached_seconds"] = seconds(Attachment::detached, thread.attached_times);
    json["suspended_seconds"] = seconds(Attachment::suspended, thread.attached_times);
  }
  return json;
}

Json blame_json(const Profile& profile, const FunctionBlame& blame) {
  Json json{{"holder_tid", blame.holder.value},
            {"holder", label_of(profile, blame.holder)},
            {"waiter_tid", blame.waiter.value},
            {"waiter", label_of(profile, blame.waiter)},
            {"seconds", to_seconds(blame.time)}};
  if (!blame.function.empty()) json["function"] = blame.function;
  if (!blame.file.empty()) json["file"] = blame.file;
  if (blame.line != 0) json["line"] = blame.line;
  if (!blame.native.empty()) {
    json["native_function"] = blame.native;
    json["native_library"] = blame.library;
    if (!blame.native_file.empty()) json["native_file"] = blame.native_file;
    if (blame.native_line != 0) json["native_line"] = blame.native_line;
  }
  if (blame.rows > 0) json["rows"] = blame.rows;
  return json;
}

Json finding_json(const Profile& profile, const Finding& finding) {
  Json json{{"kind", name_of(finding.kind)},
            {"tid", finding.thread.value},
            {"thread", label_of(profile, finding.thread)},
            {"threads", finding.threads}};
  if (finding.other != no_thread) {
    json["other_tid"] = finding.other.value;
    json["other"] = label_of(profile, finding.other);
    json["other_count"] = finding.overtaken;
  }
  json["count"] = finding.count;
  json["seconds"] = to_seconds(finding.total);
  json["longest_seconds"] = to_seconds(finding.longest());
  json["waited_seconds"] = to_seconds(finding.waited);
  if (finding.syscall >= 0) json["syscall"] = syscall_name(finding.syscall);
  if (finding.stack != empty_stack) {
    const auto top = profile.tables->stack(finding.stack);
    json["function"] = profile.tables->function_of(top);
    json["file"] = profile.tables->file_of(top);
    if (top.line != 0) json["line"] = top.line;
    if (profile.tables->is_native(top)) {
      json["library"] = profile.tables->string(profile.tables->code(top.code).library);
    }
  }
  json["text"] = title_of(profile, finding) + ". " + facts_of(profile, finding);
  return json;
}

class JsonExporter : public Exporter {
 public:
  void write(const Profile& profile, const ExportOptions&, std::ostream& out) const override {
    Json json{{"gilspy", version}, {"schema", schema}};
    json["process"] = process_json(profile);
    json["wall_seconds"] = to_seconds(profile.wall());
    json["clock"] = clock_json(profile);
    json["sampling"] = sampling_json(profile);
    put_gils(json, profile);
    json["verdict"] = {{"kind", name_of(profile.verdict.kind)}, {"text", profile.verdict.text}};
    json["threads"] = Json::array();
    for (const ThreadProfile& thread : profile.threads) {
      json["threads"].push_back(thread_json(profile, thread));
    }
    json["blame"] = Json::array();
    for (const FunctionBlame& row : largest_blame(profile, most_blame_rows)) {
      json["blame"].push_back(blame_json(profile, row));
    }
    json["findings"] = Json::array();
    for (const Finding& finding : findings_of(profile)) {
      json["findings"].push_back(finding_json(profile, finding));
    }
    // Names come from the target as they are, so bytes that are not UTF-8 must not stop the report.
    out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  }
};

}  // namespace

const Exporter& json_exporter() {
  static const JsonExporter exporter;
  return exporter;
}

}  // namespace gilspy
