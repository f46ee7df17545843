#include "progress.h"

#include <unistd.h>

#include <chrono>

namespace gilspy {
namespace {

/// A bit less than the time between two Progress events.
constexpr Duration period = std::chrono::milliseconds{900};

}  // namespace

ProgressDisplay::ProgressDisplay(SampleSink& next, TerminalLine::Place place)
    : next_(next), line_(STDERR_FILENO, place) {}

void ProgressDisplay::accept(const Event& event) {
  next_.accept(event);
  if (!line_.wanted()) return;
  figures_.accept(event);
  const auto* progress = std::get_if<Progress>(&event);
  if (progress == nullptr || progress->at - last_shown_ < period) return;
  last_shown_ = progress->at;
  line_.show("gilspy: " + figures_.line());
}

}  // namespace gilspy
