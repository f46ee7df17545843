#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gilspy/profile/profile.h"

/// What can be compared between two runs, and what cannot.
namespace gilspy {

using FunctionName = std::pair<std::string, std::string>;  ///< function, file without folders

[[nodiscard]] FunctionName name_of_code(const Tables& tables, CodeId id);

/// What is different about the runs and bears on their figures.
[[nodiscard]] std::vector<std::string> notes_on(const Profile& a, const Profile& b);

/// True when what one saw for being short the other would have seen as well.
[[nodiscard]] bool same_rates(const Profile& a, const Profile& b);

}  // namespace gilspy
