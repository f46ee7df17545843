#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gilspy/elf/elf_file.h"

namespace gilspy {

/// Where a function is written.
struct SourceFunction {
  struct Row {
    std::uint64_t begin = 0;
    std::uint32_t line = 0;
  };
  std::string file;              ///< as the compiler was told, with its folder
  std::uint32_t first_line = 0;  ///< where it is declared; 0 when not known
  std::uint64_t begin = 0;       ///< as linked, like all addresses here
  std::uint64_t end = 0;
  std::vector<Row> rows;  ///< from each on code is of that line; by address

  /// The line of it that is executed there; 0 when not known.
  [[nodiscard]] std::uint32_t line_at(std::uint64_t address) const;
};

/// Where code was written, by a file's debug information (DWARF). For one thread at a time.
class SourceLines {
 public:
  /// Nothing when the file has none, or more than anybody could wait for.
  [[nodiscard]] static std::optional<SourceLines> open(ElfFile elf);
  SourceLines(SourceLines&&) noexcept;
  SourceLines& operator=(SourceLines&&) noexcept;
  SourceLines(const SourceLines&) = delete;
  SourceLines& operator=(const SourceLines&) = delete;
  ~SourceLines();

  /// The function around an address, with its lines: where another function was put in place
  /// (inlined), the line that calls it.
  [[nodiscard]] std::optional<SourceFunction> function_at(std::uint64_t address);

 private:
  class State;
  explicit SourceLines(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace gilspy
