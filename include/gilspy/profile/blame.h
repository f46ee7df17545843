#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gilspy/profile/profile.h"

/// Profile::blame has a row per stack; people ask by function.
namespace gilspy {

/// Waiter-time that passed while a function was on top of the stack of the GIL's holder: a Python
/// function, or in a stack without any a native one.
struct FunctionBlame {
  Tid holder;  ///< no_thread: nobody held it, or it was not known who
  Tid waiter;
  std::string function;    ///< "" when no stack of the holder was sampled
  std::string file;        ///< as the target names it
  std::uint32_t line = 0;  ///< the line of the function with most blame; 0 when not known
  /// The native function with most blame that was on top of it, and its library; "" for none.
  std::string native;
  std::string library;
  /// Where that one is written, and the line where it begins; "" and 0 when not known.
  std::string native_file;
  std::uint32_t native_line = 0;
  Duration time{};
  /// So many rows of this holder and waiter in one, which have no place in common; 0: a single row.
  std::size_t rows = 0;
};

/// A row per holder, waiter and function on top of the holder; most time first.
[[nodiscard]] std::vector<FunctionBlame> blame_by_function(const Profile& profile);

/// The same, but no more than `most` single rows, those with most time. What is beyond them is one
/// row for each holder and waiter: the sums stay what they are.
[[nodiscard]] std::vector<FunctionBlame> largest_blame(const Profile& profile, std::size_t most);

/// A row per function, over all waiters and all holders that ran it; most time first. Its holder
/// and waiter are no_thread. The time in which nobody held the GIL is not in it: see
/// hand_over_wait().
[[nodiscard]] std::vector<FunctionBlame> worst_blockers(const Profile& profile);

/// Waiter-time that passed while nobody held the GIL, or while it was not known who did.
[[nodiscard]] Duration hand_over_wait(const Profile& profile);

/// The thread's name, "thread 123" for one without, "(hand-over)" for no_thread.
[[nodiscard]] std::string label_of(const Profile& profile, Tid tid);

}  // namespace gilspy
