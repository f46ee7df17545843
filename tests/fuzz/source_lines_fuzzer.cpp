#include "gilspy/elf/source_lines.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

using gilspy::ElfFile;
using gilspy::SourceLines;

namespace {

/// Where functions may be: in each segment, here and there.
std::vector<std::uint64_t> places_in(const ElfFile& elf) {
  std::vector<std::uint64_t> places{0, ~0UL};
  for (const auto& segment : elf.segments()) {
    for (const std::uint64_t offset : {0, 4, 16, 64, 100})
      places.push_back(segment.address + offset);
  }
  elf.visit_functions([&places](std::string_view, const gilspy::ElfSymbol& symbol, bool) {
    places.push_back(symbol.address);
    places.push_back(symbol.address + symbol.size / 2);
  });
  places.resize(std::min<std::size_t>(places.size(), 64));
  return places;
}

}  // namespace

/// Any file, asked for the lines of its functions.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gilspy::UniqueFd file{::memfd_create("elf", MFD_CLOEXEC)};
  if (::write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  auto elf = ElfFile::open(std::move(file));
  if (!elf) return 0;
  const auto places = places_in(*elf);
  auto lines = SourceLines::open(std::move(*elf));
  if (!lines) return 0;
  for (const std::uint64_t place : places) {
    const auto function = lines->function_at(place);
    if (!function) continue;
    if (function->file.empty() || place < function->begin || place >= function->end) std::abort();
    if (!std::ranges::is_sorted(function->rows, {}, &gilspy::SourceFunction::Row::begin))
      std::abort();
    for (const auto& row : function->rows) {
      if (row.line == 0 || row.begin < function->begin || row.begin >= function->end) std::abort();
    }
    (void)function->line_at(place);
  }
  return 0;
}
