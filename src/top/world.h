#pragma once

#include <map>
#include <optional>
#include <vector>

#include "gilspy/model/events.h"

namespace gilspy::top {

/// What the stream has said so far and still holds: enough to begin the stream anew at any moment.
class World {
 public:
  struct Thread {
    ThreadSeen seen;
    ThreadState state;
    bool told = false;             ///< a state of it was told
    std::optional<StackId> stack;  ///< as last sampled
    std::int16_t blocked_in = -1;  ///< the system call it was last blocked in
  };

  void accept(const Event& event);

  /// The events that tell a new listener where things stand at `at`.
  [[nodiscard]] std::vector<Event> prologue(Time at) const;

  [[nodiscard]] const std::optional<ProcessStarted>& process() const { return process_; }
  [[nodiscard]] const Progress& progress() const { return progress_; }
  [[nodiscard]] const std::map<Tid, Thread>& threads() const { return threads_; }
  [[nodiscard]] const Thread* thread(Tid tid) const;

 private:
  struct Gil {
    GilDefined defined;
    std::optional<GilChanged> changed;
  };

  std::optional<ProcessStarted> process_;
  Progress progress_;
  std::map<GilId, Gil> gils_;
  std::map<Tid, Thread> threads_;
};

}  // namespace gilspy::top
