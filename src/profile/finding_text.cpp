#include "gilspy/profile/finding_text.h"

#include <fmt/format.h>

#include "gilspy/base/text.h"
#include "gilspy/profile/blame.h"

namespace gilspy {
namespace {

std::string times(std::uint64_t count) {
  return count == 1 ? "once" : fmt::format("{} times", count);
}

/// "sre_ucs1_match (libpython3.11.so.1.0)", or where its source is known "spin (spin.c:12)": the
/// line of the example, or else the one where the function begins.
std::string native_place(const Tables& tables, const Finding& finding, CodeId native) {
  const auto code = tables.code(native);
  const auto top = tables.stack(finding.stack);
  const std::uint32_t line = top.code == native && top.line != 0 ? top.line : code.first_line;
  return fmt::format("{} ({}{})", terminal_text(tables.string(code.function)),
                     terminal_text(basename_of(tables.string(code.file))),
                     line != 0 ? fmt::format(":{}", line) : "");
}

/// " in hash_all (app.py:17)", or where its native code is known " in sha256 (libcrypto.so.3),
/// called from hash_all (app.py:17)"; nothing when no stack is known.
std::string place_in_code(const Profile& profile, const Finding& finding) {
  if (finding.stack == empty_stack) return "";
  const Tables& tables = *profile.tables;
  const auto python = tables.python_top(finding.stack);
  // That the C library's function of a system call makes this call is no news.
  const bool says_more = finding.native && tables.string(tables.code(*finding.native).function) !=
                                               syscall_name(finding.syscall);
  std::string native = says_more ? " in " + native_place(tables, finding, *finding.native) : "";
  if (!python) return native;
  return fmt::format("{} {} {} ({}:{})", native + (says_more ? "," : ""),
                     finding.native ? "called from" : "in",
                     terminal_text(tables.function_of(*python)),
                     terminal_text(basename_of(tables.file_of(*python))), python->line);
}

std::string call_of(const Finding& finding) {
  return finding.syscall < 0 ? "while it was stopped" : "across " + syscall_name(finding.syscall);
}

std::string cost_of(const Finding& finding) {
  if (finding.waited == Duration{}) return "Nobody waited for it meanwhile.";
  return fmt::format("Others waited {} for it meanwhile.", human(finding.waited));
}

/// "worker-1 and 3 more threads"; with several threads what follows is in the plural.
std::string who(const Profile& profile, const Finding& finding) {
  std::string name = terminal_text(label_of(profile, finding.thread));
  if (finding.threads <= 1) return name;
  return fmt::format("{} and {} more thread{}", name, finding.threads - 1,
                     finding.threads == 2 ? "" : "s");
}

/// "; 390 of them behind cruncher"; nothing when it is not known who held the GIL.
std::string behind(const Profile& profile, const Finding& finding) {
  if (finding.other == no_thread) return "";
  return fmt::format("; {} of them behind {}", finding.overtaken,
                     terminal_text(label_of(profile, finding.other)));
}

}  // namespace

std::string title_of(const Profile& profile, const Finding& finding) {
  const std::string thread = who(profile, finding);
  const bool several = finding.threads > 1;
  const std::string longest = human(finding.longest());
  switch (finding.kind) {
    case FindingKind::long_hold:
      return fmt::format("{} kept the GIL for up to {} at a time{}", thread, longest,
                         place_in_code(profile, finding));
    case FindingKind::held_in_syscall:
      return fmt::format("{} kept the GIL {} for up to {}{}", thread, call_of(finding), longest,
                         place_in_code(profile, finding));
    case FindingKind::convoy:
      return fmt::format("{} need{} the GIL only for moments, but wait{} {} for it each time",
                         thread, several ? "" : "s", several ? "" : "s",
                         human(finding.total / static_cast<std::int64_t>(finding.count)));
    case FindingKind::starving:
      return fmt::format("{} waited{} {} for the GIL while {} got it {}", thread,
                         several ? " up to" : "", longest,
                         terminal_text(label_of(profile, finding.other)), times(finding.overtaken));
  }
  return "";
}

std::string facts_of(const Profile& profile, const Finding& finding) {
  switch (finding.kind) {
    case FindingKind::long_hold:
    case FindingKind::held_in_syscall:
      return fmt::format("{}, {} in all. {}", finding.count == 1 ? "Once" : times(finding.count),
                         human(finding.total), cost_of(finding));
    case FindingKind::convoy:
      return fmt::format("{} waits, {} in all{}.", finding.count, human(finding.total),
                         behind(profile, finding));
    case FindingKind::starving:
      return fmt::format("Overtaken so in {} wait{}, {} in all.", finding.count,
                         finding.count == 1 ? "" : "s", human(finding.total));
  }
  return "";
}

std::string advice_on(const Profile& profile, FindingKind kind) {
  const Duration interval = profile.process.switch_interval;
  const std::string asked =
      interval > Duration{} ? fmt::format("after {}", human(interval)) : "after a moment";
  switch (kind) {
    case FindingKind::long_hold:
      return fmt::format(
          "The interpreter asks for a hand-over {}. Code that keeps the GIL longer does not come "
          "back to the interpreter's loop: native code that works without letting go of it, or a "
          "machine without a free CPU. Give it less at a time, or release the GIL in it.",
          asked);
    case FindingKind::held_in_syscall:
      return "A call that can block should be made without the GIL: Py_BEGIN_ALLOW_THREADS in C, "
             "nogil in Cython, ctypes.CDLL instead of PyDLL.";
    case FindingKind::convoy:
      return fmt::format(
          "Whoever computes lets go of the GIL only when asked, {}; a thread that comes back from "
          "I/O pays that every time. Move the computation into another process or into code that "
          "releases the GIL, or lower sys.setswitchinterval().",
          asked);
    case FindingKind::starving:
      return "The GIL has no queue: the system's scheduler decides who gets it next. Fewer threads "
             "that compute at the same time leave more turns to the others.";
  }
  return "";
}

}  // namespace gilspy
