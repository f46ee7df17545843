#pragma once

#include <string>
#include <vector>

#include "gilspy/profile/profile.h"

/// The summary's lines about the process as a whole.
namespace gilspy {

/// Who was watched, for how long, and how it ended.
[[nodiscard]] std::vector<std::string> process_lines(const Profile& profile);
/// Each GIL's figures, and what could be gained without.
[[nodiscard]] std::vector<std::string> gil_lines(const Profile& profile);
/// How well the sampler did: rates, losses, cost.
[[nodiscard]] std::string sampling_cost_line(const Profile& profile);

}  // namespace gilspy
