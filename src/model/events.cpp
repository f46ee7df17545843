#include "gilspy/model/events.h"

namespace gilspy {

std::string_view name_of(TraceSource source) {
  switch (source) {
    case TraceSource::sampled: break;
    case TraceSource::switches: return "switches";
    case TraceSource::exact: return "exact";
  }
  return "sampled";
}

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

std::string_view name_of(StackDrop drop) {
  switch (drop) {
    case StackDrop::changed: return "changed";
    case StackDrop::code_changed: return "code_changed";
    case StackDrop::unreadable: return "unreadable";
    case StackDrop::thread_gone: return "thread_gone";
    case StackDrop::not_stopped: return "not_stopped";
  }
  return "";
}

}  // namespace gilspy
