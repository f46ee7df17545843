#pragma once

#include <linux/perf_event.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gilspy/base/unique_fd.h"
#include "gilspy/model/ids.h"

/// perf_event_open(2): the kernel's own records of what a thread does. They never stop or change
/// the thread, and end with the file descriptor.
namespace gilspy {

/// A perf_event_attr of this type, without anything asked for yet: its records will carry times on
/// CLOCK_MONOTONIC, and it begins disabled.
[[nodiscard]] perf_event_attr perf_attributes(std::uint32_t type, std::uint64_t config);

/// An event of one thread, on one CPU or (-1) on any. `error` is the errno of a failure: EACCES and
/// EPERM for a missing permission, EMFILE past the limit of open files, ESRCH for a thread that is
/// gone.
[[nodiscard]] UniqueFd open_perf_event(const perf_event_attr& attributes, Tid tid, int cpu,
                                       int& error);

/// From now on its records are written. Returns false when the kernel refuses.
[[nodiscard]] bool start_perf_event(int event);
/// Has a tracepoint's event record only what this filter lets through
/// (Documentation/trace/events.rst), also in the events that other threads inherited from it.
[[nodiscard]] bool filter_perf_event(int event, const std::string& filter);

/// kernel.perf_event_paranoid: 2 allows one's own processes outside the kernel, 1 inside it as
/// well, 3 (some distributions) nothing; 2, the kernel's default, when it cannot be read.
[[nodiscard]] int perf_event_paranoid();

/// The CPUs that are on, as /sys/devices/system/cpu/online lists them.
[[nodiscard]] std::vector<int> online_cpus();
/// Parses such a list: "0-3,8".
[[nodiscard]] std::vector<int> parse_cpu_list(std::string_view text);

}  // namespace gilspy
