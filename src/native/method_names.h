#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/elf/elf_file.h"
#include "gilspy/elf/function_names.h"

namespace gilspy {

/// Where the functions of a file begin, as linked, by its frame descriptions (.eh_frame_hdr): known
/// for stripped files too.
[[nodiscard]] std::vector<std::uint64_t> function_begins(const ElfFile& elf);

/// Names C functions by the Python methods that they implement: the tables of these (PyMethodDef,
/// Include/methodobject.h) lie in a file's data, with the names, whatever was stripped of it. A row
/// counts when it leads to the very beginning of a function, and has a name and flags as they must
/// be. "sort()" for the one of list.sort.
[[nodiscard]] std::vector<NamedFunction> find_methods(const ElfFile& elf, MemoryReader& memory,
                                                      std::uint64_t bias);

}  // namespace gilspy
