#include "call_check.h"

#include <array>
#include <cstring>
#include <optional>
#include <span>

#include "gilspy/base/bytes.h"

namespace gilspy {
namespace {

// Opcodes of x86-64 (Intel's manual, volume 2). All these take a distance of 4 bytes that counts
// from the instruction's end.
constexpr std::uint8_t call_near = 0xe8;
constexpr std::array<std::uint8_t, 2> call_by_pointer{0xff, 0x15};
constexpr std::array<std::uint8_t, 2> jump_by_pointer{0xff, 0x25};
/// What an entry of a linkage table may begin with: where indirect branches are checked, and where
/// bounds were (System V ABI for x86-64, 5.2).
constexpr std::array<std::uint8_t, 4> end_branch{0xf3, 0x0f, 0x1e, 0xfa};
constexpr std::uint8_t bound_prefix = 0xf2;
constexpr std::uint64_t distance_size = 4;
constexpr std::uint64_t longest = 16;  ///< bytes of code looked at

using Bytes = std::array<std::byte, longest>;

std::optional<Bytes> code_at(CodeMap& code, RemoteAddress at) {
  const auto first = code.word_at(at);
  const auto second = code.word_at(at + sizeof(std::uint64_t));
  if (!first || !second) return std::nullopt;
  Bytes bytes;
  std::memcpy(bytes.data(), &*first, sizeof(*first));
  std::memcpy(bytes.data() + sizeof(*first), &*second, sizeof(*second));
  return bytes;
}

template <std::size_t size>
bool begins_with(std::span<const std::byte> bytes, const std::array<std::uint8_t, size>& with) {
  return bytes.size() >= size && std::memcmp(bytes.data(), with.data(), size) == 0;
}

/// Where the distance at this place leads to.
RemoteAddress target(std::span<const std::byte> bytes, std::uint64_t offset, RemoteAddress end) {
  const auto distance = load<std::int32_t>(bytes, offset).value_or(0);
  return end + static_cast<std::uint64_t>(std::int64_t{distance});
}

/// What an entry of a linkage table jumps to, if there is one here.
std::optional<std::uint64_t> linked_at(CodeMap& code, RemoteAddress at) {
  const auto bytes = code_at(code, at);
  if (!bytes) return std::nullopt;
  std::uint64_t offset = begins_with(*bytes, end_branch) ? end_branch.size() : 0;
  if (std::to_integer<std::uint8_t>((*bytes)[offset]) == bound_prefix) ++offset;
  if (!begins_with(std::span{*bytes}.subspan(offset), jump_by_pointer)) return std::nullopt;
  offset += jump_by_pointer.size();
  return code.word_at(target(*bytes, offset, at + offset + distance_size));
}

}  // namespace

bool is_call_to(CodeMap& code, RemoteAddress back, RemoteAddress function) {
  const auto bytes = code_at(code, back - longest);
  if (!bytes) return false;
  const std::uint64_t distance_at = longest - distance_size;
  const RemoteAddress leads_to = target(*bytes, distance_at, back);
  if (std::to_integer<std::uint8_t>((*bytes)[distance_at - 1]) == call_near) {
    return leads_to == function || linked_at(code, leads_to) == function.value();
  }
  const auto opcode = std::span{*bytes}.subspan(distance_at - call_by_pointer.size());
  return begins_with(opcode, call_by_pointer) && code.word_at(leads_to) == function.value();
}

}  // namespace gilspy
