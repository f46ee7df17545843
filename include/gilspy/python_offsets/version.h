#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace gilspy {

/// A CPython version, as PY_VERSION_HEX encodes it but for the build serial.
struct Version {
  std::uint8_t major = 0;
  std::uint8_t minor = 0;
  std::uint8_t micro = 0;

  /// From the value of the Py_Version symbol, or sys.hexversion.
  [[nodiscard]] static constexpr Version from_hex(std::uint64_t hex) {
    return {static_cast<std::uint8_t>(hex >> 24), static_cast<std::uint8_t>(hex >> 16),
            static_cast<std::uint8_t>(hex >> 8)};
  }
  /// "3.12.1"
  [[nodiscard]] std::string text() const;

  friend constexpr auto operator<=>(Version, Version) = default;
};

}  // namespace gilspy
