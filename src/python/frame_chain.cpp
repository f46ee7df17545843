#include "gilspy/python/frame_chain.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <span>
#include <unordered_set>
#include <utility>

namespace gilspy {
namespace {

/// Reads of one stack before it is given up. A read that was guessed wrong teaches the next one.
constexpr int max_reads = 40;
/// From so many frames on a chain that stayed the same around the look at the top is enough.
constexpr std::size_t deep = 64;
/// Frames no further apart than this are copied in one piece. Smaller than a page, so that there is
/// nothing unmapped in between.
constexpr std::uint64_t max_gap = 2048;
constexpr std::uint64_t max_piece = 16384;
constexpr std::size_t max_known = 2 * max_stack_depth;
/// Frames not seen on the stack for so many reads are forgotten: each piece more keeps the others
/// apart by 0.2 to 0.4 us.
constexpr std::uint64_t max_age = 128;
/// A frame that was called from the same one in so many reads is taken to have no other caller.
constexpr std::uint64_t settled_after = 24;

}  // namespace

FrameChain::FrameChain(MemoryReader& memory, const Layout& layout)
    : memory_(memory), layout_(layout) {
  const auto& at = layout.at.frame;
  const std::array ends{at.previous.offset + 8, at.code.offset + 8, at.lasti.offset + 4,
                        at.executing.offset + 1};
  header_ = static_cast<std::size_t>(*std::ranges::max_element(ends));
}

Result<void> FrameChain::read(RemoteAddress thread, std::vector<FramePosition>& frames,
                              WantedDepth& wanted, const std::optional<Answer>& answer) {
  guesses_.trim(now());
  Guess& guess = guesses_[thread];
  frames.clear();
  std::size_t distance = 0;
  for (int reads = 0; reads < max_reads; ++reads) {
    if (reads > 0 && reads % RetryPause::reads_before_rest == 0) RetryPause::rest();
    ++wanted.looks;
    if (wanted.frames) pause_.wait();
    const auto copied = reads == 0 && answer ? take(guess, answer->slots) : copy(thread, guess);
    if (!copied) return tl::make_unexpected(copied.error());
    if (head_.is_null()) return {};
    if (!*copied) continue;
    const bool sure = follow(guess);
    if (!unknown_.is_null()) {
      if (auto learnt = learn(unknown_, guess); !learnt) return learnt;
      continue;
    }
    if (chain_.empty()) continue;
    // How deep it was is told by the thread's own pointer to its top.
    if (!wanted.frames) wanted.frames = chain_.size();
    if (!sure && (!climb(guess) || chain_.empty())) continue;
    const std::size_t depth = chain_.size();
    if (!frames.empty() && wanted.off(depth) >= distance) continue;
    keep(depth, frames);
    distance = wanted.off(depth);
    if (wanted.close(depth)) return {};
  }
  if (!frames.empty()) return {};
  return fail(ErrorClass::retry, "the frames do not hang together");
}

/// The lowest `count` frames of the chain, or as many of them as are shown.
void FrameChain::keep(std::size_t count, std::vector<FramePosition>& frames) const {
  frames.clear();
  const auto lowest = std::span{chain_}.last(count);
  const auto shown = lowest.first(std::min(count, max_stack_depth));
  for (const Sight& sight : std::views::reverse(shown)) {
    frames.push_back({sight.code, {}, sight.lasti});
  }
}

/// The thread's topmost frame, and all frames that are known; false when one of them has gone.
Result<bool> FrameChain::copy(RemoteAddress thread, Guess& guess) {
  gather(thread, guess);
  const auto done = memory_.read_batch(slots_);
  if (!done) return tl::make_unexpected(done.error());
  return take(guess, *done);
}

void FrameChain::ask(RemoteAddress thread, std::vector<ReadSlot>& slots) {
  gather(thread, guesses_[thread]);
  slots.insert(slots.end(), slots_.begin(), slots_.end());
}

/// All that is to be read at once.
void FrameChain::gather(RemoteAddress thread, Guess& guess) {
  ++guess.reads;
  gather_pieces(guess);
  slots_.clear();
  slots_.push_back(
      {layout_.at.thread.frame.in(thread), std::as_writable_bytes(std::span{&head_, 1})});
  for (Piece& piece : pieces_) slots_.push_back({piece.at, piece.first});
  // The last piece is not copied twice: the others are compared around it.
  for (Piece& piece : std::views::reverse(pieces_) | std::views::drop(1)) {
    slots_.push_back({piece.at, piece.second});
  }
}

/// What came of it: as copy().
Result<bool> FrameChain::take(Guess& guess, std::size_t done) {
  if (done == 0) return fail(ErrorClass::drop_thread, "unreadable thread state");
  if (done < slots_.size()) {
    // One of the frames has gone, with the memory around it.
    guess.frames.clear();
    return false;
  }
  if (!pieces_.empty()) pieces_.back().second = pieces_.back().first;
  return true;
}

void FrameChain::gather_pieces(Guess& guess) {
  if (guess.frames.size() > max_known) guess.frames.clear();
  std::erase_if(guess.frames,
                [&](const Known& frame) { return frame.used + max_age < guess.reads; });
  std::ranges::sort(guess.frames, {}, &Known::at);
  pieces_.clear();
  for (Known& frame : guess.frames) {
    const bool near = !pieces_.empty() && frame.at - pieces_.back().at < max_piece &&
                      frame.at - pieces_.back().at < pieces_.back().size + max_gap;
    if (!near) pieces_.push_back({frame.at, 0, {}, {}});
    frame.piece = pieces_.size() - 1;
    pieces_.back().size = frame.at - pieces_.back().at + header_;
  }
  for (Piece& piece : pieces_) {
    piece.first.resize(piece.size);
    piece.second.resize(piece.size);
  }
}

/// Follows the links from a frame to those that are known.
Result<void> FrameChain::learn(RemoteAddress from, Guess& guess) {
  std::unordered_set<RemoteAddress> known;
  for (const Known& frame : guess.frames) known.insert(frame.at);
  std::vector<std::byte> bytes(header_);
  for (RemoteAddress at = from; !at.is_null() && known.size() < max_known;) {
    if (!known.insert(at).second) return {};
    if (auto done = memory_.read(at, bytes); !done) {
      return done.error().kind == ErrorClass::retry ? Result<void>{} : done;
    }
    guess.frames.push_back({at, 0, guess.reads, guess.reads, {}, {}});
    at = sight_of(at, bytes).previous;
  }
  return {};
}

/// Follows the links down from the topmost frame. True when all of them were there at that moment:
/// they are the same in both copies, and have not been called from anywhere else for long (of a
/// deep stack the first is enough).
bool FrameChain::follow(Guess& guess) {
  chain_.clear();
  unknown_ = {};
  bool same = true;
  bool all_settled = true;
  bool executing = false;
  for (RemoteAddress at = head_; !at.is_null();) {
    if (chain_.size() > guess.frames.size()) {
      chain_.clear();  // it goes in a circle
      return false;
    }
    const auto known = std::ranges::lower_bound(guess.frames, at, {}, &Known::at);
    if (known == guess.frames.end() || known->at != at) {
      unknown_ = at;
      return false;
    }
    const Sight first = sight_in(*known, false);
    const Sight second = sight_in(*known, true);
    // Null is what a generator is linked to while it does not run: it comes and goes.
    const bool linked = !second.previous.is_null();
    if (known->code != second.code || (linked && known->previous != second.previous)) {
      known->changed = guess.reads;
      known->previous = {};
    }
    known->code = second.code;
    if (linked) known->previous = second.previous;
    known->used = guess.reads;
    const bool settled = known->changed + settled_after < guess.reads;
    const bool yielded = !linked && !second.executing && settled && !known->previous.is_null();
    all_settled = all_settled && settled;
    same = same && (yielded || first.same_call(second) || (settled && first.previous.is_null()));
    // Without such a link it is the first frame of a thread only if it executes.
    executing = first.executing && second.executing;
    chain_.push_back(second);
    at = yielded ? known->previous : second.previous;
  }
  return same && executing && (all_settled || chain_.size() > deep);
}

/// From the frame that nothing called up to the one that has called nothing, as the first copies
/// show them. True when they were there at the same time.
bool FrameChain::climb(Guess& guess) {
  executing_.clear();
  RemoteAddress type;
  for (const Known& frame : guess.frames) {
    const Sight sight = sight_in(frame, false);
    if (frame.at == head_) type = sight.type;
    if (sight.executing) executing_.push_back(sight);
  }
  std::erase_if(executing_, [&](const Sight& sight) { return sight.type != type; });
  std::ranges::sort(executing_, {}, &Sight::previous);
  const std::vector<Sight> from_top = std::exchange(chain_, {});
  bool sure = true;
  Sight lower;
  for (std::size_t count = 0; count <= executing_.size(); ++count) {
    const auto above = std::ranges::equal_range(executing_, lower.at, {}, &Sight::previous);
    if (above.empty()) break;
    const Sight& upper = above.front();
    sure = sure && above.size() == 1 && (chain_.empty() || is_sure(lower, upper));
    if (above.size() > 1) forget_others(guess, above, from_top);
    chain_.push_back(upper);
    lower = upper;
    const auto known = std::ranges::lower_bound(guess.frames, upper.at, {}, &Known::at);
    if (known != guess.frames.end() && known->at == upper.at) known->used = guess.reads;
  }
  std::ranges::reverse(chain_);
  return sure;
}

/// Of frames that were all called from one, at most one is what it seems; the memory of the others
/// may have been freed long ago.
void FrameChain::forget_others(Guess& guess, std::span<const Sight> rivals,
                               std::span<const Sight> chain) {
  for (const Sight& rival : rivals) {
    if (std::ranges::find(chain, rival.at, &Sight::at) != chain.end()) continue;
    std::erase_if(guess.frames, [&](const Known& frame) { return frame.at == rival.at; });
  }
}

/// Whether the two were there at the same time: within one piece they were, and otherwise if the
/// one that was copied first was still the same when it was copied again.
bool FrameChain::is_sure(const Sight& lower, const Sight& upper) const {
  if (lower.piece == upper.piece) return true;
  const Sight& earlier = lower.piece < upper.piece ? lower : upper;
  Known known;
  known.at = earlier.at;
  known.piece = earlier.piece;
  const Sight again = sight_in(known, true);
  return earlier.same_call(again) && again.executing;
}

FrameChain::Sight FrameChain::sight_in(const Known& frame, bool second) const {
  const Piece& piece = pieces_[frame.piece];
  const std::span<const std::byte> bytes{second ? piece.second : piece.first};
  Sight sight = sight_of(frame.at, bytes.subspan(frame.at - piece.at, header_));
  sight.piece = frame.piece;
  return sight;
}

FrameChain::Sight FrameChain::sight_of(RemoteAddress at, std::span<const std::byte> bytes) const {
  const auto& field = layout_.at.frame;
  const StructView view{bytes};
  Sight sight;
  sight.at = at;
  sight.type = view.get(layout_.at.object.type).value_or(RemoteAddress{});
  sight.previous = view.get(field.previous).value_or(RemoteAddress{});
  sight.code = view.get(field.code).value_or(RemoteAddress{});
  sight.lasti = view.get(field.lasti).value_or(-1);
  sight.executing = view.get(field.executing) == layout_.traits.executing;
  return sight;
}

}  // namespace gilspy
