#include "gilspy/os/move_to_cpu.h"

#include <sched.h>

#include <optional>

namespace gilspy {
namespace {

std::optional<cpu_set_t> allowed_cpus() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return std::nullopt;
  return allowed;
}

/// For a moment it may run on nothing else: the kernel has moved it when the first call returns.
bool pass_through(const cpu_set_t& only, const cpu_set_t& allowed) {
  if (::sched_setaffinity(0, sizeof only, &only) != 0) return false;
  return ::sched_setaffinity(0, sizeof allowed, &allowed) == 0;
}

}  // namespace

bool move_to_cpu(int cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE) return false;
  if (cpu == ::sched_getcpu()) return true;
  const auto allowed = allowed_cpus();
  if (!allowed || !CPU_ISSET(cpu, &*allowed)) return false;
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  return pass_through(only, *allowed);
}

bool leave_cpu() {
  const int cpu = ::sched_getcpu();
  const auto allowed = allowed_cpus();
  if (cpu < 0 || cpu >= CPU_SETSIZE || !allowed) return false;
  cpu_set_t others = *allowed;
  CPU_CLR(cpu, &others);
  return CPU_COUNT(&others) > 0 && pass_through(others, *allowed);
}

}  // namespace gilspy
