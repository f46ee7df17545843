#include "gilspy/locate/debug_file.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "gilspy/os/target_root.h"

namespace gilspy {
namespace {

constexpr std::string_view debug_folder = "/usr/lib/debug";

std::optional<ElfFile> open_elf(const ProcDir& process, const std::string& path) {
  UniqueFd file = open_in_root(process, path);
  if (!file) return std::nullopt;
  return ElfFile::open(std::move(file));
}

std::optional<DebugFile> by_build_id(const ProcDir& process, const ElfFile& elf) {
  const std::string id = elf.build_id();
  const auto path = debug_path_of(id);
  if (!path) return std::nullopt;
  auto debug = open_elf(process, *path);
  if (!debug || debug->build_id() != id) return std::nullopt;
  return DebugFile{std::move(*debug), *path, "build id"};
}

std::optional<DebugFile> by_link(const ProcDir& process, const Binary& binary, const ElfFile& elf) {
  const auto link = elf.debug_link();
  if (!link) return std::nullopt;
  for (const std::string& name : names_in_root(process, binary)) {
    for (const std::string& path : debug_paths_of(*link, name)) {
      auto debug = open_elf(process, path);
      if (!debug || debug->build_id() != elf.build_id()) continue;
      if (debug->checksum() != link->checksum) continue;
      return DebugFile{std::move(*debug), path, "debug link"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> debug_path_of(std::string_view build_id) {
  if (build_id.size() < 4) return std::nullopt;
  return fmt::format("{}/.build-id/{}/{}.debug", debug_folder, build_id.substr(0, 2),
                     build_id.substr(2));
}

std::vector<std::string> debug_paths_of(const DebugLink& link, std::string_view binary_path) {
  const auto slash = binary_path.rfind('/');
  if (slash == std::string_view::npos || link.name.find('/') != std::string::npos) return {};
  const std::string_view folder = binary_path.substr(0, slash);
  return {fmt::format("{}/{}", folder, link.name), fmt::format("{}/.debug/{}", folder, link.name),
          fmt::format("{}{}/{}", debug_folder, folder, link.name)};
}

std::optional<DebugFile> find_debug_file(const ProcDir& process, const Binary& binary,
                                         const ElfFile& elf) {
  if (auto found = by_build_id(process, elf)) return found;
  return by_link(process, binary, elf);
}

}  // namespace gilspy
