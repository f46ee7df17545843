#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "binaries.h"
#include "gilspy/locate/target.h"
#include "version_text.h"

namespace gilspy {
namespace {

using Kind = LocateFailure::Kind;

tl::unexpected<LocateFailure> failure(Kind kind, std::string what) {
  return tl::make_unexpected(LocateFailure{kind, std::move(what)});
}

/// The head of _Py_DebugOffsets, at the start of _PyRuntime from 3.13 on
/// (Include/internal/pycore_debug_offsets.h).
struct DebugHead {
  std::array<char, 8> cookie;
  std::uint64_t version;
  std::uint64_t free_threaded;
};
constexpr std::string_view debug_cookie = "xdebugpy";

struct Candidate {
  RemoteAddress runtime;
  Version version;
  bool free_threaded = false;
  std::string how;
};

/// {} when the file does not tell.
Version version_of(const ElfFile& elf, std::string_view path) {
  // Include/pylifecycle.h, 3.11 on.
  if (const auto symbol = elf.symbol("Py_Version")) {
    if (const auto hex = elf.value_at(symbol->address, 4)) return Version::from_hex(*hex);
  }
  const auto minor = minor_in_name(path);
  if (const auto version = version_in_strings(elf.section_bytes(".rodata"), minor)) return *version;
  return minor ? Version{3, *minor, 0} : Version{};
}

std::optional<Candidate> find_runtime(const ElfFile& elf, std::uint64_t bias,
                                      std::string_view path) {
  Candidate candidate;
  if (const auto symbol = elf.symbol("_PyRuntime")) {
    candidate.runtime = RemoteAddress{symbol->address + bias};
    candidate.how = "symbol _PyRuntime";
  } else if (const auto section = elf.section(".PyRuntime")) {
    candidate.runtime = RemoteAddress{section->address + bias};
    candidate.how = "section .PyRuntime";
  } else {
    return std::nullopt;
  }
  candidate.version = version_of(elf, path);
  return candidate;
}

/// From 3.13 on the runtime says itself what it is.
void ask_the_runtime(MemoryReader& memory, Candidate& candidate) {
  const auto head = memory.read_value<DebugHead>(candidate.runtime);
  if (!head || std::string_view{head->cookie.data(), head->cookie.size()} != debug_cookie) return;
  candidate.version = Version::from_hex(head->version);
  candidate.free_threaded = head->free_threaded != 0;
}

/// Follows the runtime to its main interpreter and that one's first thread, and back.
bool leads_to_a_thread(MemoryReader& memory, const Layout& layout, RemoteAddress runtime) {
  const auto interpreter = memory.read_pointer(layout.at.runtime.interpreters_main.in(runtime));
  if (!interpreter || interpreter->is_null()) return false;
  const auto thread = memory.read_pointer(layout.at.interpreter.threads_head.in(*interpreter));
  if (!thread || thread->is_null()) return false;
  const auto back = memory.read_pointer(layout.at.thread.interp.in(*thread));
  return back && *back == *interpreter;
}

tl::expected<Target, LocateFailure> accept(const ProcDir& process, MemoryReader& memory,
                                           const Binary& binary, Candidate candidate) {
  ask_the_runtime(memory, candidate);
  if (candidate.version == Version{}) {
    return failure(Kind::unsupported,
                   fmt::format("{} holds a CPython that does not tell its version; supported: {}",
                               binary.path, supported_versions()));
  }
  const Layout* layout = layout_for(candidate.version, candidate.free_threaded);
  if (layout == nullptr) {
    return failure(
        Kind::unsupported,
        fmt::format("CPython {}{} ({}) is not supported; supported: {}", candidate.version.text(),
                    candidate.free_threaded ? " free-threaded" : "", binary.path,
                    supported_versions()));
  }
  if (!leads_to_a_thread(memory, *layout, candidate.runtime)) {
    return failure(Kind::not_ready,
                   fmt::format("the CPython {} in {} has no running interpreter (yet)",
                               candidate.version.text(), binary.path));
  }
  return Target{process.pid(),     candidate.version, layout,
                candidate.runtime, binary.path,       candidate.how};
}

}  // namespace

tl::expected<Target, LocateFailure> locate_python(const ProcDir& process, MemoryReader& memory) {
  int error = 0;
  const auto text = process.read("maps", error);
  if (!text && (error == ESRCH || error == ENOENT))
    return failure(Kind::gone, "the process has ended");
  if (!text) return failure(Kind::denied, "its memory map cannot be read");
  const auto maps = parse_maps(*text);
  if (maps.empty() && !process.alive()) return failure(Kind::gone, "the process has ended");

  auto best = LocateFailure{Kind::not_python, "no CPython in it"};
  for (const Binary& binary : candidate_binaries(process, maps)) {
    const auto elf = open_binary(process, binary);
    const auto bias = elf ? load_bias(*elf, binary.first) : std::nullopt;
    auto candidate = bias ? find_runtime(*elf, *bias, binary.path) : std::nullopt;
    if (!candidate) continue;
    auto target = accept(process, memory, binary, std::move(*candidate));
    if (target) return target;
    best = target.error();
  }
  return tl::make_unexpected(best);
}

}  // namespace gilspy
