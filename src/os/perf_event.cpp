#include "gilspy/os/perf_event.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <optional>

namespace gilspy {
namespace {

/// No machine has more; a list from somewhere else must not fill the memory.
constexpr int most_cpus = 65536;

/// The number at the front of `text`, which is taken off.
std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || number >= most_cpus) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

perf_event_attr perf_attributes(std::uint32_t type, std::uint64_t config) {
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = type;
  attributes.config = config;
  attributes.disabled = 1;
  attributes.use_clockid = 1;
  attributes.clockid = CLOCK_MONOTONIC;
  return attributes;
}

UniqueFd open_perf_event(const perf_event_attr& attributes, Tid tid, int cpu, int& error) {
  const long fd =
      ::syscall(SYS_perf_event_open, &attributes, tid.value, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  error = fd < 0 ? errno : 0;
  return UniqueFd{static_cast<int>(fd)};
}

bool start_perf_event(int event) { return ::ioctl(event, PERF_EVENT_IOC_ENABLE, 0) == 0; }

bool filter_perf_event(int event, const std::string& filter) {
  return ::ioctl(event, PERF_EVENT_IOC_SET_FILTER, filter.c_str()) == 0;
}

int perf_event_paranoid() {
  std::ifstream file("/proc/sys/kernel/perf_event_paranoid");
  int level = 2;
  file >> level;
  return file ? level : 2;
}

std::vector<int> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  while (true) {
    const auto first = take_number(text);
    if (!first) return cpus;
    auto last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      last = take_number(text);
      if (!last) return cpus;
    }
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
    if (!text.starts_with(',')) return cpus;
    text.remove_prefix(1);
  }
}

std::vector<int> online_cpus() {
  std::ifstream file("/sys/devices/system/cpu/online");
  std::string line;
  std::getline(file, line);
  return parse_cpu_list(line);
}

}  // namespace gilspy
