#pragma once

#include <cstdint>

#include "gilspy/base/memory_reader.h"
#include "gilspy/elf/function_names.h"
#include "gilspy/locate/binaries.h"
#include "gilspy/os/proc.h"

namespace gilspy {

/// The functions of a mapped file.
struct ModuleNames {
  FunctionNames functions;
  std::uint64_t bias = 0;    ///< what to add to a linked address to get the target's
  bool interpreter = false;  ///< it is the one with the eval loop
};

/// Reads them from the file that is mapped, and from the one that has its symbols where it is
/// stripped. Of what cannot be read there are no names.
[[nodiscard]] ModuleNames read_module_names(const ProcDir& process, MemoryReader& memory,
                                            Binary file);

}  // namespace gilspy
