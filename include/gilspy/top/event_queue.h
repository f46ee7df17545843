#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include "gilspy/model/events.h"

namespace gilspy::top {

/// Between the sampler's thread and the view's. The view takes everything at once, so that the
/// sampler never waits for longer than that takes, however slow drawing is.
class EventQueue : public SampleSink {
 public:
  /// Beyond this many events nobody is taking them, and the old ones are thinned out: what they
  /// come to is kept, and a note says that figures of that time are missing.
  static constexpr std::size_t most_events = 100'000;

  void accept(const Event& event) override;
  [[nodiscard]] std::vector<Event> take();

 private:
  std::mutex mutex_;
  std::vector<Event> events_;
  std::size_t limit_ = most_events;
};

}  // namespace gilspy::top
