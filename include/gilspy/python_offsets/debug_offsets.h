#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// How many bytes _Py_DebugOffsets has at the start of _PyRuntime; 0 where there is none (up to
/// 3.12).
[[nodiscard]] std::size_t debug_offsets_size(const Layout& table);

/// The layout of one running CPython: what it says of itself in `bytes` (its _Py_DebugOffsets) goes
/// before the committed table, which fills what it does not say. A field that it does not tell of
/// moves with the nearest one in front of it in the same struct.
/// The bytes are hostile: when a size, an alignment or an offset is impossible, nothing of them is
/// used, and the reason is returned.
[[nodiscard]] tl::expected<Layout, std::string> apply_debug_offsets(
    const Layout& table, std::span<const std::byte> bytes);

/// One row of a layout, for people.
struct LayoutRow {
  std::string_view structure;
  std::string_view field;    ///< empty: the struct's size
  std::int32_t offset = -1;  ///< or the size; -1: this version has no such field (or struct)
  std::size_t width = 0;     ///< of what is read there; 0 for what is embedded, and for sizes

  friend bool operator==(const LayoutRow&, const LayoutRow&) = default;
};

/// Every field of the list, in its order; layouts of all versions give the same rows.
[[nodiscard]] std::vector<LayoutRow> layout_rows(const Layout& layout);

/// All layouts that come with gilspy, oldest first; free-threaded ones behind the others.
[[nodiscard]] std::span<const Layout> all_layouts();

}  // namespace gilspy
