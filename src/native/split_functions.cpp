#include "split_functions.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "gilspy/base/bytes.h"
#include "method_names.h"

namespace gilspy {
namespace {

/// The eval loop has 30 to 100 KB.
constexpr std::uint64_t longest_function = std::uint64_t{1} << 20;
/// Bytes that only look like a jump lead anywhere, but hardly twice into one function.
constexpr std::size_t fewest_jumps = 2;

/// A conditional jump with a distance of four bytes: 0f 80 to 0f 8f, and the distance from its end
/// (Intel's manual, volume 2, Jcc).
constexpr std::uint64_t jump_size = 6;
constexpr std::uint8_t jump_prefix = 0x0f;
constexpr std::uint8_t jump_high = 0x80;

bool is_jump(std::uint8_t first, std::uint8_t second) {
  return first == jump_prefix && (second & 0xf0U) == jump_high;
}

}  // namespace

std::vector<NamedFunction> find_split_parts(std::span<const std::byte> code, std::uint64_t at,
                                            std::span<const std::uint64_t> begins,
                                            std::string_view function) {
  std::map<std::uint64_t, std::set<std::uint64_t>> targets;  // by where their function begins
  for (std::uint64_t i = 0; i + jump_size <= code.size(); ++i) {
    if (!is_jump(std::to_integer<std::uint8_t>(code[i]),
                 std::to_integer<std::uint8_t>(code[i + 1])))
      continue;
    const auto distance = load<std::int32_t>(code, i + 2);
    const std::uint64_t target =
        at + i + jump_size + static_cast<std::uint64_t>(std::int64_t{distance.value_or(0)});
    if (target >= at && target < at + code.size()) continue;
    const auto after = std::ranges::upper_bound(begins, target);
    // Of the last one it is not known where it ends.
    if (after == begins.begin() || after == begins.end()) continue;
    targets[*std::prev(after)].insert(target);
  }
  std::vector<NamedFunction> parts;
  for (const auto& [begin, jumps] : targets) {
    if (jumps.size() < fewest_jumps) continue;
    parts.push_back({begin, *std::ranges::upper_bound(begins, begin), std::string{function}});
  }
  return parts;
}

std::vector<NamedFunction> find_split_parts(const ElfFile& elf, MemoryReader& memory,
                                            std::uint64_t bias, std::string_view function) {
  const auto symbol = elf.symbol(function);
  if (!symbol || symbol->size > longest_function) return {};
  std::vector<std::byte> code(symbol->size);
  if (!memory.read(RemoteAddress{symbol->address + bias}, code)) return {};
  return find_split_parts(code, symbol->address, function_begins(elf), function);
}

}  // namespace gilspy
