#include "perf_map.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

/// Any text, taken for what a JIT has written for perf.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using gilspy::RemoteAddress;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  gilspy::PerfMap map;
  map.add(text);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  // A line names one place, and may cut another one in two.
  if (map.size() > 2 * lines) std::abort();
  for (const std::uint64_t at : {0UL, 0x100UL, 0x7f0000001000UL, ~0UL}) {
    const auto function = map.at(RemoteAddress{at});
    if (function.name.empty() != !function.range.contains(RemoteAddress{at})) std::abort();
    if (function.name.empty()) continue;
    // Both its ends are of the same function, and what follows is not.
    if (map.at(function.range.begin) != function) std::abort();
    if (map.at(function.range.end - 1) != function) std::abort();
    if (map.at(function.range.end).range == function.range) std::abort();
  }
  return 0;
}
