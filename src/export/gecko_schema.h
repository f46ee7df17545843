#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "gilspy/model/thread_state.h"

/// What a Firefox Profiler file says of itself: its categories, which are the states of a thread,
/// and its kinds of markers.
namespace gilspy {

/// By Activity.
[[nodiscard]] nlohmann::ordered_json gecko_categories();

/// What kind of marker tells of time in this state, as the schema names it; "" for states without.
[[nodiscard]] std::string_view gecko_marker_type(Activity activity);

[[nodiscard]] nlohmann::ordered_json gecko_marker_schema();

}  // namespace gilspy
