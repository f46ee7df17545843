#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gilspy/os/proc.h"
#include "gilspy/os/thread_files.h"

/// Any text, taken for each of the files of /proc that gilspy parses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using gilspy::SyscallNow;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto maps = gilspy::parse_maps(text);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  if (maps.size() > lines) std::abort();
  for (const gilspy::Mapping& mapping : maps) {
    if (mapping.range.end < mapping.range.begin) std::abort();
    if (mapping.path.find('\n') != std::string::npos) std::abort();
  }
  const SyscallNow call = gilspy::parse_syscall(text);
  if ((call.number >= 0) != (call.kind == SyscallNow::Kind::in_syscall)) std::abort();
  (void)gilspy::parse_stat(text);
  (void)gilspy::parse_schedstat(text);
  (void)gilspy::parse_context_switches(text);
  return 0;
}
