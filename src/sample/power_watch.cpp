#include "power_watch.h"

#include <fmt/format.h>

#include <utility>

namespace gilspy {
namespace {

/// Every import of an extension has the GIL on for a moment; shorter ones keep nobody waiting for
/// longer than a thread that holds the GIL may anyway (the default switch interval).
constexpr Duration shortest_noted = std::chrono::milliseconds{5};

std::string because(const std::optional<std::string>& import) {
  return import ? fmt::format(" (import of {})", *import) : "";
}

}  // namespace

std::optional<std::string> PowerWatch::follow(Time at, GilMoment::Power now,
                                              const FindImport& find_import) {
  using Power = GilMoment::Power;
  const auto before = std::exchange(last_, now);
  if (before == now) {
    if (now == Power::importing && !import_) import_ = find_import();
    return std::nullopt;
  }
  const Duration lasted = at - std::exchange(since_, at);
  if (now != Power::off && !import_) import_ = find_import();
  // What the first look finds is no change.
  if (!before) return std::nullopt;
  if (now == Power::on) return "the GIL was switched on" + because(std::exchange(import_, {}));
  if (now == Power::importing) return std::nullopt;
  const auto import = std::exchange(import_, {});
  if (*before == Power::on) return "the GIL was switched off";
  if (lasted < shortest_noted) return std::nullopt;
  return fmt::format("the GIL was on for {} ms{}",
                     std::chrono::duration_cast<std::chrono::milliseconds>(lasted).count(),
                     because(import));
}

}  // namespace gilspy
