#pragma once

#include "gilspy/report/progress.h"
#include "terminal_line.h"

namespace gilspy {

/// Passes a run's events on and, once a second, shows on the terminal how it goes.
class ProgressDisplay : public SampleSink {
 public:
  ProgressDisplay(SampleSink& next, TerminalLine::Place place);

  void accept(const Event& event) override;
  [[nodiscard]] bool has_room() const override { return next_.has_room(); }
  /// Takes the line away, before something else is said.
  void hide() { line_.erase(); }

 private:
  SampleSink& next_;
  RunningFigures figures_;
  TerminalLine line_;
  Time last_shown_;
};

}  // namespace gilspy
