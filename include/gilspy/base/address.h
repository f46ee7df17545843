#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace gilspy {

/// An address in the target's memory. Never dereferenced here: it only goes to a MemoryReader.
class RemoteAddress {
 public:
  constexpr RemoteAddress() = default;
  explicit constexpr RemoteAddress(std::uint64_t value) : value_(value) {}

  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  [[nodiscard]] constexpr bool is_null() const { return value_ == 0; }

  /// Wraps around like the target's own arithmetic would; a read at a wild address fails cleanly.
  friend constexpr RemoteAddress operator+(RemoteAddress address, std::uint64_t bytes) {
    return RemoteAddress{address.value_ + bytes};
  }
  friend constexpr RemoteAddress operator-(RemoteAddress address, std::uint64_t bytes) {
    return RemoteAddress{address.value_ - bytes};
  }
  /// Distance in bytes; meaningful only when `a` is not below `b`.
  friend constexpr std::uint64_t operator-(RemoteAddress a, RemoteAddress b) {
    return a.value_ - b.value_;
  }
  friend constexpr auto operator<=>(RemoteAddress, RemoteAddress) = default;

 private:
  std::uint64_t value_ = 0;
};

/// The half-open range [begin, end) of the target's memory.
struct RemoteRange {
  RemoteAddress begin;
  RemoteAddress end;

  [[nodiscard]] constexpr bool contains(RemoteAddress address) const {
    return begin <= address && address < end;
  }
  [[nodiscard]] constexpr std::uint64_t size() const { return end > begin ? end - begin : 0; }

  friend constexpr bool operator==(const RemoteRange&, const RemoteRange&) = default;
};

}  // namespace gilspy

template <>
struct std::hash<gilspy::RemoteAddress> {
  std::size_t operator()(gilspy::RemoteAddress address) const noexcept {
    return std::hash<std::uint64_t>{}(address.value());
  }
};
