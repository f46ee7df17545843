#pragma once

#include "gilspy/profile/profile.h"

namespace gilspy {

/// Answers the first question of every user from a profile that is complete but for its verdict.
[[nodiscard]] Verdict verdict_of(const Profile& profile);

/// Share of all threads' time for which it could not be told what they did.
[[nodiscard]] double unknown_share(const Profile& profile);

}  // namespace gilspy
