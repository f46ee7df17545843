#include "stack_owners.h"

#include <algorithm>

namespace gilspy {
namespace {

/// No thread's stack is larger (ulimit -s, threading.stack_size).
constexpr std::uint64_t largest_stack = std::uint64_t{1} << 30;

bool has_c_frames(std::span<const PythonInterpreter> interpreters) {
  return interpreters.size() > 1 && std::ranges::any_of(interpreters, [](const auto& interpreter) {
           return std::ranges::any_of(interpreter.threads, [](const PythonThread& thread) {
             return !thread.c_frame.is_null();
           });
         });
}

}  // namespace

StackOwners::StackOwners(const ProcDir& process, std::span<const PythonInterpreter> interpreters) {
  if (!has_c_frames(interpreters)) return;
  const auto stat = process.stat();
  if (stat) *this = StackOwners{stat->start_stack, interpreters};
}

StackOwners::StackOwners(std::uint64_t start_stack,
                         std::span<const PythonInterpreter> interpreters) {
  const auto main = std::ranges::find(interpreters, 0, &PythonInterpreter::id);
  if (main == interpreters.end()) return;
  main_interpreter_ = main->address;
  for (const PythonThread& thread : main->threads) {
    // pthread_self() is the address of glibc's descriptor, which lies on top of the thread's stack.
    owners_.push_back({thread.ident, thread.ident, thread.native_id});
  }
  // The oldest thread state, the last of the list, is the main thread's, whose stack is the
  // process's.
  if (!owners_.empty()) owners_.back().stack_top = start_stack;
  std::ranges::sort(owners_, {}, &Owner::stack_top);
}

void StackOwners::correct(PythonThread& thread) const {
  if (owners_.empty() || thread.interpreter == main_interpreter_) return;
  const std::uint64_t frame = thread.c_frame.value();
  const auto above = std::ranges::upper_bound(owners_, frame, {}, &Owner::stack_top);
  if (above == owners_.end() || above->stack_top - frame > largest_stack) return;
  thread.ident = above->ident;
  thread.native_id = above->native_id;
}

}  // namespace gilspy
