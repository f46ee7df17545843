#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gilspy {

/// Where one of a tracepoint's fields stands in its raw data.
struct TracepointField {
  std::string name;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  friend bool operator==(const TracepointField&, const TracepointField&) = default;
};

/// What tracefs says of a tracepoint.
struct Tracepoint {
  std::uint64_t id = 0;  ///< perf_event_attr.config
  std::vector<TracepointField> fields;

  [[nodiscard]] std::optional<TracepointField> field(std::string_view name) const;
};

/// Parses a tracepoint's "format" file; lines that make no sense are left out.
[[nodiscard]] std::optional<Tracepoint> parse_tracepoint(std::string_view text);

/// Reads "syscalls/sys_enter_futex" and the like. Nothing where tracefs is not mounted, may not be
/// read, or knows no such tracepoint; `error` is the errno.
[[nodiscard]] std::optional<Tracepoint> read_tracepoint(std::string_view name, int& error);

}  // namespace gilspy
