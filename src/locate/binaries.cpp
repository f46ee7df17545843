#include "gilspy/locate/binaries.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include "gilspy/os/target_root.h"

namespace gilspy {
namespace {

constexpr std::uint64_t page_mask = ~std::uint64_t{4095};
/// A process can map one file as often as it likes.
constexpr std::size_t max_binaries = 64;
/// What maps adds to the name of a file that was deleted or replaced (fs/d_path.c).
constexpr std::string_view deleted_mark = " (deleted)";

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// A file found by its name is believed when it is the mapped one, or has the same build id: on
/// overlayfs and btrfs maps has other inode numbers than stat(2).
bool is_the_mapped_file(const UniqueFd& file, const Mapping& mapping) {
  struct stat info{};
  return file && ::fstat(file.get(), &info) == 0 && info.st_ino == mapping.inode;
}

std::optional<ElfFile> open_elf(UniqueFd file) {
  if (!file) return std::nullopt;
  return ElfFile::open(std::move(file));
}

std::optional<ElfFile> open_by_name(const ProcDir& process, const Binary& binary,
                                    const std::optional<LoadedElf>& loaded) {
  for (const std::string& name : names_in_root(process, binary)) {
    UniqueFd file = open_in_root(process, name);
    const bool same_inode = is_the_mapped_file(file, binary.first);
    auto elf = open_elf(std::move(file));
    if (!elf) continue;
    const bool same_build =
        loaded && !loaded->build_id().empty() && loaded->build_id() == elf->build_id();
    if (same_inode || same_build) return elf;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Binary> candidate_binaries(const ProcDir& process, const std::vector<Mapping>& maps) {
  const std::string program = process.link("exe").value_or("");
  std::vector<Binary> found;
  for (const Mapping& mapping : maps) {
    if (mapping.inode == 0 || mapping.path.empty()) continue;
    const bool is_program = mapping.path == program;
    if (!is_program && !base_name(mapping.path).starts_with("libpython")) continue;
    const auto is_same = [&](const Binary& binary) {
      return binary.first.inode == mapping.inode && binary.path == mapping.path;
    };
    const auto same = std::ranges::find_if(found, is_same);
    if (same != found.end() && mapping.offset > same->first.offset) continue;
    if (same != found.end() && mapping.offset < same->first.offset) std::erase_if(found, is_same);
    if (found.size() < max_binaries) found.push_back({mapping.path, is_program, mapping});
  }
  std::ranges::stable_partition(found, [](const Binary& b) { return !b.is_executable_file; });
  return found;
}

std::vector<std::string> names_in_root(const ProcDir& process, const Binary& binary) {
  std::string path = binary.path;
  if (path.ends_with(deleted_mark)) path.resize(path.size() - deleted_mark.size());
  std::vector<std::string> names{path};
  const std::string root = process.link("root").value_or("/");
  if (root != "/" && path.starts_with(root + "/")) names.push_back(path.substr(root.size()));
  return names;
}

std::optional<ElfFile> open_binary(const ProcDir& process, const Binary& binary,
                                   const std::optional<LoadedElf>& loaded) {
  // map_files opens the inode itself, whatever happened to its name, but needs
  // CAP_CHECKPOINT_RESTORE.
  const RemoteRange range = binary.first.range;
  const auto place = fmt::format("map_files/{:x}-{:x}", range.begin.value(), range.end.value());
  if (auto elf = open_elf(open_mapped_file(process, place))) return elf;
  if (!binary.is_executable_file) return open_by_name(process, binary, loaded);
  return open_elf(open_mapped_file(process, "exe"));
}

std::optional<std::uint64_t> load_bias(const ElfFile& elf, const Mapping& first) {
  for (const ElfSegment& segment : elf.segments()) {
    const std::uint64_t begin = segment.offset & page_mask;
    // The beginning of the file may be unmapped: then what is left starts somewhere inside.
    const std::uint64_t into = first.offset - begin;
    const std::uint64_t size = (segment.offset - begin) + segment.file_size;
    if (first.offset < begin || (into != 0 && into >= size)) continue;
    return first.range.begin.value() - into - (segment.address & page_mask);
  }
  return std::nullopt;
}

}  // namespace gilspy
