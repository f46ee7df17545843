#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include "gilspy/base/address.h"
#include "gilspy/base/result.h"

namespace gilspy {

/// One piece of a batched read.
struct ReadSlot {
  RemoteAddress from;
  std::span<std::byte> into;
};

/// The only way to a target's memory. A live process and the bytes of a test look alike behind it.
/// Everything that comes out of it is hostile until checked.
class MemoryReader {
 public:
  MemoryReader() = default;
  MemoryReader(const MemoryReader&) = delete;
  MemoryReader& operator=(const MemoryReader&) = delete;
  virtual ~MemoryReader() = default;

  /// Reads the slots in order, as close together in time as the source allows (a live process: one
  /// system call per 512 slots). Returns how many slots were read whole, counted from the first; a
  /// slot that cannot be read ends the batch, which is not an error.
  /// Errors: target_gone when the process no longer exists.
  [[nodiscard]] virtual Result<std::size_t> read_batch(std::span<const ReadSlot> slots) = 0;

  /// Fills `into` wholly, or fails with `retry` (unreadable address) or `target_gone`.
  [[nodiscard]] Result<void> read(RemoteAddress from, std::span<std::byte> into) {
    const std::array slot{ReadSlot{from, into}};
    const auto done = read_batch(slot);
    if (!done) return tl::make_unexpected(done.error());
    if (*done != 1) return fail(ErrorClass::retry, "unreadable address");
    return {};
  }

  /// Reads one trivially copyable value.
  template <class T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] Result<T> read_value(RemoteAddress from) {
    T value{};
    if (auto done = read(from, std::as_writable_bytes(std::span{&value, 1})); !done) {
      return tl::make_unexpected(done.error());
    }
    return value;
  }

  [[nodiscard]] Result<RemoteAddress> read_pointer(RemoteAddress from) {
    return read_value<std::uint64_t>(from).map([](std::uint64_t v) { return RemoteAddress{v}; });
  }
};

}  // namespace gilspy
