#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/elf/elf_file.h"
#include "gilspy/elf/function_names.h"

namespace gilspy {

/// Where the rest of a function lies that a compiler has split in two, by how often its code runs
/// (GCC's -freorder-blocks-and-partition): in a stripped file that part has no name. Several
/// conditional jumps of the function lead there, and to no other function: that is how it is found.
/// It is called like the function. `bias` is what to add to a linked address to get the target's.
[[nodiscard]] std::vector<NamedFunction> find_split_parts(const ElfFile& elf, MemoryReader& memory,
                                                          std::uint64_t bias,
                                                          std::string_view function);

/// The same of code that is at hand: `begins` are where functions begin, in order.
[[nodiscard]] std::vector<NamedFunction> find_split_parts(std::span<const std::byte> code,
                                                          std::uint64_t at,
                                                          std::span<const std::uint64_t> begins,
                                                          std::string_view function);

}  // namespace gilspy
