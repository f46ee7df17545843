#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "gilspy/profile/version.h"
#include "gilspy/report/diff.h"

namespace gilspy {
namespace {

using Json = nlohmann::ordered_json;

/// Grows when a name changes its meaning or goes away, not when one is added.
constexpr int schema = 1;

/// What was not measured, or cannot be compared, is absent.
Json change_json(const Change& change) {
  Json json = Json::object();
  if (change.a) json["a"] = *change.a;
  if (change.b) json["b"] = *change.b;
  return json;
}

Json side_json(const DiffSide& side) {
  const Profile& profile = side.profile;
  return {{"recording", side.name},           {"command", profile.process.command},
          {"python", profile.process.python}, {"wall_seconds", to_seconds(profile.wall())},
          {"ticks", profile.progress.ticks},  {"verdict", name_of(profile.verdict.kind)}};
}

std::string key_of(Activity activity) {
  switch (activity) {
    case Activity::holding_running: return "holding_running";
    case Activity::holding_blocked: return "holding_blocked";
    default: break;
  }
  const std::string name(name_of(activity));
  return name.substr(0, name.find(' '));  // "waiting", "running"
}

Json thread_json(const ThreadChange& thread) {
  Json json{{"name", thread.name}, {"threads", {{"a", thread.threads_a}, {"b", thread.threads_b}}}};
  for (std::size_t i = 0; i < activity_count; ++i) {
    json[key_of(static_cast<Activity>(i))] = change_json(thread.shares.at(i));
  }
  return json;
}

Json function_json(const FunctionChange& function) {
  Json json{{"function", function.function}, {"file", function.file}};
  for (std::size_t i = 0; i < weight_count; ++i) {
    json[std::string(name_of(static_cast<Weight>(i)))] = {
        {"self", change_json(function.self.at(i))}, {"total", change_json(function.total.at(i))}};
  }
  return json;
}

}  // namespace

void write_diff_json(const DiffSide& a, const DiffSide& b, std::ostream& out) {
  const Comparison comparison = compare(a.profile, b.profile);
  Json json{{"gilspy", version}, {"diff_schema", schema}, {"a", side_json(a)}, {"b", side_json(b)}};
  json["notes"] = comparison.notes;
  json["figures"] = Json::object();
  for (const FigureChange& figure : comparison.figures) {
    json["figures"][std::string(figure.key)] = change_json(figure.value);
  }
  json["threads"] = Json::array();
  for (const ThreadChange& thread : comparison.threads) {
    json["threads"].push_back(thread_json(thread));
  }
  json["functions"] = Json::array();
  for (const FunctionChange& function : comparison.functions) {
    json["functions"].push_back(function_json(function));
  }
  // Names come from the target as they are, and need not be UTF-8.
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace gilspy
