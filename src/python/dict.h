#pragma once

#include <compare>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/python_offsets/layout.h"

/// Dicts and the key tables that instances of a class share (Objects/dictobject.c).
namespace gilspy {

/// One entry of a dict's table. A deleted one has a null key or value.
struct DictItem {
  RemoteAddress key;
  RemoteAddress value;
  friend auto operator<=>(const DictItem&, const DictItem&) = default;
};

/// All entries of a dict in table order, deleted ones included, from a combined or a split table.
/// Fails with `retry` when the dict has more than `max_entries`, does not look like one, or got
/// another table while it was read.
[[nodiscard]] Result<std::vector<DictItem>> read_dict(MemoryReader& memory, const Layout& layout,
                                                      RemoteAddress dict, std::size_t max_entries);

/// The entries of a table alone. In a split one the values are null, and an entry's index is the
/// index of its value in the arrays of those who share the table.
[[nodiscard]] Result<std::vector<DictItem>> read_dict_keys(MemoryReader& memory,
                                                           const Layout& layout, RemoteAddress keys,
                                                           std::size_t max_entries);

/// The index of the first item whose key is the ASCII str `name`; `retry` when there is none.
[[nodiscard]] Result<std::size_t> find_key(MemoryReader& memory, const Layout& layout,
                                           std::span<const DictItem> items, std::string_view name);

}  // namespace gilspy
