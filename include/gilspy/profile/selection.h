#pragma once

#include <array>
#include <string>
#include <vector>

#include "gilspy/profile/profile.h"

namespace gilspy {

/// Which threads of a profile, and which of their states, are to be shown.
struct Selection {
  std::vector<std::string> threads;  ///< names or tids; empty: all
  /// By Activity.
  std::array<bool, activity_count> states{true, true, true, true, true, true, true};

  [[nodiscard]] bool all_states() const;
};

/// Adds the states that a word of the command line means: "holding" both of its kinds,
/// "holding-blocked", "waiting", "running" ... False for a word that means none.
[[nodiscard]] bool add_states(Selection& selection, std::string_view word);

/// True when a thread's name or tid is among the wanted ones.
[[nodiscard]] bool is_selected(const Selection& selection, const ThreadProfile& thread);

/// The profile with only the selected threads' rows, timelines and stacks, and of their time only
/// what they spent in the selected states. The figures of the GIL and the verdict stay those of the
/// whole process. Blame stays where a selected thread waited or held.
[[nodiscard]] Profile select(Profile profile, const Selection& selection);

}  // namespace gilspy
