#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "gilspy/base/bytes.h"
#include "gilspy/python/line_table.h"

/// The first byte picks the format, the next four are the first line, the rest is the table.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Kind = gilspy::Traits::LineTable;
  const auto input = std::as_bytes(std::span{data, size});
  const auto first_line = gilspy::load<std::uint32_t>(input, 1);
  if (!first_line) return 0;
  const Kind kind = data[0] % 3 == 0   ? Kind::lnotab
                    : data[0] % 3 == 1 ? Kind::ranges
                                       : Kind::locations;
  const gilspy::LineTable table{kind, *first_line, input.subspan(5)};
  for (std::uint32_t offset = 0; offset < 4096; offset += 30) {
    if (table.line_at(offset) > INT32_MAX) std::abort();
  }
  return 0;
}
