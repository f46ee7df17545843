#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "gilspy/base/memory_reader.h"
#include "gilspy/python/asked.h"
#include "gilspy/python/code_cache.h"
#include "gilspy/python/frame_position.h"
#include "gilspy/python/known_calls.h"
#include "gilspy/python/recent_map.h"
#include "gilspy/python/retry_pause.h"
#include "gilspy/python_offsets/layout.h"

namespace gilspy {

/// The frames of a running thread from 3.11 on, where calls put theirs one behind the other into
/// the thread's data stack, a list of chunks.
///
/// The target runs on meanwhile, and a call takes less time than two reads do. So no two reads are
/// put together: the chunk on top is copied once, and the copy itself tells how deep the stack was.
/// From its first frame on, the next one starts where this one ends, and it is there if it says
/// that it was called from this one, and is at an instruction of a code object that does not end a
/// frame. A popped frame's bytes stay behind, but at its end.
class DataStack {
 public:
  DataStack(MemoryReader& memory, const Layout& layout, CodeCache& codes)
      : memory_(memory),
        layout_(layout),
        codes_(codes),
        through_cframe_(layout.traits.frame_head == Traits::FrameHead::cframe),
        first_(through_cframe_ ? layout.at.thread.cframe : layout.at.thread.current_frame),
        header_(static_cast<std::uint64_t>(std::max(layout.at.frame.locals.offset, 0))) {}

  /// The frames of a thread that are Python functions, outermost first; the top max_stack_depth of
  /// them. What it finds is as true as the code cache's entries.
  /// Fails with `retry` when what was read does not hang together, or reads ran short.
  [[nodiscard]] Result<void> read(RemoteAddress thread, std::vector<FramePosition>& frames,
                                  WantedDepth& wanted, const std::optional<Answer>& answer = {});

  /// Adds what the next read() of the thread begins with, to be read in this order together with
  /// other things. That read() then gets the answer; nothing may be read in between. Adds nothing
  /// when it has to find out first where things are.
  void ask(RemoteAddress thread, std::vector<ReadSlot>& slots);

 private:
  static constexpr std::size_t not_read = SIZE_MAX;
  /// Copied beyond the last frame that was found.
  static constexpr std::uint64_t slack = 1024;
  /// A target that runs is hardly ever where it was at the last look, and not again at the next.
  static constexpr int looks_to_trust = 2;
  /// A thread that waits for the next chunk to be read has at most so many generators between two
  /// frames of its chunks.
  static constexpr int max_links = 256;
  struct Chunk {
    RemoteAddress at;
    std::uint64_t size = 0;
    std::uint64_t used = 0;  ///< bytes with frames in them; of the top one so many as are wanted
    std::vector<std::byte> bytes;
  };
  struct Sight {
    RemoteAddress at;
    RemoteAddress previous;
    FramePosition position;
    /// Outside of the chunks: what it was a moment later, when that is not the same; without code
    /// when it was nothing that runs.
    std::optional<FramePosition> rival;
    std::int8_t owner = 0;
    bool entry = false;    ///< called from C
    bool running = false;  ///< not in the middle of a call to another frame, nor at its end

    [[nodiscard]] bool same_as(const Sight& other) const {
      return owner == other.owner && previous == other.previous &&
             position.code == other.position.code;
    }
  };
  /// A frame outside of the chunks: a generator's, or the mark of an entry from C.
  /// Copied before the chunks and after them: it is the same one when both say so.
  struct Lone {
    RemoteAddress at;
    std::size_t piece = not_read;  ///< where its bytes are
    std::uint64_t used = 0;        ///< the read that needed it last
    std::uint64_t changed = 0;     ///< the read that found it called from elsewhere last
    bool mark = false;             ///< it has been the mark of a call from C
    Sight last;                    ///< as it was taken to be last
  };
  struct Piece {
    RemoteAddress at;
    std::uint64_t size = 0;
    std::vector<std::byte> before, after;
  };
  /// How long reads take.
  struct Pace {
    std::uint64_t reads = 0;
    Duration usual{};  ///< the median
    int stalls = 0;    ///< in a row, up to now
    Duration shortest_stall{};
  };
  /// What the last read of a thread found, so that the next one gets all it needs at once.
  struct Guess {
    std::vector<Chunk> chunks;  ///< the lowest one first
    std::vector<Chunk> spares;  ///< above those when the stack was deeper, likewise; not copied
    bool whole = false;         ///< the first of them is the thread's first
    std::vector<RemoteAddress> cframes;
    std::vector<Lone> lones;
    std::uint64_t reads = 0;
    bool gone = false;              ///< part of what the last read wanted was not there
    std::vector<Pace> paces;        ///< by the number of chunks
    std::vector<Pace> asked_paces;  ///< likewise, of reads together with other things
  };
  /// A frame found on the way up.
  struct Step {
    Sight sight;
    std::size_t frames_below = 0;  ///< functions on the stack below it and what leads to it
    std::size_t frames = 0;        ///< functions on the stack up to it
    bool from_c = false;
  };
  enum class Climb : std::uint8_t { done, short_copy, torn };

  /// A frame that current_frame leads to.
  struct Led {
    RemoteAddress at;
    FramePosition position;
    friend bool operator==(const Led&, const Led&) = default;
  };

  [[nodiscard]] bool settle(Guess& guess, std::vector<FramePosition>& frames, WantedDepth& wanted);
  [[nodiscard]] bool stands_still(Guess& guess, std::vector<FramePosition>& frames);
  [[nodiscard]] bool lead_down(Guess& guess);
  [[nodiscard]] bool is_in_its_code(const FramePosition& position);
  [[nodiscard]] std::optional<Sight> copied_frame(Guess& guess, RemoteAddress at);
  [[nodiscard]] Result<bool> copy(RemoteAddress thread, Guess& guess);
  void gather(RemoteAddress thread, Guess& guess);
  [[nodiscard]] Result<bool> take(Guess& guess, std::size_t done);
  [[nodiscard]] std::uint64_t head_begin() const;
  [[nodiscard]] std::uint64_t head_end() const;
  [[nodiscard]] RemoteAddress in_head(Field<RemoteAddress> field) const;
  [[nodiscard]] static bool has_several_chunks(const Guess& guess) {
    return guess.chunks.size() + guess.spares.size() > 1;
  }
  [[nodiscard]] Result<std::size_t> read_quickly(Guess& guess);
  void gather_lones(Guess& guess);
  [[nodiscard]] Result<void> find_head(Guess& guess);
  [[nodiscard]] Result<bool> learn_chunks(Guess& guess);
  [[nodiscard]] bool choose_chunks(Guess& guess);
  [[nodiscard]] static bool is_stall(std::vector<Pace>& paces, std::size_t chunks, Duration took);
  void add_lowest_of_top(const Guess& guess);
  [[nodiscard]] bool is_lowest_still_there(const Guess& guess) const;
  [[nodiscard]] bool chunks_agree(Guess& guess) const;
  [[nodiscard]] Climb climb(Guess& guess);
  [[nodiscard]] Climb climb_chunk(Guess& guess, std::size_t index);
  [[nodiscard]] bool step_onto(Guess& guess, const Sight& sight);
  void depth_now(Guess& guess, WantedDepth& wanted);
  [[nodiscard]] std::optional<std::size_t> depth_of(Guess& guess, RemoteAddress frame);
  [[nodiscard]] static RemoteAddress last_caller(const Guess& guess, RemoteAddress frame);
  [[nodiscard]] std::size_t depth_up_to(const Guess& guess, RemoteAddress end);
  [[nodiscard]] bool is_refusal_right();
  [[nodiscard]] bool is_live(const Sight& sight);
  [[nodiscard]] bool fits(const CodeCache::Code& code, const Sight& sight) const;
  [[nodiscard]] bool may_be_leaving(const Sight& sight) const;
  [[nodiscard]] bool link(Guess& guess, RemoteAddress from, RemoteAddress to);
  void mark_entries();
  void push_links();
  void settle_rivals(RemoteAddress caller, RemoteAddress callee);
  void learn_calls();
  void drop_raised(const Guess& guess);
  void add_generators_on_top(Guess& guess);
  [[nodiscard]] std::optional<Sight> lone(Guess& guess, RemoteAddress at);
  void learn_lone(Guess& guess, const Sight& sight);
  [[nodiscard]] Sight either(const Lone& lone, const Sight& before, const Sight& after,
                             bool settled);
  [[nodiscard]] bool is_called_from_c(const Sight& sight) const;
  [[nodiscard]] static bool has_been_mark(const Guess& guess, RemoteAddress at);
  [[nodiscard]] static bool meets_generators(const Guess& guess);
  [[nodiscard]] bool has_just_begun(const Sight& sight) const;
  [[nodiscard]] bool has_ended(const Sight& sight) const;
  [[nodiscard]] bool is_mark(const Sight& sight) const;
  [[nodiscard]] Sight sight_of(RemoteAddress at, std::span<const std::byte> bytes) const;
  [[nodiscard]] static bool in_chunks(const Guess& guess, RemoteAddress at);

  MemoryReader& memory_;
  const Layout& layout_;
  CodeCache& codes_;
  bool through_cframe_;         // current_frame is in a struct on the C stack
  Field<RemoteAddress> first_;  // of the thread state: what leads to current_frame
  std::uint64_t header_;        // size of a frame but for its variables
  /// Each takes up some kilobytes.
  static constexpr std::size_t guesses_spared = 64;
  RecentMap<RemoteAddress, Guess> guesses_{guesses_spared};  // by thread state
  std::vector<std::byte> head_bytes_;
  std::vector<std::byte>
      lowest_again_;  // the lowest frame of the chunk on top; empty: the only one
  std::vector<RemoteAddress> cframe_heads_;
  RemoteAddress cframe_after_;
  std::vector<ReadSlot> slots_;
  std::vector<Piece> pieces_;
  RemoteAddress head_;         // current_frame, as read before the chunk
  bool head_is_sure_ = false;  // and the thread's only one at that moment
  RemoteAddress top_chunk_;
  RemoteAddress data_end_;           // where the next frame of a call would begin, likewise
  bool stalled_ = false;             // we lost the CPU in the middle of it
  bool doubtful_ = false;            // something outside of the chunks changed meanwhile
  std::vector<Sight> begun_;         // frames that were at their beginning
  std::vector<Sight> begun_before_;  // those of the read before
  RemoteAddress refused_;            // the code object by which the climb's last frame was no frame
  std::vector<Step> steps_;
  std::vector<Sight> links_;  // between two frames of the chunks, the upper one first
  KnownCalls calls_;
  bool any_lone_ = false;   // frames outside of the chunks are part of what was found
  bool any_rival_ = false;  // and one of them was not the same before and after the chunk
  std::vector<FramePosition> found_;
  bool close_ = false;           // the best so far is as deep as need be
  std::size_t distance_ = 0;     // of the best so far to what is wanted
  std::vector<Led> led_;         // the top one first
  std::vector<Led> led_before_;  // at the look before
  int same_looks_ = 0;           // in a row, that led to the same as the one before
  RetryPause pause_;
};

}  // namespace gilspy
