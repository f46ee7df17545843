#include "stack_events.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace gilspy {
namespace {

/// More threads than this cannot run at once on most machines.
constexpr std::size_t max_events = 64;

}  // namespace

StackEvent* StackEvents::of(Tid tid) {
  if (!allowed_) return nullptr;
  ++uses_;
  if (const auto known = events_.find(tid); known != events_.end()) {
    known->second.used = uses_;
    return &known->second.event;
  }
  if (events_.size() >= max_events) drop_oldest();
  while (true) {
    int error = 0;
    auto event = StackEvent::open(tid, error);
    if (event) return &events_.emplace(tid, Held{std::move(*event), uses_}).first->second.event;
    if (error == ESRCH) return nullptr;
    // Past a limit of descriptors or locked memory there may be room without another one.
    if (events_.empty()) {
      allowed_ = false;
      error_ = error;
      return nullptr;
    }
    drop_oldest();
  }
}

void StackEvents::drop_oldest() {
  const auto used = [](const auto& entry) { return entry.second.used; };
  events_.erase(std::ranges::min_element(events_, {}, used));
}

}  // namespace gilspy
