#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/locate/binaries.h"
#include "gilspy/os/proc.h"

namespace gilspy {

/// A table that leads from an address in a module's code to the description of the frame there:
/// .eh_frame_hdr (Linux Standard Base Core, 10.6.2), which stripped files have as well.
struct FrameTable {
  RemoteAddress header;  ///< its offsets count from here
  RemoteAddress rows;    ///< pairs of such offsets, 4 bytes each: code, description
  std::uint64_t count = 0;
};

/// A file whose code a process has mapped, or code that no file has.
struct Module {
  Binary file;
  std::vector<RemoteRange> code;
  std::optional<FrameTable> frames;

  /// Whether the process has made it itself, or has it in memory that only looks like a file: it is
  /// a JIT's, most likely.
  [[nodiscard]] bool is_generated() const;
};

/// What code lies where in a process, and the bytes of what it maps and cannot change. Only what is
/// mapped counts: the files may be gone, or lie in another mount namespace.
class CodeMap {
 public:
  explicit CodeMap(MemoryReader& memory) : memory_(memory) {}

  /// Takes the mappings as they are now. True when code has come or gone.
  bool update(std::vector<Mapping> maps);

  [[nodiscard]] const std::vector<Module>& modules() const { return modules_; }
  /// The module that has code here; null when none has. Good until update() says true.
  [[nodiscard]] const Module* module_at(RemoteAddress code) const;
  /// Where the function around this address begins, by the module's frame table.
  [[nodiscard]] std::optional<RemoteAddress> function_begin(const Module& module,
                                                            RemoteAddress code);
  /// What is mapped here, code or not.
  [[nodiscard]] const Mapping* mapping_at(RemoteAddress at) const;
  /// Eight bytes out of what is mapped from files: kept where the process cannot write to them.
  /// Nothing of stacks and heaps.
  [[nodiscard]] std::optional<std::uint64_t> word_at(RemoteAddress at);

 private:
  using Page = std::vector<std::byte>;

  void find_modules();
  [[nodiscard]] std::optional<FrameTable> frame_table_of(const Binary& file);
  [[nodiscard]] const Page* page_at(std::uint64_t number);

  MemoryReader& memory_;
  std::vector<Mapping> maps_;
  std::vector<Module> modules_;
  std::vector<std::pair<RemoteRange, std::size_t>> code_;  // by address, with its module
  std::unordered_map<std::uint64_t, Page> pages_;          // empty: unreadable
};

}  // namespace gilspy
