#include "gilspy/python_offsets/version.h"

#include <fmt/format.h>

namespace gilspy {

std::string Version::text() const { return fmt::format("{}.{}.{}", major, minor, micro); }

}  // namespace gilspy
