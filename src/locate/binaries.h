#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gilspy/elf/elf_file.h"
#include "gilspy/os/proc.h"

namespace gilspy {

/// A mapped file that may hold a CPython.
struct Binary {
  std::string path;         ///< as the target sees it
  bool is_executable_file;  ///< the process's own program, not a library
  Mapping first;            ///< the mapping with the lowest file offset
};

/// The program itself and every libpython, libraries first: where there is one, the program is only
/// its launcher.
[[nodiscard]] std::vector<Binary> candidate_binaries(const ProcDir& process,
                                                     const std::vector<Mapping>& maps);

/// Opens the very file that is mapped, even when it was deleted or replaced on disk since, and seen
/// from the target's own mount namespace.
[[nodiscard]] std::optional<ElfFile> open_binary(const ProcDir& process, const Binary& binary);

/// What to add to a linked address to get the target's; nothing when file and mapping do not fit.
[[nodiscard]] std::optional<std::uint64_t> load_bias(const ElfFile& elf, const Mapping& first);

}  // namespace gilspy
