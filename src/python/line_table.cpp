#include "gilspy/python/line_table.h"

#include <algorithm>
#include <limits>

namespace gilspy {
namespace {

constexpr std::uint32_t open_end = std::numeric_limits<std::uint32_t>::max();

/// A line as entries keep it: what no source file can have becomes 0.
std::uint32_t checked_line(std::int64_t line) {
  constexpr std::int64_t max_line = std::numeric_limits<std::int32_t>::max();
  return line > 0 && line <= max_line ? static_cast<std::uint32_t>(line) : 0;
}

std::int8_t as_signed(std::byte byte) { return static_cast<std::int8_t>(byte); }

/// Walks the bytes of a location table.
class Locations {
 public:
  explicit Locations(std::span<const std::byte> rest) : rest_(rest) {}

  /// The first byte of the next entry, past whatever is left of this one: only first bytes have the
  /// top bit set.
  bool next(std::uint32_t& first) {
    while (!rest_.empty() && (rest_.front() & std::byte{0x80}) == std::byte{0}) {
      rest_ = rest_.subspan(1);
    }
    if (rest_.empty()) return false;
    first = std::to_integer<std::uint32_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return true;
  }

  /// A varint made signed by its lowest bit.
  std::int64_t svarint() {
    const std::uint64_t value = varint();
    const auto magnitude = static_cast<std::int64_t>(value >> 1U);
    return (value & 1U) != 0 ? -magnitude : magnitude;
  }

 private:
  /// Groups of six bits, lowest first; bit 6 says that another follows.
  std::uint64_t varint() {
    constexpr unsigned max_bits = 36;  // more than any line number needs
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < max_bits && !rest_.empty(); shift += 6) {
      const auto byte = std::to_integer<std::uint64_t>(rest_.front());
      if ((byte & 0x80U) != 0) break;
      rest_ = rest_.subspan(1);
      value |= (byte & 0x3FU) << shift;
      if ((byte & 0x40U) == 0) break;
    }
    return value;
  }

  std::span<const std::byte> rest_;
};

}  // namespace

LineTable::LineTable(Traits::LineTable kind, std::uint32_t first_line,
                     std::span<const std::byte> table) {
  switch (kind) {
    case Traits::LineTable::lnotab: read_lnotab(first_line, table); break;
    case Traits::LineTable::ranges: read_ranges(first_line, table); break;
    case Traits::LineTable::locations: read_locations(first_line, table); break;
  }
  entries_.shrink_to_fit();
}

bool LineTable::add(std::uint64_t bytes, std::int64_t line) {
  const std::uint64_t end = (entries_.empty() ? 0 : entries_.back().end) + bytes;
  if (end >= open_end) return false;
  if (bytes == 0) return true;
  const std::uint32_t entry_line = checked_line(line);
  if (!entries_.empty() && entries_.back().line == entry_line) {
    entries_.back().end = static_cast<std::uint32_t>(end);
  } else {
    entries_.push_back({static_cast<std::uint32_t>(end), entry_line});
  }
  return true;
}

/// Objects/lnotab_notes.txt: pairs of an advance in bytes and the change of line after it. What
/// follows the last pair has its line.
void LineTable::read_lnotab(std::int64_t line, std::span<const std::byte> table) {
  for (; table.size() >= 2; table = table.subspan(2)) {
    if (!add(std::to_integer<std::uint64_t>(table[0]), line)) return;
    line += as_signed(table[1]);
  }
  entries_.push_back({open_end, checked_line(line)});
}

/// 3.10 (PEP 626): pairs of a range's bytes and its change of line, made before the range.
void LineTable::read_ranges(std::int64_t line, std::span<const std::byte> table) {
  constexpr std::int8_t no_line = -128;
  for (; table.size() >= 2; table = table.subspan(2)) {
    const std::int8_t change = as_signed(table[1]);
    if (change != no_line) line += change;
    const bool added = add(std::to_integer<std::uint64_t>(table[0]), change == no_line ? 0 : line);
    if (!added) return;
  }
}

/// Objects/locations.md. Columns and end lines are of no use here and skipped.
void LineTable::read_locations(std::int64_t line, std::span<const std::byte> table) {
  constexpr std::uint64_t code_unit = 2;
  Locations locations{table};
  std::uint32_t first = 0;
  while (locations.next(first)) {
    const std::uint32_t code = (first >> 3U) & 15U;
    constexpr std::uint32_t one_line = 10;
    constexpr std::uint32_t no_columns = 13;
    constexpr std::uint32_t long_form = 14;
    constexpr std::uint32_t no_location = 15;
    if (code == no_columns || code == long_form) {
      line += locations.svarint();
    } else if (code >= one_line && code < no_columns) {
      line += code - one_line;
    }
    const std::uint64_t units = (first & 7U) + 1;
    if (!add(units * code_unit, code == no_location ? 0 : line)) return;
  }
}

std::uint32_t LineTable::line_at(std::uint32_t byte_offset) const {
  const auto entry = std::ranges::upper_bound(entries_, byte_offset, {}, &Entry::end);
  return entry == entries_.end() ? 0 : entry->line;
}

}  // namespace gilspy
