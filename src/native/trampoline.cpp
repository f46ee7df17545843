#include "trampoline.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "gilspy/base/bytes.h"

namespace gilspy {
namespace {

constexpr std::uint64_t word = 8;
/// From this far before the end of the call on; what may check an indirect branch is before it.
constexpr std::uint64_t lead = 6;

/// sub $8,%rsp; call *%rcx; add $8,%rsp; ret (3.12, and the first of 3.13).
constexpr std::array<std::uint8_t, 11> skips_a_word{0x48, 0x83, 0xec, 0x08, 0xff, 0xd1,
                                                    0x48, 0x83, 0xc4, 0x08, 0xc3};
/// push %rbp; mov %rsp,%rbp; call *%rcx; pop %rbp; ret (later ones).
constexpr std::array<std::uint8_t, 8> frame_pointer{0x55, 0x48, 0x89, 0xe5, 0xff, 0xd1, 0x5d, 0xc3};

template <std::size_t size>
bool begins_with(std::span<const std::byte> bytes, const std::array<std::uint8_t, size>& with) {
  return std::ranges::equal(bytes.first(size), std::as_bytes(std::span{with}));
}

}  // namespace

TrampolineKind trampoline_at(CodeMap& code, RemoteAddress call_end) {
  const Module* module = code.module_at(call_end);
  if (module == nullptr || !module->is_generated()) return TrampolineKind::none;
  const auto first = code.word_at(call_end - lead);
  const auto second = code.word_at(call_end - lead + word);
  if (!first || !second) return TrampolineKind::none;
  const std::array found{*first, *second};
  const auto bytes = std::as_bytes(std::span{found});
  if (begins_with(bytes, skips_a_word)) return TrampolineKind::skips_a_word;
  if (begins_with(bytes, frame_pointer)) return TrampolineKind::frame_pointer;
  return TrampolineKind::none;
}

}  // namespace gilspy
