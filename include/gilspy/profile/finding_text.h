#pragma once

#include <string>

#include "gilspy/profile/findings.h"

/// Findings in words; what comes from the target is terminal_text().
namespace gilspy {

/// "worker held the GIL for up to 31.2 ms at a time".
[[nodiscard]] std::string title_of(const Profile& profile, const Finding& finding);
/// "19 times, 1.02 s in all. Others waited 3.93 s for it meanwhile."
[[nodiscard]] std::string facts_of(const Profile& profile, const Finding& finding);
/// Why it happens and what can be done about it.
[[nodiscard]] std::string advice_on(const Profile& profile, FindingKind kind);

}  // namespace gilspy
