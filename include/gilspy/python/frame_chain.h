#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/python/code_cache.h"
#include "gilspy/python/frame_position.h"
#include "gilspy/python/retry_pause.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// The frames of a running thread up to 3.10: objects on the heap, linked downwards by f_back.
///
/// A call takes less time than following one link does, so the frames of earlier reads are copied
/// all at once: those that lie close together, as frame objects that are used again and again do,
/// in one piece. The copy itself tells which of them are on the stack (they say that they execute)
/// and which is the topmost (none that executes was called from it). A link between two pieces
/// counts only if the piece that was copied first still says the same after the other one.
class FrameChain {
 public:
  FrameChain(MemoryReader& memory, const Layout& layout, CodeCache& codes);

  /// The frames of a thread, outermost first; the top max_stack_depth of them.
  /// Fails with `retry` when what was read does not hang together, or reads ran short.
  [[nodiscard]] Result<void> read(RemoteAddress thread, std::vector<FramePosition>& frames);

 private:
  struct Known {
    RemoteAddress at;
    std::size_t piece = 0;
    std::uint64_t used = 0;  ///< the read that found it on the stack last
  };
  struct Guess {
    std::vector<Known> frames;  ///< by address once they are copied
    std::uint64_t reads = 0;
  };
  struct Piece {
    RemoteAddress at;
    std::uint64_t size = 0;
    std::vector<std::byte> first, second;  ///< the second one after all other pieces
  };
  struct Sight {
    RemoteAddress at, type, previous, code;
    std::int32_t lasti = -1;
    bool executing = false;
    std::size_t piece = 0;
    [[nodiscard]] bool same_call(const Sight& other) const {
      return previous == other.previous && code == other.code && executing == other.executing;
    }
  };

  [[nodiscard]] Result<bool> copy(RemoteAddress thread, Guess& guess);
  void gather(Guess& guess);
  [[nodiscard]] Result<void> learn(Guess& guess);
  [[nodiscard]] bool climb(Guess& guess, std::vector<FramePosition>& frames);
  [[nodiscard]] bool is_sure(const Sight& lower, const Sight& upper) const;
  [[nodiscard]] Sight sight_of(RemoteAddress at, std::span<const std::byte> bytes) const;
  [[nodiscard]] Sight sight_in(const Known& frame, bool second) const;

  MemoryReader& memory_;
  const Layout& layout_;
  CodeCache& codes_;
  std::size_t header_;  // size of what is read of a frame
  std::unordered_map<RemoteAddress, Guess> guesses_;
  RemoteAddress head_;
  std::vector<Piece> pieces_;
  std::vector<ReadSlot> slots_;
  std::vector<Sight> executing_;  // by `previous`
  std::vector<FramePosition> found_;
  RetryPause pause_;
};

}  // namespace gilspy
