#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gilspy/python_offsets/traits.h"

namespace gilspy {

/// Which line each instruction of a code object belongs to.
class LineTable {
 public:
  LineTable() = default;
  /// Parses co_lnotab, 3.10's co_linetable, or 3.11's location table. Hostile bytes give a table
  /// that ends early or has lines of 0; never an error, never more entries than bytes but for one.
  LineTable(Traits::LineTable kind, std::uint32_t first_line, std::span<const std::byte> table);

  /// The line of the instruction at this byte offset into the bytecode; 0 when it has none.
  [[nodiscard]] std::uint32_t line_at(std::uint32_t byte_offset) const;

 private:
  struct Entry {
    std::uint32_t end = 0;  ///< first byte offset beyond
    std::uint32_t line = 0;
  };

  void read_lnotab(std::int64_t line, std::span<const std::byte> table);
  void read_ranges(std::int64_t line, std::span<const std::byte> table);
  void read_locations(std::int64_t line, std::span<const std::byte> table);
  /// Lets the next `bytes` of bytecode belong to `line`; false when there cannot be so many.
  bool add(std::uint64_t bytes, std::int64_t line);

  std::vector<Entry> entries_;  ///< by `end`, upwards
};

}  // namespace gilspy
