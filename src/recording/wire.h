#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// The bytes below the events: little-endian words, LEB128 varints, zigzag.
namespace gilspy::recording {

using Bytes = std::span<const std::byte>;

void put_u16(std::vector<std::byte>& out, std::uint16_t value);
void put_u32(std::vector<std::byte>& out, std::uint32_t value);
void put_u64(std::vector<std::byte>& out, std::uint64_t value);
/// 1 byte below 128, 2 below 16384 and so on, 10 at most.
void put_varint(std::vector<std::byte>& out, std::uint64_t value);
/// A varint that is short for small negative numbers too.
void put_zigzag(std::vector<std::byte>& out, std::int64_t value);
void put_bytes(std::vector<std::byte>& out, Bytes bytes);

/// Takes values off the front of hostile bytes. The first one that is missing or not allowed stops
/// it: from then on it is at its end, every value is 0, and problem() keeps the first reason. So
/// decoding goes in straight lines and asks once, when it is done.
class WireReader {
 public:
  explicit WireReader(Bytes bytes) : rest_(bytes) {}

  [[nodiscard]] std::uint8_t byte();
  [[nodiscard]] std::uint16_t u16() { return static_cast<std::uint16_t>(word(2)); }
  [[nodiscard]] std::uint32_t u32() { return static_cast<std::uint32_t>(word(4)); }
  [[nodiscard]] std::uint64_t u64() { return word(8); }
  [[nodiscard]] std::uint64_t varint();
  /// Stops unless the value is at most `max`.
  [[nodiscard]] std::uint64_t varint_up_to(std::uint64_t max);
  [[nodiscard]] std::int64_t zigzag();
  [[nodiscard]] Bytes bytes(std::uint64_t size);

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool stopped() const { return !problem_.empty(); }
  [[nodiscard]] std::string_view problem() const { return problem_; }
  /// `problem` must live forever.
  void stop(std::string_view problem);

 private:
  [[nodiscard]] std::uint64_t word(std::size_t size);

  Bytes rest_;
  std::string_view problem_;
};

}  // namespace gilspy::recording
