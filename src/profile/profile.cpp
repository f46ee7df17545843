#include "gilspy/profile/profile.h"

#include <algorithm>
#include <ranges>

#include "gilspy/profile/version.h"

namespace gilspy {

static_assert(version == GILSPY_VERSION, "version.h and CMakeLists.txt must agree");

std::string_view name_of(Weight weight) {
  switch (weight) {
    case Weight::hold: return "hold";
    case Weight::wait: return "wait";
    case Weight::blame: return "blame";
    case Weight::cpu: return "cpu";
    case Weight::wall: return "wall";
  }
  return "wall";
}

std::optional<Weight> weight_named(std::string_view name) {
  for (std::size_t i = 0; i < weight_count; ++i) {
    const auto weight = static_cast<Weight>(i);
    if (name_of(weight) == name) return weight;
  }
  return std::nullopt;
}

std::string_view name_of(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::gil_bound: return "gil-bound";
    case VerdictKind::not_gil_bound: return "not-gil-bound";
    case VerdictKind::insufficient_data: return "insufficient-data";
  }
  return "insufficient-data";
}

const ThreadProfile* Profile::thread(Tid tid) const {
  for (const std::vector<ThreadProfile>* list : {&threads, &left_out}) {
    const auto latest_first = std::views::reverse(*list);
    const auto found = std::ranges::find(latest_first, tid, &ThreadProfile::tid);
    if (found != latest_first.end()) return &*found;
  }
  return nullptr;
}

}  // namespace gilspy
