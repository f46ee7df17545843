#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "gilspy/native/code_map.h"
#include "gilspy/os/registers.h"

namespace gilspy {

/// A thread at one moment: its registers, as far as they are known, and a copy of its stack from
/// the stack pointer on, as much as there is of it.
struct ThreadImage {
  Registers registers;
  std::vector<std::byte> stack;
};

/// A function of a native stack, by an address inside of the instruction that it executes: of one
/// that has called another, the last byte of the call.
struct NativeFrame {
  RemoteAddress at;
  friend bool operator==(const NativeFrame&, const NativeFrame&) = default;
};

/// What a stack was found to be, from the top down.
struct Unwound {
  std::vector<NativeFrame> frames;  ///< those that are sure
  bool whole = false;               ///< the last of them is the thread's first function
  bool astray = false;              ///< it leads to where no code is known to be
};

/// Follows native stacks by the frame descriptions that compilers leave for exceptions
/// (.eh_frame): by nothing else, as a guess would show functions that were never called.
class Unwinder {
 public:
  explicit Unwinder(CodeMap& code);
  ~Unwinder();
  Unwinder(const Unwinder&) = delete;
  Unwinder& operator=(const Unwinder&) = delete;

  /// Stops where the descriptions, the registers or the copy of the stack do.
  [[nodiscard]] Unwound unwind(const ThreadImage& thread);
  /// To be called when code has come or gone.
  void forget();

 private:
  class Space;
  std::unique_ptr<Space> space_;
};

}  // namespace gilspy
