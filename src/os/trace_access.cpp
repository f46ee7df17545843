#include "gilspy/os/trace_access.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gilspy/os/perf_event.h"
#include "gilspy/os/tracepoints.h"

namespace gilspy {
namespace {

/// The errno of opening such an event of our own; 0 when it works.
int try_event(perf_event_attr attributes) {
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  int error = 0;
  static_cast<void>(open_perf_event(attributes, Tid{::gettid()}, -1, error));
  return error;
}

AccessCheck refused(std::string name, const TraceObstacle& obstacle) {
  return {std::move(name), false, obstacle.finding, obstacle.fix};
}

AccessCheck check_futex_calls() {
  const std::string name = "exact waits (--exact)";
  int error = 0;
  const auto point = read_tracepoint("syscalls/sys_enter_futex", error);
  if (!point) return refused(name, why_no_tracepoint(error));
  perf_event_attr attributes = perf_attributes(PERF_TYPE_TRACEPOINT, point->id);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access): the kernel's own struct.
  attributes.sample_period = 1;
  attributes.sample_type = PERF_SAMPLE_RAW;
  error = try_event(attributes);
  if (error != 0) return refused(name, why_no_perf_event(error));
  return {name, true, "the kernel's futex tracepoint can be used", ""};
}

AccessCheck check_switches() {
  const std::string name = "exact time on CPUs (--exact)";
  perf_event_attr attributes = perf_attributes(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
  attributes.context_switch = 1;
  const int error = try_event(attributes);
  if (error != 0) return refused(name, why_no_perf_event(error));
  return {name, true, "the kernel's records of context switches can be used", ""};
}

}  // namespace

TraceObstacle why_no_tracepoint(int error) {
  if (error == ENOENT) {
    return {"tracefs is not mounted", "sudo mount -t tracefs tracefs /sys/kernel/tracing"};
  }
  if (error == EACCES) {
    return {"tracefs may not be read",
            "sudo mount -o remount,mode=755 /sys/kernel/tracing , or sudo gilspy ..."};
  }
  return {fmt::format("the kernel has no futex tracepoints ({})", std::strerror(error)),
          "a kernel with CONFIG_FTRACE_SYSCALLS"};
}

TraceObstacle why_no_perf_event(int error) {
  if (error == EMFILE || error == ENFILE) {
    return {"more threads than the limit of open files allows to follow", "ulimit -n 1000000"};
  }
  if (error == EACCES || error == EPERM) {
    return {fmt::format("perf events are refused, kernel.perf_event_paranoid is {}",
                        perf_event_paranoid()),
            "sudo sysctl kernel.perf_event_paranoid=2 , or sudo gilspy ... (in a container: "
            "--cap-add PERFMON)"};
  }
  return {fmt::format("perf events do not work here ({})", std::strerror(error)),
          "run gilspy on the host"};
}

std::vector<AccessCheck> check_tracing() { return {check_futex_calls(), check_switches()}; }

}  // namespace gilspy
