#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace gilspy {

/// Copies a T out of `bytes` at `offset`, or nothing when it does not lie wholly inside. Works at
/// any alignment and for any hostile offset.
template <class T>
  requires std::is_trivially_copyable_v<T>
[[nodiscard]] std::optional<T> load(std::span<const std::byte> bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// The part [offset, offset + size) of `bytes`, or nothing when it does not lie wholly inside.
[[nodiscard]] inline std::optional<std::span<const std::byte>> slice(
    std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || bytes.size() - offset < size) return std::nullopt;
  return bytes.subspan(offset, size);
}

}  // namespace gilspy
