#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "gilspy/model/events.h"

namespace gilspy {

/// Follows a run and says in a few words how it goes.
class RunningFigures : public SampleSink {
 public:
  void accept(const Event& event) override;

  /// "12 s, 12003 ticks, GIL held 97 %, 3 threads waiting": held since the last line, the others as
  /// of now.
  [[nodiscard]] std::string line();

 private:
  struct Gil {
    bool held = false;
    Time since;  ///< everything before is in held_time
    Duration held_time{};
  };

  void advance(Time at);

  std::map<Tid, bool> waits_;
  std::map<GilId, Gil> gils_;
  bool gil_off_ = false;
  bool started_ = false;
  Time start_;
  Time now_;
  Time last_line_;
  std::uint64_t ticks_ = 0;
};

}  // namespace gilspy
