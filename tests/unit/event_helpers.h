#pragma once

#include <vector>

#include "gilspy/model/events.h"

namespace gilspy::testing {

/// Keeps everything it is given.
class CollectingSink : public SampleSink {
 public:
  void accept(const Event& event) override { events.push_back(event); }
  std::vector<Event> events;
};

/// A moment so many milliseconds after an arbitrary start.
[[nodiscard]] constexpr Time at_ms(double ms) {
  return time_from_ns(1'000'000'000'000 + static_cast<std::int64_t>(ms * 1e6));
}

inline constexpr ThreadState holding{GilState::holding, CpuState::running, BlockKind::none, -1};
inline constexpr ThreadState waiting{GilState::waiting, CpuState::blocked, BlockKind::lock, 202};
inline constexpr ThreadState running{GilState::released, CpuState::running, BlockKind::none, -1};
inline constexpr ThreadState sleeping{GilState::released, CpuState::blocked, BlockKind::sleep, 230};
inline constexpr ThreadState unknown_state{};

}  // namespace gilspy::testing
