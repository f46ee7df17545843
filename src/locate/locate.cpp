#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "candidates.h"
#include "gilspy/locate/binaries.h"
#include "gilspy/locate/target.h"
#include "gilspy/python_offsets/debug_offsets.h"

namespace gilspy {
namespace {

using Kind = LocateFailure::Kind;

tl::unexpected<LocateFailure> failure(Kind kind, std::string what) {
  return tl::make_unexpected(LocateFailure{kind, std::move(what)});
}

constexpr std::size_t max_counted_threads = 4096;

/// The head of _Py_DebugOffsets, at the start of _PyRuntime from 3.13 on
/// (Include/internal/pycore_debug_offsets.h).
struct DebugHead {
  std::array<char, 8> cookie;
  std::uint64_t version;
  std::uint64_t free_threaded;
};

struct FoundLayout {
  std::shared_ptr<const Layout> layout;  ///< null: nothing leads to a thread
  std::string from;
};

/// From 3.13 on the runtime says itself what it is.
void ask_the_runtime(MemoryReader& memory, Candidate& candidate) {
  const auto head = memory.read_value<DebugHead>(candidate.runtime);
  if (!head || std::string_view{head->cookie.data(), head->cookie.size()} != debug_cookie) return;
  candidate.version = Version::from_hex(head->version);
  candidate.free_threaded = head->free_threaded != 0;
  candidate.debug_offsets = true;
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

/// What the target says of itself goes before the table, as long as it leads to a thread.
FoundLayout choose_layout(MemoryReader& memory, const Layout& table, const Candidate& candidate) {
  std::string refused;
  if (candidate.debug_offsets) {
    std::vector<std::byte> bytes(debug_offsets_size(table));
    if (memory.read(candidate.runtime, bytes)) {
      const auto told = apply_debug_offsets(table, bytes);
      if (told && leads_to_a_thread(memory, *told, candidate.runtime)) {
        return {std::make_shared<const Layout>(*told), "its debug offsets"};
      }
      refused = told ? "they lead to no thread" : told.error();
    }
  }
  if (!leads_to_a_thread(memory, table, candidate.runtime)) return {};
  return {std::make_shared<const Layout>(table),
          refused.empty()
              ? "the table of its version"
              : fmt::format("the table of its version; not its debug offsets: {}", refused)};
}

tl::expected<Target, LocateFailure> accept(const ProcDir& process, MemoryReader& memory,
                                           const Binary& binary, const std::string& kind,
                                           Candidate candidate) {
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
  FoundLayout found = choose_layout(memory, *layout, candidate);
  if (!found.layout) {
    return failure(Kind::not_ready,
                   fmt::format("the CPython {} in {} has no running interpreter (yet)",
                               candidate.version.text(), binary.path));
  }
  return Target{process.pid(),     candidate.version,     std::move(found.layout),
                candidate.runtime, binary.path,           kind,
                candidate.how,     std::move(found.from), {}};
}

/// How many thread states its main interpreter has, as far as they can be told.
std::size_t count_threads(MemoryReader& memory, const Target& target) {
  const auto& at = target.layout->at;
  const auto interpreter = memory.read_pointer(at.runtime.interpreters_main.in(target.runtime));
  if (!interpreter) return 0;
  auto thread = memory.read_pointer(at.interpreter.threads_head.in(*interpreter));
  std::size_t count = 0;
  while (thread && !thread->is_null() && count < max_counted_threads) {
    ++count;
    thread = memory.read_pointer(at.thread.next.in(*thread));
  }
  return count;
}

std::string without_runtime(const Binary& binary) {
  return fmt::format(
      "the CPython in {} has no _PyRuntime: it is older than 3.7 (supported: {}), or stripped of "
      "more than usual: install its debug symbols",
      binary.path, supported_versions());
}

/// Of several CPythons in one process, the one with the most threads; it names the others.
Target choose(MemoryReader& memory, std::vector<Target> targets) {
  const auto chosen = std::ranges::max_element(
      targets, {}, [&](const Target& target) { return count_threads(memory, target); });
  Target best = *chosen;
  for (const Target& target : targets) {
    if (target.runtime == best.runtime) continue;
    best.others.push_back(fmt::format("CPython {} in {}", target.version.text(), target.binary));
  }
  return best;
}

/// The failure that says more, of two: time can mend one that is not ready, and the rest is about a
/// CPython at least.
const LocateFailure& better(const LocateFailure& a, const LocateFailure& b) {
  const auto worth = [](const LocateFailure& failure) {
    if (failure.kind == Kind::not_ready) return 2;
    return failure.kind == Kind::unsupported ? 1 : 0;
  };
  return worth(b) > worth(a) ? b : a;
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
  std::vector<Target> targets;
  for (const Binary& binary : candidate_binaries(process, maps)) {
    const Candidates candidates = find_candidates(process, memory, maps, binary);
    if (candidates.python_without_runtime) {
      best = better(best, {Kind::unsupported, without_runtime(binary)});
    }
    for (const Candidate& candidate : candidates.runtimes) {
      auto target = accept(process, memory, binary, candidates.kind, candidate);
      if (!target) {
        best = better(best, target.error());
      } else if (std::ranges::find(targets, target->runtime, &Target::runtime) == targets.end()) {
        targets.push_back(std::move(*target));
      }
    }
  }
  if (targets.empty()) return tl::make_unexpected(best);
  return targets.size() == 1 ? targets.front() : choose(memory, std::move(targets));
}

}  // namespace gilspy
