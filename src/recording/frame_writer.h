#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "frame.h"
#include "gilspy/base/unique_fd.h"
#include "ring.h"

namespace gilspy::recording {

/// Makes frames of payloads and writes them into a file, in order and in a thread of its own:
/// whoever hands them over waits neither for the compression nor for a disk.
class FrameWriter {
 public:
  using Payload = std::vector<std::byte>;

  /// So many payloads may wait to be written.
  static constexpr std::size_t most_waiting = 64;
  /// So many of these places are for what must not get lost: what one tick tells, and the end.
  static constexpr std::size_t reserve = 16;

  /// Writes from the file's current position, at once what goes in front of the frames.
  FrameWriter(UniqueFd file, Bytes header);
  /// Writes what it was given.
  ~FrameWriter();
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  /// Whether there is more room than the reserve.
  [[nodiscard]] bool has_room() const { return waiting_.size() < most_waiting - reserve; }

  /// A payload to fill, empty: one that was written, where there is one.
  [[nodiscard]] Payload empty_payload();
  /// Hands one over; waits while there is not even a place of the reserve.
  void write(Payload payload);
  /// Waits until everything is written.
  void finish() const;

  /// The first write error (errno), or 0.
  [[nodiscard]] int error() const { return error_.load(std::memory_order_relaxed); }

 private:
  /// Of those that were written so many are kept to be filled again.
  static constexpr std::size_t most_spare = 2;

  void work();
  void put(const Payload& payload);

  UniqueFd file_;
  FrameSealer sealer_;
  std::atomic<int> error_;
  Ring<Payload, most_waiting> waiting_;
  Ring<Payload, most_spare> spare_;
  // Counts of payloads, which may wrap: each thread sleeps on the other one's.
  std::atomic<std::uint32_t> given_{0};
  std::atomic<std::uint32_t> written_{0};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace gilspy::recording
