#include "binaries.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

namespace gilspy {
namespace {

constexpr std::uint64_t page_mask = ~std::uint64_t{4095};

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// A regular file that is the mapped one; anything else (a FIFO put in its place) is not read.
bool is_the_mapped_file(const UniqueFd& file, const Mapping& mapping) {
  struct stat info{};
  return file && ::fstat(file.get(), &info) == 0 && S_ISREG(info.st_mode) &&
         info.st_ino == mapping.inode;
}

UniqueFd open_mapped(const ProcDir& process, const Binary& binary) {
  const RemoteRange range = binary.first.range;
  // map_files opens the inode itself, whatever happened to its name, but needs
  // CAP_CHECKPOINT_RESTORE.
  const std::vector<std::string> ways{
      fmt::format("map_files/{:x}-{:x}", range.begin.value(), range.end.value()),
      binary.is_executable_file ? std::string("exe") : "root" + binary.path,
  };
  for (const std::string& way : ways) {
    UniqueFd file = process.open_file(way);
    if (is_the_mapped_file(file, binary.first)) return file;
  }
  return UniqueFd{};
}

}  // namespace

std::vector<Binary> candidate_binaries(const ProcDir& process, const std::vector<Mapping>& maps) {
  const std::string program = process.link("exe").value_or("");
  std::vector<Binary> found;
  for (const Mapping& mapping : maps) {
    if (mapping.inode == 0 || mapping.path.empty()) continue;
    const bool is_program = mapping.path == program;
    if (!is_program && !base_name(mapping.path).starts_with("libpython")) continue;
    const auto same = std::ranges::find_if(
        found, [&](const Binary& binary) { return binary.first.inode == mapping.inode; });
    if (same == found.end()) {
      found.push_back({mapping.path, is_program, mapping});
    } else if (mapping.offset < same->first.offset) {
      same->first = mapping;
    }
  }
  std::ranges::stable_partition(found, [](const Binary& b) { return !b.is_executable_file; });
  return found;
}

std::optional<ElfFile> open_binary(const ProcDir& process, const Binary& binary) {
  UniqueFd file = open_mapped(process, binary);
  if (!file) return std::nullopt;
  return ElfFile::open(std::move(file));
}

std::optional<std::uint64_t> load_bias(const ElfFile& elf, const Mapping& first) {
  for (const ElfSegment& segment : elf.segments()) {
    if ((segment.offset & page_mask) == first.offset) {
      return first.range.begin.value() - (segment.address & page_mask);
    }
  }
  return std::nullopt;
}

}  // namespace gilspy
