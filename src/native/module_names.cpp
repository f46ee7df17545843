#include "module_names.h"

#include <sys/mman.h>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "gilspy/elf/elf_file.h"
#include "gilspy/elf/loaded_elf.h"
#include "gilspy/locate/debug_file.h"
#include "gilspy/native/merge.h"
#include "method_names.h"
#include "split_functions.h"

namespace gilspy {
namespace {

/// More than the kernel's own code has.
constexpr std::uint64_t max_vdso = 1U << 20;

/// The code that the kernel maps into every process is in no file, but whole in memory.
std::optional<ElfFile> open_vdso(MemoryReader& memory, const RemoteRange& range) {
  if (range.size() > max_vdso) return std::nullopt;
  std::vector<std::byte> bytes(range.size());
  if (!memory.read(range.begin, bytes)) return std::nullopt;
  UniqueFd copy{::memfd_create("gilspy-vdso", MFD_CLOEXEC)};
  if (!copy) return std::nullopt;
  const ssize_t written = ::write(copy.get(), bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size())) return std::nullopt;
  return ElfFile::open(std::move(copy));
}

std::optional<ElfFile> open_module(const ProcDir& process, MemoryReader& memory,
                                   const Binary& file) {
  return open_binary(process, file, LoadedElf::read(memory, file.first.range.begin));
}

/// From the file itself, or from the one that has its symbols.
std::optional<SourceLines> open_lines(const ProcDir& process, MemoryReader& memory,
                                      const Binary& file) {
  auto elf = open_module(process, memory, file);
  if (!elf) return std::nullopt;
  if (elf->section(".debug_info")) return SourceLines::open(std::move(*elf));
  auto debug = find_debug_file(process, file, *elf);
  return debug ? SourceLines::open(std::move(debug->elf)) : std::nullopt;
}

}  // namespace

std::optional<SourceFunction> ModuleLines::function_at(std::uint64_t address) {
  if (const Open open = std::exchange(open_, nullptr)) lines_ = open();
  return lines_ ? lines_->function_at(address) : std::nullopt;
}

ModuleNames read_module_names(const ProcDir& process, MemoryReader& memory, Binary file) {
  ModuleNames names;
  file.is_executable_file = file.path == process.link("exe");
  const bool vdso = file.path == "[vdso]";
  const auto elf = vdso ? open_vdso(memory, file.first.range) : open_module(process, memory, file);
  if (!elf) return names;
  const auto bias = load_bias(*elf, file.first);
  if (!bias) return names;
  names.bias = *bias;
  names.functions.add(*elf);
  names.interpreter = elf->symbol(eval_loop_name).has_value();
  if (vdso) return names;
  if (elf->stripped()) {
    if (const auto debug = find_debug_file(process, file, *elf)) names.functions.add(debug->elf);
    // Debian's 3.13 to 3.15 have most of the eval loop in another place.
    names.functions.add(find_split_parts(*elf, memory, *bias, eval_loop_name));
    names.functions.add(find_methods(*elf, memory, *bias));
  }
  names.lines = std::make_shared<ModuleLines>(
      [&process, &memory, file] { return open_lines(process, memory, file); });
  return names;
}

}  // namespace gilspy
