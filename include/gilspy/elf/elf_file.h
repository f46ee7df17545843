#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gilspy/base/unique_fd.h"

namespace gilspy {

struct ElfSymbol {
  std::uint64_t address = 0;  ///< as linked; add the load bias
  std::uint64_t size = 0;
};

struct ElfSection {
  std::uint64_t address = 0;  ///< as linked
  std::uint64_t size = 0;
};

/// A loadable segment.
struct ElfSegment {
  std::uint64_t address = 0;
  std::uint64_t offset = 0;
  std::uint64_t file_size = 0;
  std::uint64_t memory_size = 0;
};

/// Where the symbols of a stripped file went: .gnu_debuglink (binutils, bfd/opncls.c).
struct DebugLink {
  std::string name;        ///< of the file, as it stands there; hostile
  std::uint32_t checksum;  ///< CRC-32 of its content
};

/// What gilspy asks of an ELF file. Damaged files give fewer answers, not errors.
class ElfFile {
 public:
  /// Nothing when it is not a 64-bit x86-64 ELF executable or shared object.
  [[nodiscard]] static std::optional<ElfFile> open(UniqueFd file);
  ElfFile(ElfFile&&) noexcept;
  ElfFile& operator=(ElfFile&&) noexcept;
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;
  ~ElfFile();

  /// Looks in .symtab and .dynsym.
  [[nodiscard]] std::optional<ElfSymbol> symbol(std::string_view name) const;
  /// Calls with the name of every function of .symtab, or of .dynsym where there is none, and
  /// whether it is seen from outside of the file.
  void visit_functions(
      const std::function<void(std::string_view, const ElfSymbol&, bool)>& visit) const;
  [[nodiscard]] std::optional<ElfSection> section(std::string_view name) const;
  /// The bytes of a section as they are in the file; empty when it has none there, or more than 64
  /// MB.
  [[nodiscard]] std::vector<std::byte> section_bytes(std::string_view name) const;
  [[nodiscard]] const std::vector<ElfSegment>& segments() const;
  /// Bytes of the file that are mapped at a linked address (.rodata and the like).
  [[nodiscard]] std::optional<std::uint64_t> value_at(std::uint64_t address,
                                                      std::size_t size) const;
  /// Lower-case hex; empty when there is none.
  [[nodiscard]] std::string build_id() const;
  [[nodiscard]] std::optional<DebugLink> debug_link() const;
  /// Whether it has no symbol table (.symtab) beside the exported names.
  [[nodiscard]] bool stripped() const;
  /// Whether it runs at the addresses it was linked for: a program that is not PIE.
  [[nodiscard]] bool fixed_address() const;
  /// CRC-32 of the whole file; nothing when it cannot be read, or is larger than 1 GB.
  [[nodiscard]] std::optional<std::uint32_t> checksum() const;

 private:
  friend class SourceLines;
  class State;
  explicit ElfFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gilspy
