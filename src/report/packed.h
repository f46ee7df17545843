#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// How the page carries data: numbers as variable-length integers, deflated, as base64.
namespace gilspy {

/// Bytes in the making.
class Packer {
 public:
  /// Seven bits a byte, the lowest first; the highest bit says that more follow.
  void number(std::uint64_t value);
  /// Its length in bytes, then the bytes.
  void text(std::string_view text);
  void byte(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// In zlib's format, which browsers call "deflate".
[[nodiscard]] std::string deflated(std::string_view bytes);

[[nodiscard]] std::string base64(std::string_view bytes);

/// The bytes that a text of hexadecimal digits stands for.
[[nodiscard]] std::string from_hex(std::string_view digits);

}  // namespace gilspy
