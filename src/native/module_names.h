#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "gilspy/base/memory_reader.h"
#include "gilspy/elf/function_names.h"
#include "gilspy/elf/source_lines.h"
#include "gilspy/locate/binaries.h"
#include "gilspy/os/proc.h"

namespace gilspy {

/// Where a file's code was written. Most files' debug information is never asked for, and it takes
/// long to read: so it is opened at the first question. For the thread that reads names, alone.
class ModuleLines {
 public:
  using Open = std::function<std::optional<SourceLines>()>;

  explicit ModuleLines(Open open) : open_(std::move(open)) {}
  /// By the address as linked.
  [[nodiscard]] std::optional<SourceFunction> function_at(std::uint64_t address);

 private:
  Open open_;  // empty once it was opened
  std::optional<SourceLines> lines_;
};

/// The functions of a mapped file.
struct ModuleNames {
  FunctionNames functions;
  std::uint64_t bias = 0;              ///< what to add to a linked address to get the target's
  bool interpreter = false;            ///< it is the one with the eval loop
  std::shared_ptr<ModuleLines> lines;  ///< null where there can be none
};

/// Reads them from the file that is mapped, and from the one that has its symbols where it is
/// stripped. Of what cannot be read there are no names.
[[nodiscard]] ModuleNames read_module_names(const ProcDir& process, MemoryReader& memory,
                                            Binary file);

}  // namespace gilspy
