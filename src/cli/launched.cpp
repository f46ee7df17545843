#include "launched.h"

#include "gilspy/os/process_memory.h"

namespace gilspy {
namespace {

/// How soon a program that is not (yet) a Python is looked at again, by how long it has run: an
/// interpreter is ready after 10-30 ms, and a short program may be over by then.
Duration look_again_after(Duration age) {
  if (age < std::chrono::milliseconds{500}) return std::chrono::milliseconds{1};
  if (age < std::chrono::seconds{5}) return std::chrono::milliseconds{10};
  return std::chrono::milliseconds{100};
}

/// A wrapper (uv run, a shell) has its Python as a child; children are looked for less often.
constexpr Duration children_after = std::chrono::milliseconds{200};

std::optional<FoundTarget> look(Pid pid, std::string& why) {
  auto process = ProcDir::open(pid);
  if (!process) return std::nullopt;
  ProcessMemory memory{pid};
  auto target = locate_python(*process, memory);
  if (target) return FoundTarget{std::move(*process), std::move(*target)};
  if (target.error().kind != LocateFailure::Kind::gone) why = target.error().what;
  return std::nullopt;
}

}  // namespace

std::optional<FoundTarget> wait_for_python(Pid program, const std::vector<Watch>& watches,
                                           std::string& why) {
  const Time start = now();
  Time children_looked_at = start;
  while (true) {
    if (wait_until(now() + look_again_after(now() - start), watches)) return std::nullopt;
    if (auto found = look(program, why)) return found;
    if (now() - children_looked_at > children_after) {
      children_looked_at = now();
      if (auto found = python_child_of(program)) return found;
    }
  }
}

}  // namespace gilspy
