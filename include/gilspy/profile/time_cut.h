#pragma once

#include <memory>
#include <optional>

#include "gilspy/base/time.h"
#include "gilspy/model/events.h"

namespace gilspy {

/// A part of a run, in time since its start.
struct TimeRange {
  Duration from{};
  std::optional<Duration> to;  ///< nothing: to the end
};

/// Passes on what happened in a part of a run, as a stream of its own: who lived, held and waited
/// when it begins is told at its beginning, what lasts beyond its end ends there. Counts of ticks
/// and stacks are those of the part, between two Progress events by rule of three.
class TimeCut : public SampleSink {
 public:
  TimeCut(TimeRange range, SampleSink& next);
  ~TimeCut() override;

  void accept(const Event& event) override;

  /// To be called when the stream is over: a recording may break off inside of the part.
  void finish();

  /// How long the whole run was, as far as it was given here.
  [[nodiscard]] Duration length() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace gilspy
