#include "gecko_schema.h"

#include <array>

namespace gilspy {
namespace {

using Json = nlohmann::ordered_json;

/// By Activity. A grey one has to be there: what has no category is taken for it.
constexpr std::array<std::string_view, activity_count> colours{
    "green", "magenta", "red", "blue", "transparent", "yellow", "grey"};

}  // namespace

Json gecko_categories() {
  Json categories = Json::array();
  for (std::size_t i = 0; i < activity_count; ++i) {
    categories.push_back({{"name", name_of(static_cast<Activity>(i))},
                          {"color", colours.at(i)},
                          {"subcategories", Json{"Other"}}});
  }
  return categories;
}

std::string_view gecko_marker_type(Activity activity) {
  switch (activity) {
    case Activity::holding_running: return "GilHold";
    case Activity::holding_blocked: return "GilHeldAcrossCall";
    case Activity::waiting: return "GilWait";
    case Activity::blocked: return "Blocked";
    default: return "";
  }
}

Json gecko_marker_schema() {
  const Json display{"marker-chart", "marker-table", "timeline-overview"};
  const auto schema = [&](std::string_view name, std::string_view label, const Json& fields,
                          std::string_view description) {
    return Json{{"name", name},       {"tableLabel", label}, {"chartLabel", label},
                {"display", display}, {"fields", fields},    {"description", description}};
  };
  const auto field = [](std::string_view key, std::string_view label) {
    return Json{{"key", key}, {"label", label}, {"format", "string"}};
  };
  const Json holder = field("holder", "Held by");
  const Json call = field("syscall", "System call");
  return Json{
      schema("GilWait", "{marker.data.holder}", Json{holder}, "The thread waits for the GIL."),
      schema("GilHold", "{marker.name}", Json::array(), "The thread holds the GIL and runs."),
      schema("GilHeldAcrossCall", "{marker.data.syscall}", Json{call},
             "The thread holds the GIL while it is blocked in a system call."),
      schema("Blocked", "{marker.data.syscall}", Json{call, field("kind", "Waits for")},
             "The thread is blocked in a system call, without the GIL."),
      schema("GilHolder", "{marker.name}", Json::array(), "The thread that held the GIL.")};
}

}  // namespace gilspy
