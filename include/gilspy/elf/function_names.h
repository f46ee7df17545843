#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gilspy/elf/elf_file.h"

namespace gilspy {

/// A function's place, as linked, and what it is called.
struct NamedFunction {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string name;
};

/// The names of a file's functions, by where they lie.
class FunctionNames {
 public:
  FunctionNames() = default;

  /// Adds those of .symtab, or of .dynsym where the file is stripped. What is known already stays.
  void add(const ElfFile& file);
  /// Adds others. What is known already stays, here too.
  void add(std::span<const NamedFunction> functions);

  struct Function {
    std::uint64_t begin = 0;  ///< as linked
    std::uint64_t end = 0;
    std::string_view name;  ///< as it stands in the file; lives as long as this
  };
  /// The function around an address; without a name when none is known.
  [[nodiscard]] Function at(std::uint64_t address) const;
  [[nodiscard]] std::size_t size() const { return functions_.size(); }

 private:
  struct Entry {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint32_t name = 0;  ///< in names_
    std::uint32_t length = 0;
  };
  struct Found {
    Entry entry;
    bool global = false;
    bool known = false;
  };
  [[nodiscard]] std::vector<Found> known() const;
  void put(std::vector<Found>& found, std::string_view name, std::uint64_t begin, std::uint64_t end,
           bool global);
  void settle(std::vector<Found> found);

  std::vector<Entry> functions_;
  std::string names_;
};

/// A function's name as people know it: C++ names spelt out, without what a compiler or a linker
/// has put behind it for its copies and parts (".isra.0", ".cold", "@@GLIBC_2.17"), and no longer
/// than a line.
[[nodiscard]] std::string readable_name(std::string_view name);

}  // namespace gilspy
