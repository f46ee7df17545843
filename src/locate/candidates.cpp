#include "candidates.h"

#include <fmt/format.h>

#include <algorithm>

#include "gilspy/locate/debug_file.h"
#include "version_text.h"

namespace gilspy {
namespace {

constexpr std::string_view runtime_symbol = "_PyRuntime";
constexpr std::string_view runtime_section = ".PyRuntime";
constexpr std::string_view version_symbol = "Py_Version";  // Include/pylifecycle.h, 3.11 on

/// More read-only or writable data than any libpython has.
constexpr std::uint64_t max_scanned = 64U << 20;
/// The structs of CPython are aligned to at least a pointer.
constexpr std::size_t runtime_alignment = 8;
/// How often the cookie is looked at more closely; the code that compares it has it as well.
constexpr std::size_t max_cookies = 16;

Version version_in_texts(std::span<const std::byte> texts, std::string_view path) {
  const auto minor = minor_in_name(path);
  if (const auto version = version_in_strings(texts, minor)) return *version;
  return minor ? Version{3, *minor, 0} : Version{};
}

/// {} when the file does not tell. `symbols` is the file itself, or the one that has its symbols.
Version version_of(const ElfFile& elf, const ElfFile& symbols, std::string_view path) {
  if (const auto symbol = symbols.symbol(version_symbol)) {
    if (const auto hex = elf.value_at(symbol->address, 4)) return Version::from_hex(*hex);
  }
  return version_in_texts(elf.section_bytes(".rodata"), path);
}

std::vector<Candidate> in_file(const ProcDir& process, const Binary& binary, const ElfFile& elf,
                               std::uint64_t bias) {
  if (const auto symbol = elf.symbol(runtime_symbol)) {
    return {{RemoteAddress{symbol->address + bias}, version_of(elf, elf, binary.path), false,
             "symbol _PyRuntime"}};
  }
  if (const auto section = elf.section(runtime_section)) {
    return {{RemoteAddress{section->address + bias}, version_of(elf, elf, binary.path), false,
             "section .PyRuntime"}};
  }
  if (!elf.stripped()) return {};
  const auto debug = find_debug_file(process, binary, elf);
  const auto symbol = debug ? debug->elf.symbol(runtime_symbol) : std::nullopt;
  if (!symbol) return {};
  return {{RemoteAddress{symbol->address + bias}, version_of(elf, debug->elf, binary.path), false,
           fmt::format("symbol _PyRuntime of {}, by {}", debug->path, debug->by)}};
}

/// The mapped parts of the file that can be written to, or those that cannot.
std::vector<RemoteRange> parts_of(const std::vector<Mapping>& maps, const Binary& binary,
                                  bool writable) {
  std::vector<RemoteRange> parts;
  for (const Mapping& mapping : maps) {
    if (mapping.inode == binary.first.inode && mapping.path == binary.path && mapping.readable &&
        mapping.writable == writable && mapping.range.size() <= max_scanned) {
      parts.push_back(mapping.range);
    }
  }
  return parts;
}

std::vector<std::byte> bytes_of(MemoryReader& memory, const RemoteRange& part) {
  std::vector<std::byte> bytes(part.size());
  if (!memory.read(part.begin, bytes)) bytes.clear();
  return bytes;
}

Version version_in_memory(MemoryReader& memory, const std::vector<Mapping>& maps,
                          const Binary& binary, const LoadedElf& loaded) {
  if (const auto symbol = loaded.symbol(version_symbol)) {
    if (const auto hex = memory.read_value<std::uint32_t>(*symbol)) return Version::from_hex(*hex);
  }
  for (const RemoteRange& part : parts_of(maps, binary, false)) {
    const Version version = version_in_texts(bytes_of(memory, part), "");
    if (version != Version{}) return version;
  }
  return version_in_texts({}, binary.path);
}

/// For a file that cannot be opened any more.
std::vector<Candidate> in_memory(MemoryReader& memory, const std::vector<Mapping>& maps,
                                 const Binary& binary, const LoadedElf& loaded) {
  const auto runtime = loaded.symbol(runtime_symbol);
  if (!runtime) return {};
  return {{*runtime, version_in_memory(memory, maps, binary, loaded), false,
           "symbol _PyRuntime in memory"}};
}

/// From 3.13 on _PyRuntime begins with a cookie: what is left when even the sections are gone.
std::vector<Candidate> by_cookie(MemoryReader& memory, const std::vector<Mapping>& maps,
                                 const Binary& binary) {
  std::vector<Candidate> found;
  for (const RemoteRange& part : parts_of(maps, binary, true)) {
    const auto bytes = bytes_of(memory, part);
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    for (auto at = text.find(debug_cookie); at < text.size() && found.size() < max_cookies;
         at = text.find(debug_cookie, at + 1)) {
      if (at % runtime_alignment != 0) continue;
      found.push_back({part.begin + at, {}, false, "cookie xdebugpy"});
    }
  }
  return found;
}

std::string kind_of(const Binary& binary, const std::optional<ElfFile>& elf) {
  std::string kind = binary.is_executable_file ? "static" : "shared";
  if (elf && binary.is_executable_file) kind += elf->fixed_address() ? ", not PIE" : ", PIE";
  if (elf) return kind + (elf->stripped() ? ", stripped" : "");
  return kind + ", file gone";
}

}  // namespace

Candidates find_candidates(const ProcDir& process, MemoryReader& memory,
                           const std::vector<Mapping>& maps, const Binary& binary) {
  const auto loaded = LoadedElf::read(memory, binary.first.range.begin);
  const auto elf = open_binary(process, binary, loaded);
  Candidates found;
  found.kind = kind_of(binary, elf);
  const auto bias = elf ? load_bias(*elf, binary.first) : std::nullopt;
  if (bias) found.runtimes = in_file(process, binary, *elf, *bias);
  if (!elf && loaded) found.runtimes = in_memory(memory, maps, binary, *loaded);
  // A file that has sections, but none for the runtime, has no cookie either.
  if (found.runtimes.empty() && !(elf && elf->section(".text"))) {
    found.runtimes = by_cookie(memory, maps, binary);
  }
  found.python_without_runtime = found.runtimes.empty() && elf && elf->symbol("Py_Initialize");
  return found;
}

}  // namespace gilspy
