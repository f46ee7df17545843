#include "gilspy/model/events.h"

namespace gilspy {

std::optional<Time> time_of(const Event& event) {
  return std::visit(
      [](const auto& e) -> std::optional<Time> {
        if constexpr (requires { e.at; }) {
          return e.at;
        } else {
          return std::nullopt;
        }
      },
      event);
}

}  // namespace gilspy
