#pragma once

#include <cstdint>
#include <unordered_map>

#include "gilspy/os/stack_event.h"

namespace gilspy {

/// The threads' stack events. Each needs a descriptor and some locked memory, of which there is not
/// enough for hundreds of threads: so only those that were seen running lately have one.
class StackEvents {
 public:
  /// The thread's event; null when the kernel does not allow it one. Good until the next call.
  [[nodiscard]] StackEvent* of(Tid tid);
  /// Closes the thread's event, which has not answered: the next one is new.
  void drop(Tid tid) { events_.erase(tid); }
  /// False once the kernel has refused one although there was no other.
  [[nodiscard]] bool allowed() const { return allowed_; }
  /// The errno of that.
  [[nodiscard]] int why_not() const { return error_; }

 private:
  struct Held {
    StackEvent event;
    std::uint64_t used = 0;
  };
  void drop_oldest();

  std::unordered_map<Tid, Held> events_;
  std::uint64_t uses_ = 0;
  bool allowed_ = true;
  int error_ = 0;
};

}  // namespace gilspy
