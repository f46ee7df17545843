#pragma once

#include <span>
#include <string>
#include <vector>

#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// Every struct field, a line each, with its offset in each of the layouts ("-": it has none).
[[nodiscard]] std::string layout_table(std::span<const Layout> layouts,
                                       const std::vector<std::string>& headings);

/// "3.7", "3.13t".
[[nodiscard]] std::vector<std::string> layout_names(std::span<const Layout> layouts);

/// What differs between a version's table and what one target says: "; differs from the table of
/// its version: thread.size 312 (304)", or "".
[[nodiscard]] std::string moved_fields(const Layout& table, const Layout& used);

}  // namespace gilspy
