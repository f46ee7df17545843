#include "page_facts.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "gilspy/base/text.h"
#include "gilspy/export/exporter.h"
#include "gilspy/profile/blame.h"
#include "gilspy/profile/finding_text.h"
#include "gilspy/profile/findings.h"

namespace gilspy {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_blockers = 8;

/// The same figures as -f json because they are those. Its blame by function is left out: the page
/// computes it from the intervals. So are its findings: the page's lead to places in the timeline.
Json summary_json(const Profile& profile) {
  std::ostringstream text;
  json_exporter().write(profile, ExportOptions{}, text);
  Json summary = Json::parse(text.str());
  summary.erase("blame");
  summary.erase("findings");
  return summary;
}

Json state_json(ThreadState state) {
  Json json{{"activity", static_cast<int>(activity_of(state))},
            {"text", describe(state)},
            {"wants_cpu", wants_cpu(state)}};
  if (state.syscall >= 0) json["syscall"] = syscall_name(state.syscall);
  return json;
}

/// Index of a thread's GIL in Profile::gils; -1 for none.
int gil_index(const Profile& profile, const ThreadProfile& thread) {
  for (std::size_t i = 0; i < profile.gils.size(); ++i) {
    if (thread.gil == profile.gils[i].id) return static_cast<int>(i);
  }
  return -1;
}

Json lanes_json(const Profile& profile, const PageClock& clock) {
  Json json = Json::array();
  for (const ThreadProfile& thread : profile.threads) {
    json.push_back({{"tid", thread.tid.value},
                    {"pid", thread.pid.value},
                    {"name", terminal_text(thread.name)},
                    {"python", thread.python},
                    {"gil", gil_index(profile, thread)},
                    {"first", clock.units(thread.first)},
                    {"last", clock.units(thread.last)},
                    {"waits", thread.waits},
                    {"longest_hold_seconds", to_seconds(thread.longest_hold)},
                    {"longest_wait_seconds", to_seconds(thread.longest_wait)}});
  }
  return json;
}

Json findings_json(const Profile& profile, const PageClock& clock, const Lanes& lanes) {
  Json json = Json::array();
  for (const Finding& finding : findings_of(profile)) {
    Json row{{"kind", name_of(finding.kind)},       {"title", title_of(profile, finding)},
             {"text", facts_of(profile, finding)},  {"advice", advice_on(profile, finding.kind)},
             {"begin", clock.units(finding.begin)}, {"end", clock.units(finding.end)}};
    if (const auto lane = lanes.at(finding.thread, finding.begin)) row["lane"] = *lane;
    json.push_back(std::move(row));
  }
  return json;
}

/// The functions that made others wait most, for the page's first sight.
Json blockers_json(const Profile& profile) {
  Json json = Json::array();
  for (const FunctionBlame& row : worst_blockers(profile)) {
    if (json.size() == most_blockers) break;
    json.push_back({{"function", terminal_text(row.function)},
                    {"file", terminal_text(row.file)},
                    {"line", row.line},
                    {"native", terminal_text(row.native)},
                    {"seconds", to_seconds(row.time)}});
  }
  return json;
}

Json notes_json(const Profile& profile, const PageClock& clock) {
  Json json = Json::array();
  for (const Noted& note : profile.notes) {
    json.push_back({{"at", clock.units(note.at)}, {"text", terminal_text(note.text)}});
  }
  return json;
}

/// "<" occurs in JSON only inside strings, where it has another spelling. Without it there is no
/// "</script>" and no "<!--".
std::string without_less_than(std::string text) {
  for (auto at = text.find('<'); at != std::string::npos; at = text.find('<', at)) {
    text.replace(at, 1, "\\u003c");
  }
  return text;
}

}  // namespace

std::string page_facts(const Profile& profile, const PageClock& clock, const PageTracks& tracks,
                       const Lanes& lanes, const std::vector<std::uint32_t>& overview,
                       const PageDetail& detail) {
  Json json{{"summary", summary_json(profile)},
            {"unit_ns", clock.unit().count()},
            {"end", clock.end()},
            {"grain", detail.grain},
            {"sample_every", detail.every},
            {"cores", profile.process.cores},
            {"switch_interval", to_seconds(profile.process.switch_interval)},
            {"command", terminal_text(profile.process.command)}};
  if (profile.end_reason) json["end_reason"] = static_cast<int>(*profile.end_reason);
  for (const ThreadState& state : tracks.states) json["states"].push_back(state_json(state));
  json["gils"] = Json::array();
  for (const GilProfile& gil : profile.gils) {
    json["gils"].push_back({{"interpreters", terminal_text(gil.interpreters)}});
  }
  json["lanes"] = lanes_json(profile, clock);
  json["overview"] = overview;
  json["findings"] = findings_json(profile, clock, lanes);
  json["blockers"] = blockers_json(profile);
  json["notes"] = notes_json(profile, clock);
  return without_less_than(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace gilspy
