#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gilspy/elf/elf_file.h"
#include "gilspy/elf/loaded_elf.h"
#include "gilspy/os/proc.h"

namespace gilspy {

/// A mapped file that may hold a CPython. A file that is loaded twice (dlmopen) is two of them.
struct Binary {
  std::string path;         ///< as /proc/PID/maps has it
  bool is_executable_file;  ///< the process's own program, not a library
  Mapping first;            ///< the mapping with the lowest file offset
};

/// The program itself and every libpython, libraries first: where there is one, the program is only
/// its launcher.
[[nodiscard]] std::vector<Binary> candidate_binaries(const ProcDir& process,
                                                     const std::vector<Mapping>& maps);

/// Its names below the target's root, best first: for a process in a chroot, maps has the name from
/// outside of it.
[[nodiscard]] std::vector<std::string> names_in_root(const ProcDir& process, const Binary& binary);

/// Opens the very file that is mapped, even when it was deleted or replaced on disk since, and seen
/// from the target's own mount namespace. `loaded`: what lies in memory, to compare with.
[[nodiscard]] std::optional<ElfFile> open_binary(const ProcDir& process, const Binary& binary,
                                                 const std::optional<LoadedElf>& loaded);

/// What to add to a linked address to get the target's; nothing when file and mapping do not fit.
[[nodiscard]] std::optional<std::uint64_t> load_bias(const ElfFile& elf, const Mapping& first);

}  // namespace gilspy
