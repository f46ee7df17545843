#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/python/asked.h"
#include "gilspy/python/frame_position.h"
#include "gilspy/python/recent_map.h"
#include "gilspy/python/retry_pause.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// The frames of a running thread up to 3.10: objects on the heap, linked downwards by f_back.
///
/// A call takes less time than following one link does. So the frames of earlier reads are copied
/// all at once (those that lie close together in one piece), then the thread's pointer to the
/// topmost one, and then the frames again: what was the same before and after it was so at that
/// moment. Frame objects are used again and again, those of a function by the same function, so
/// that what has returned in between still says what it was.
class FrameChain {
 public:
  FrameChain(MemoryReader& memory, const Layout& layout);

  /// The frames of a thread, outermost first; the top max_stack_depth of them.
  /// Fails with `retry` when what was read does not hang together, or reads ran short.
  [[nodiscard]] Result<void> read(RemoteAddress thread, std::vector<FramePosition>& frames,
                                  WantedDepth& wanted, const std::optional<Answer>& answer = {});

  /// As DataStack::ask.
  void ask(RemoteAddress thread, std::vector<ReadSlot>& slots);

 private:
  struct Known {
    RemoteAddress at;
    std::size_t piece = 0;
    std::uint64_t used = 0;     ///< the read that found it on the stack last
    std::uint64_t changed = 0;  ///< the read that found it called from elsewhere last
    RemoteAddress code, previous;
  };
  struct Guess {
    std::vector<Known> frames;  ///< by address once they are copied
    std::uint64_t reads = 0;
  };
  struct Piece {
    RemoteAddress at;
    std::uint64_t size = 0;
    std::vector<std::byte> first, second;  ///< before the look at the top, and after it
  };
  struct Sight {
    RemoteAddress at, type, previous, code;
    std::int32_t lasti = -1;
    bool executing = false;
    std::size_t piece = 0;
    [[nodiscard]] bool same_call(const Sight& other) const {
      return type == other.type && previous == other.previous && code == other.code;
    }
  };

  [[nodiscard]] Result<bool> copy(RemoteAddress thread, Guess& guess);
  void gather(RemoteAddress thread, Guess& guess);
  [[nodiscard]] Result<bool> take(Guess& guess, std::size_t done);
  void gather_pieces(Guess& guess);
  [[nodiscard]] Result<void> learn(RemoteAddress from, Guess& guess);
  [[nodiscard]] bool follow(Guess& guess);
  [[nodiscard]] bool climb(Guess& guess);
  [[nodiscard]] bool is_sure(const Sight& lower, const Sight& upper) const;
  static void forget_others(Guess& guess, std::span<const Sight> rivals,
                            std::span<const Sight> chain);
  void keep(std::size_t count, std::vector<FramePosition>& frames) const;
  [[nodiscard]] Sight sight_of(RemoteAddress at, std::span<const std::byte> bytes) const;
  [[nodiscard]] Sight sight_in(const Known& frame, bool second) const;

  MemoryReader& memory_;
  const Layout& layout_;
  std::size_t header_;  // size of what is read of a frame
  /// Each takes up some kilobytes.
  static constexpr std::size_t guesses_spared = 64;
  RecentMap<RemoteAddress, Guess> guesses_{guesses_spared};  // by thread state
  RemoteAddress head_;
  RemoteAddress unknown_;  // a frame of the chain that was not copied
  std::vector<Piece> pieces_;
  std::vector<ReadSlot> slots_;
  std::vector<Sight> chain_;      // from the top
  std::vector<Sight> executing_;  // by `previous`
  RetryPause pause_;
};

}  // namespace gilspy
