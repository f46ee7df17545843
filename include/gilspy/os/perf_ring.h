#pragma once

#include <linux/perf_event.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "gilspy/os/perf_records.h"

namespace gilspy {

/// The ring into which the kernel writes an event's records, mapped. Other events of the same CPU
/// (or, with CPU -1, of the same thread) may be made to write into it as well.
class PerfRing {
 public:
  /// `pages`, a power of two, for records, and one more. `error` is the errno of a failure: EPERM
  /// past kernel.perf_event_mlock_kb and the limit of locked memory.
  [[nodiscard]] static std::optional<PerfRing> map(int event, std::size_t pages, int& error);

  PerfRing(const PerfRing&) = delete;
  PerfRing& operator=(const PerfRing&) = delete;
  PerfRing(PerfRing&& other) noexcept;
  PerfRing& operator=(PerfRing&& other) noexcept;
  ~PerfRing();

  /// Makes another event write its records into this ring. Returns false when the kernel refuses.
  [[nodiscard]] bool take_in(int event) const;

  /// Hands every record there is to `take`, oldest first, and frees their place. Returns false
  /// when bytes made no sense and were given up.
  template <class Take>
  bool drain(Take take) {
    const std::uint64_t head = this->head();
    PerfRecordWalk walk{data_, tail(), head};
    while (const auto record = walk.next()) take(*record);
    free_up_to(head);
    return !walk.damaged();
  }

 private:
  PerfRing(int event, std::span<std::byte> mapping);
  [[nodiscard]] std::uint64_t head() const;
  [[nodiscard]] std::uint64_t tail() const;
  void free_up_to(std::uint64_t position);

  int event_;  // whose ring it is; belongs to whoever opened it
  std::span<std::byte> mapping_;
  std::span<const std::byte> data_;
};

}  // namespace gilspy
