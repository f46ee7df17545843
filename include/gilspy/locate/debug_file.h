#pragma once

#include <optional>
#include <string>

#include "gilspy/locate/binaries.h"

namespace gilspy {

/// The file that has the symbols of a stripped one.
struct DebugFile {
  ElfFile elf;
  std::string path;  ///< below the target's root
  std::string by;    ///< "build id" or "debug link"
};

/// Where distributions put the symbols of a build id.
[[nodiscard]] std::optional<std::string> debug_path_of(std::string_view build_id);
/// Where a debug link is looked for, as gdb does ("Separate Debug Files" in its manual); nowhere
/// for a link that is no plain file name.
[[nodiscard]] std::vector<std::string> debug_paths_of(const DebugLink& link,
                                                      std::string_view binary_path);

/// Looks for it below the target's root, by build id and then by debug link, and takes only one
/// that belongs to this very file.
[[nodiscard]] std::optional<DebugFile> find_debug_file(const ProcDir& process, const Binary& binary,
                                                       const ElfFile& elf);

}  // namespace gilspy
