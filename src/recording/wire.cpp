#include "wire.h"

namespace gilspy::recording {
namespace {

constexpr unsigned varint_bits = 7;
constexpr std::uint64_t varint_mask = 0x7F;
constexpr std::uint64_t varint_more = 0x80;

void put_word(std::vector<std::byte>& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
}

}  // namespace

void put_u16(std::vector<std::byte>& out, std::uint16_t value) { put_word(out, value, 2); }
void put_u32(std::vector<std::byte>& out, std::uint32_t value) { put_word(out, value, 4); }
void put_u64(std::vector<std::byte>& out, std::uint64_t value) { put_word(out, value, 8); }

void put_varint(std::vector<std::byte>& out, std::uint64_t value) {
  for (; value > varint_mask; value >>= varint_bits) {
    out.push_back(static_cast<std::byte>((value & varint_mask) | varint_more));
  }
  out.push_back(static_cast<std::byte>(value));
}

void put_zigzag(std::vector<std::byte>& out, std::int64_t value) {
  const std::uint64_t sign = value < 0 ? ~std::uint64_t{0} : 0;
  put_varint(out, (static_cast<std::uint64_t>(value) << 1) ^ sign);
}

void put_bytes(std::vector<std::byte>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

std::uint8_t WireReader::byte() { return static_cast<std::uint8_t>(word(1)); }

std::uint64_t WireReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += varint_bits) {
    const std::uint64_t next = byte();
    const std::uint64_t part = next & varint_mask;
    // Only one bit of the tenth byte is left for a 64-bit number.
    if ((part << shift) >> shift != part) break;
    value |= part << shift;
    if ((next & varint_more) == 0) return value;
  }
  stop("holds a number that is too long");
  return 0;
}

std::uint64_t WireReader::varint_up_to(std::uint64_t max) {
  const std::uint64_t value = varint();
  if (value <= max) return value;
  stop("holds a number that is out of range");
  return 0;
}

std::int64_t WireReader::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
}

Bytes WireReader::bytes(std::uint64_t size) {
  if (size > rest_.size()) {
    stop("ends inside an event");
    return {};
  }
  const Bytes taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

void WireReader::stop(std::string_view problem) {
  if (problem_.empty()) problem_ = problem;
  rest_ = {};
}

std::uint64_t WireReader::word(std::size_t size) {
  const Bytes taken = bytes(size);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    value |= std::to_integer<std::uint64_t>(taken[i]) << (8 * i);
  }
  return value;
}

}  // namespace gilspy::recording
