#pragma once

#include <string>

#include "gilspy/profile/findings.h"

/// Findings in words; what comes from the target is terminal_text().
namespace gilspy {

/// "worker held the GIL for up to 31.2 ms at a time".
[[nodiscard]] std::string title_of(const Profile& profile, const Finding& finding);
/// How often, what it cost, and what can be done about it.
[[nodiscard]] std::string explanation_of(const Profile& profile, const Finding& finding);

}  // namespace gilspy
