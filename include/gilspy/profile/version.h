#pragma once

#include <string_view>

namespace gilspy {

/// gilspy's own version, as outputs name it. The same as project(VERSION) in CMakeLists.txt.
inline constexpr std::string_view version = "0.1.0";

}  // namespace gilspy
