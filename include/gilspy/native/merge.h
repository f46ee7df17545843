#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// A thread's native stack and its Python stack put together: pure.
namespace gilspy {

/// What a native function is to somebody who reads a Python stack.
enum class NativeRole : std::uint8_t {
  plain,      ///< does the work: shown
  eval_loop,  ///< runs Python functions, which are shown in its place
  machinery,  ///< how the interpreter calls things, starts and stops: left out
  nameless,   ///< of the interpreter itself, in a stripped file: shown where it works, above all
              ///< that have a name; elsewhere most likely machinery
  gil_wait,   ///< takes or hands over the GIL, which the thread's state says: left out, and what it
              ///< calls as well
};

/// An interpreter is the file that has it.
inline constexpr std::string_view eval_loop_name = "_PyEval_EvalFrameDefault";

/// By the function's name, as readable_name() gives it.
[[nodiscard]] NativeRole role_of(std::string_view function);

/// A frame of the merged stack: an index into one of the two.
struct MergedFrame {
  bool native = false;
  std::size_t index = 0;
  friend bool operator==(const MergedFrame&, const MergedFrame&) = default;
};

struct Merged {
  std::vector<MergedFrame> frames;  ///< outermost first
  /// False: there are not as many eval loops as the Python stack says. Then the Python functions
  /// stand together below what the topmost loop calls.
  bool aligned = true;
};

/// Puts the Python functions in the place of the eval loops that run them.
/// `native`: from the top down; `whole`: it ends with the thread's first function, or else may have
/// more eval loops below. `from_c`: of each Python function, outermost first, whether C code called
/// it, in an eval loop of its own, or another Python function, in the loop that runs that one.
[[nodiscard]] Merged merge_stacks(std::span<const NativeRole> native, bool whole,
                                  const std::vector<bool>& from_c);

}  // namespace gilspy
