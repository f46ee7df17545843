#pragma once

#include <functional>
#include <vector>

#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// The minors of all versions of CPython 3 that have a layout, or of those where `holds` is true:
/// new versions take part in a test by themselves.
inline std::vector<int> minors_where(const std::function<bool(const Layout&)>& holds) {
  std::vector<int> minors;
  for (std::uint8_t minor = 0; minor < 99; ++minor) {
    const Layout* const layout = layout_for({3, minor, 0}, false);
    if (layout != nullptr && holds(*layout)) minors.push_back(minor);
  }
  return minors;
}
inline std::vector<int> all_minors() {
  return minors_where([](const Layout& /*layout*/) { return true; });
}

}  // namespace gilspy
