#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gilspy/os/proc.h"
#include "gilspy/python/interpreters.h"

namespace gilspy {

/// Tells whose thread state it really is. Up to 3.12 a sub-interpreter is run with the thread state
/// that was made with it, which keeps the ids of the thread that made it
/// (Modules/_xxsubinterpretersmodule.c); but its C frame lies on the stack of the one that runs it.
class StackOwners {
 public:
  /// The threads of the main interpreter (id 0) are who they say they are.
  StackOwners(std::uint64_t start_stack, std::span<const PythonInterpreter> interpreters);
  StackOwners(const ProcDir& process, std::span<const PythonInterpreter> interpreters);

  /// Gives a thread state the ids of the thread on whose stack its C frame lies.
  void correct(PythonThread& thread) const;

 private:
  struct Owner {
    std::uint64_t stack_top = 0;
    std::uint64_t ident = 0;
    std::uint64_t native_id = 0;
  };
  std::vector<Owner> owners_;  // by stack_top
  RemoteAddress main_interpreter_;
};

}  // namespace gilspy
