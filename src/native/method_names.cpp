#include "method_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

#include "gilspy/base/bytes.h"

namespace gilspy {
namespace {

constexpr std::uint64_t max_segment = std::uint64_t{32} << 20;
constexpr std::size_t max_methods = 100'000;
constexpr std::size_t longest_name = 64;
constexpr std::uint64_t word = 8;

// The one encoding that linkers write (Linux Standard Base Core, 10.6.2): version 1, a 4 byte
// pointer, a 4 byte count, and pairs of 4 byte offsets from the header.
constexpr std::array<std::uint8_t, 4> usual_header{1, 0x1b, 0x03, 0x3b};
constexpr std::uint64_t rows_at = 12;
constexpr std::uint64_t row_size = 8;

/// METH_VARARGS to METH_METHOD (Include/methodobject.h, cpython/methodobject.h).
constexpr std::uint64_t known_flags = 0x2ff;

/// PyMethodDef.
struct MethodRow {
  std::uint64_t name;
  std::uint64_t function;
  std::uint64_t flags;  ///< an int and padding, which is zero in static data
  std::uint64_t doc;
};

/// A file's place in the target's memory.
class Image {
 public:
  Image(const ElfFile& elf, MemoryReader& memory, std::uint64_t bias)
      : memory_(memory), bias_(bias), begins_(function_begins(elf)) {
    for (const ElfSegment& segment : elf.segments()) {
      lowest_ = std::min(lowest_, segment.address);
      highest_ = std::max(highest_, segment.address + segment.memory_size);
    }
  }

  [[nodiscard]] std::optional<NamedFunction> method_of(const MethodRow& row) {
    if (row.flags == 0 || (row.flags & ~known_flags) != 0) return std::nullopt;
    if (!is_inside(row.name) || (row.doc != 0 && !is_inside(row.doc))) return std::nullopt;
    const std::uint64_t begin = row.function - bias_;
    const auto found = std::ranges::lower_bound(begins_, begin);
    if (found == begins_.end() || *found != begin || found + 1 == begins_.end()) {
      return std::nullopt;
    }
    auto name = name_at(RemoteAddress{row.name});
    if (!name) return std::nullopt;
    return NamedFunction{begin, *(found + 1), *name + "()"};
  }

 private:
  [[nodiscard]] bool is_inside(std::uint64_t address) const {
    return address - bias_ >= lowest_ && address - bias_ < highest_;
  }

  [[nodiscard]] std::optional<std::string> name_at(RemoteAddress at) {
    std::array<char, longest_name> bytes{};
    if (!memory_.read(at, std::as_writable_bytes(std::span{bytes}))) return std::nullopt;
    const std::string_view text{bytes.data(), bytes.size()};
    const std::string_view name = text.substr(0, text.find('\0'));
    const auto is_part = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    if (name.empty() || name.size() == text.size() || !std::ranges::all_of(name, is_part) ||
        std::isdigit(static_cast<unsigned char>(name.front())) != 0) {
      return std::nullopt;
    }
    return std::string{name};
  }

  MemoryReader& memory_;
  std::uint64_t bias_;
  std::vector<std::uint64_t> begins_;
  std::uint64_t lowest_ = UINT64_MAX;
  std::uint64_t highest_ = 0;
};

}  // namespace

std::vector<std::uint64_t> function_begins(const ElfFile& elf) {
  std::vector<std::uint64_t> begins;
  const auto section = elf.section(".eh_frame_hdr");
  const std::vector<std::byte> bytes = elf.section_bytes(".eh_frame_hdr");
  const auto header = load<std::array<std::uint8_t, 4>>(bytes, 0);
  if (!section || !header || *header != usual_header) return begins;
  for (std::uint64_t at = rows_at; at + row_size <= bytes.size(); at += row_size) {
    const auto offset = load<std::int32_t>(bytes, at);
    begins.push_back(section->address +
                     static_cast<std::uint64_t>(std::int64_t{offset.value_or(0)}));
  }
  std::ranges::sort(begins);
  return begins;
}

std::vector<NamedFunction> find_methods(const ElfFile& elf, MemoryReader& memory,
                                        std::uint64_t bias) {
  std::vector<NamedFunction> methods;
  Image image{elf, memory, bias};
  for (const ElfSegment& segment : elf.segments()) {
    std::vector<std::byte> bytes(std::min(segment.file_size, max_segment));
    if (!memory.read(RemoteAddress{segment.address + bias}, bytes)) continue;
    // Rows lie at multiples of a word in memory.
    for (std::uint64_t at = (0 - segment.address) % word; at + sizeof(MethodRow) <= bytes.size();
         at += word) {
      const auto row = load<MethodRow>(bytes, at);
      auto method = row ? image.method_of(*row) : std::nullopt;
      if (!method) continue;
      methods.push_back(std::move(*method));
      if (methods.size() == max_methods) return methods;
    }
  }
  return methods;
}

}  // namespace gilspy
