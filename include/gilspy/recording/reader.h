#pragma once

#include <cstdint>
#include <istream>
#include <string>

#include "gilspy/model/events.h"

namespace gilspy {

struct ReplayResult {
  bool whole = false;  ///< ended at a frame's end after an event that ends the last process
  std::uint64_t frames = 0;
  std::string problem;  ///< why reading stopped early, for people; empty when whole
};

/// Pushes a recording's events into the sink, up to the last whole frame. Nothing of a frame whose
/// checksum is wrong, or that does not decode, is pushed.
/// Throws Failure(other) when the stream is not a gilspy recording, or of a version we cannot read.
[[nodiscard]] ReplayResult replay(std::istream& stream, SampleSink& sink);

}  // namespace gilspy
