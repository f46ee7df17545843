#pragma once

#include <zlib.h>
#include <zstd.h>

#include <cstdint>
#include <string>
#include <string_view>

/// Recordings put together by hand from docs/recording-format.md, without gilspy's own writer: for
/// what that writer would never write.
namespace gilspy::testing {

inline std::string little_endian(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

inline std::string raw_header(std::uint16_t version = 1) {
  return "GILSPY\r\n" + little_endian(version, 2);
}

inline std::string raw_frame_with_sizes(std::string_view stored, std::size_t stored_size,
                                        std::size_t payload_size) {
  const std::string sizes = little_endian(stored_size, 4) + little_endian(payload_size, 4);
  const std::string summed = sizes + std::string(stored);
  const uLong checksum = crc32_z(0, reinterpret_cast<const Bytef*>(summed.data()), summed.size());
  return sizes + little_endian(checksum, 4) + std::string(stored);
}

inline std::string compressed(std::string_view payload) {
  std::string stored(ZSTD_compressBound(payload.size()), '\0');
  stored.resize(ZSTD_compress(stored.data(), stored.size(), payload.data(), payload.size(), 1));
  return stored;
}

inline std::string raw_frame(std::string_view payload) {
  const std::string stored = compressed(payload);
  return raw_frame_with_sizes(stored, stored.size(), payload.size());
}

}  // namespace gilspy::testing
