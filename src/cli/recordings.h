#pragma once

#include <string>

#include "gilspy/profile/profile.h"
#include "gilspy/profile/time_cut.h"

namespace gilspy {

/// The profile of a recording, or of a part of it; says so on stderr when the recording is not
/// whole. Throws Failure when it cannot be read, or has nothing in that part.
[[nodiscard]] Profile read_recording(const std::string& file, const TimeRange& range = {});

}  // namespace gilspy
