#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/python/gil.h"

namespace gilspy {

/// Where a thread is, by what its libc keeps of it.
enum class PthreadPlace : std::uint8_t {
  unknown,     ///< this libc does not tell, or it could not be read
  gil_wait,    ///< inside pthread_cond_wait on one of the GIL's condition variables
  other_call,  ///< inside another call that may block: a read, a sleep, another lock's wait
  elsewhere,   ///< in none of these
};

/// Tells of a single thread whether it is inside a wait for the GIL, also when it has been woken
/// and only lacks a CPU: then it looks to the kernel like a thread that runs.
///
/// glibc's pthread_cond_wait names the condition variable in a cleanup handler, which the thread's
/// struct pthread points at for as long as it is in there (nptl/pthread_cond_wait.c,
/// __condvar_cleanup_waiting); two words behind that pointer it notes that the thread may be
/// cancelled at any moment, which is so inside system calls that may block (nptl/cancellation.c; up
/// to 2.40). Where in struct pthread that is differs between versions. It is learnt once per
/// target, from a thread that is known to be in there; a libc that has no such thing tells nothing.
class PthreadWaits {
 public:
  struct Question {
    std::uint64_t pthread = 0;                   ///< pthread_self() of the thread
    const GilReader* gil = nullptr;              ///< which it might wait for
    PthreadPlace place = PthreadPlace::unknown;  ///< the answer
  };

  [[nodiscard]] bool learnt() const { return mark_.has_value(); }
  /// Learns the place from a thread that blocks on one of the GIL's condition variables. It may
  /// have left them since it was seen there: then nothing is learnt, and another try is due.
  void learn(MemoryReader& memory, std::uint64_t pthread, const GilReader& gil);
  /// Answers all of them, in two batched reads.
  void look(MemoryReader& memory, std::span<Question> questions);

 private:
  /// How a thread's words lie.
  struct Mark {
    std::uint64_t offset = 0;    ///< of the pointer to the handler, in struct pthread
    std::uint64_t argument = 0;  ///< from the handler to its argument, on the thread's stack
    bool tells_other_calls = false;
  };
  struct ThreadWords {
    RemoteAddress handler;
    std::uint64_t jump_buffer = 0;
    std::uint64_t cancel_flags = 0;
  };
  /// struct _pthread_cleanup_buffer, as far as it matters (sysdeps/nptl/pthread.h).
  struct Handler {
    std::uint64_t routine = 0;
    RemoteAddress argument;
  };
  struct Found {
    Handler handler;
    RemoteAddress condition;
  };

  [[nodiscard]] static PthreadPlace place_of(const Mark& mark, const ThreadWords& words,
                                             const Found* found, const GilReader& gil);

  std::optional<Mark> mark_;
  int tries_ = 0;
  std::vector<ThreadWords> words_;  // kept to spare allocations, as all of these
  std::vector<Found> found_;
  std::vector<ReadSlot> slots_;
};

}  // namespace gilspy
