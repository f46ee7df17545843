#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// The records of a perf ring as bytes, without the ring (linux/perf_event.h has their layouts).
namespace gilspy {

/// One record: what stands in its header, and what follows it.
struct PerfRecord {
  std::uint32_t type = 0;  ///< PERF_RECORD_...
  std::uint16_t misc = 0;
  std::span<const std::byte> body;  ///< valid until the next record is asked for
};

/// Walks the records between two positions of a ring: positions only grow, and the ring's size is a
/// power of two. A record whose size cannot be right ends the walk, and what is left is given up.
class PerfRecordWalk {
 public:
  PerfRecordWalk(std::span<const std::byte> ring, std::uint64_t tail, std::uint64_t head)
      : ring_(ring), at_(tail), end_(head) {}

  [[nodiscard]] std::optional<PerfRecord> next();
  /// Bytes that made no sense were met, and given up.
  [[nodiscard]] bool damaged() const { return damaged_; }

 private:
  void copy_out(std::uint64_t from, std::span<std::byte> to) const;

  std::span<const std::byte> ring_;
  std::uint64_t at_;
  std::uint64_t end_;
  bool damaged_ = false;
  std::vector<std::byte> copy_;  // of a record that wraps around the ring's end
};

}  // namespace gilspy
