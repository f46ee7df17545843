#pragma once

#include <cstdint>

#include "gilspy/native/code_map.h"

namespace gilspy {

/// How a function without a frame description keeps the place to return to.
enum class TrampolineKind : std::uint8_t {
  none,           ///< it is no trampoline
  skips_a_word,   ///< the word above its stack pointer
  frame_pointer,  ///< likewise, and its stack pointer is at its caller's %rbp
};

/// Whether code at this address is the call in one of CPython's trampolines, told by its very
/// bytes. With `python -X perf` each Python function is run through a copy of that function of its
/// own, so that perf tells them apart (Python/perf_trampoline.c and asm_trampoline.S, from 3.12
/// on). They lie in memory that belongs to no file, and so are described nowhere.
[[nodiscard]] TrampolineKind trampoline_at(CodeMap& code, RemoteAddress call_end);

}  // namespace gilspy
