#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gilspy/profile/profile.h"

namespace gilspy::top {

/// What a function came to: on top of the stack (own), and anywhere in it (total).
struct FunctionFigures {
  std::string function;
  std::string file;
  std::uint32_t line = 0;  ///< where it begins
  Duration own_hold{};
  Duration total_hold{};
  Duration own_blame{};  ///< what others waited meanwhile
  Duration total_blame{};
  Duration own_cpu{};
  Duration total_cpu{};
};

/// All functions with any of these, the worst blockers first, then by hold and CPU time.
[[nodiscard]] std::vector<FunctionFigures> function_figures(const Profile& profile);

}  // namespace gilspy::top
