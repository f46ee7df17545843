#pragma once

#include <string>
#include <vector>

#include "gilspy/profile/profile.h"

namespace gilspy {

/// A line per thread with its shares of its own life, the most relevant first, headings above.
/// Beyond the first 20 threads all others are one line.
[[nodiscard]] std::vector<std::string> thread_lines(const Profile& profile);

}  // namespace gilspy
