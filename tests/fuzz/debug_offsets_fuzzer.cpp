#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "gilspy/base/bytes.h"
#include "gilspy/python_offsets/debug_offsets.h"

/// What lies at the start of a _PyRuntime. Whatever is accepted has its fields inside their
/// structs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span{data, size});
  for (const gilspy::Layout& table : gilspy::all_layouts()) {
    const auto layout = gilspy::apply_debug_offsets(table, input);
    if (!layout) continue;
    std::int64_t struct_size = 0;
    for (const gilspy::LayoutRow& row : gilspy::layout_rows(*layout)) {
      if (row.field.empty()) {
        struct_size = row.offset;
      } else if (row.offset >= 0 &&
                 row.offset + static_cast<std::int64_t>(row.width) > struct_size) {
        std::abort();
      }
    }
  }
  return 0;
}
