#include "gilspy/python/frame_chain.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <unordered_set>

namespace gilspy {
namespace {

/// Reads of one stack before it is given up. A read that was guessed wrong teaches the next one.
constexpr int max_reads = 40;
/// Frames no further apart than this are copied in one piece. Smaller than a page, so that there is
/// nothing unmapped in between.
constexpr std::uint64_t max_gap = 2048;
constexpr std::uint64_t max_piece = 16384;
/// Frames not seen on the stack for so many reads are forgotten.
constexpr std::uint64_t max_age = 512;
constexpr std::size_t max_known = 2 * max_stack_depth;
constexpr std::size_t max_guesses = 4096;

}  // namespace

FrameChain::FrameChain(MemoryReader& memory, const Layout& layout, CodeCache& codes)
    : memory_(memory), layout_(layout), codes_(codes) {
  const auto& at = layout.at.frame;
  const std::array ends{at.previous.offset + 8, at.code.offset + 8, at.lasti.offset + 4,
                        at.executing.offset + 1};
  header_ = static_cast<std::size_t>(*std::ranges::max_element(ends));
}

Result<void> FrameChain::read(RemoteAddress thread, std::vector<FramePosition>& frames) {
  if (guesses_.size() > max_guesses) guesses_.clear();
  Guess& guess = guesses_[thread];
  frames.clear();
  std::optional<std::size_t> wanted_depth;
  for (int reads = 0; reads < max_reads; ++reads) {
    const auto copied = copy(thread, guess);
    if (!copied) return tl::make_unexpected(copied.error());
    if (!*copied) continue;
    if (head_.is_null()) return {};
    const bool sure = climb(guess, found_);
    // Taking whatever is sure instead would show too few of the stacks that change fast.
    if (!sure && !wanted_depth) wanted_depth = found_.size();
    if (wanted_depth) pause_.wait();
    if (!sure || found_.empty()) continue;
    frames = found_;
    if (!wanted_depth || *wanted_depth == found_.size()) return {};
  }
  if (!frames.empty()) return {};
  return fail(ErrorClass::retry, "the frames do not hang together");
}

/// The thread's topmost frame, and all frames that are known; false when there was a new one.
Result<bool> FrameChain::copy(RemoteAddress thread, Guess& guess) {
  ++guess.reads;
  gather(guess);
  slots_.clear();
  slots_.push_back(
      {layout_.at.thread.frame.in(thread), std::as_writable_bytes(std::span{&head_, 1})});
  for (Piece& piece : pieces_) slots_.push_back({piece.at, piece.first});
  for (Piece& piece : std::views::reverse(pieces_) | std::views::drop(1)) {
    slots_.push_back({piece.at, piece.second});
  }
  const auto done = memory_.read_batch(slots_);
  if (!done) return tl::make_unexpected(done.error());
  if (*done == 0) return fail(ErrorClass::drop_thread, "unreadable thread state");
  if (*done < slots_.size()) {
    guess.frames.clear();
    return false;
  }
  if (!pieces_.empty()) pieces_.back().second = pieces_.back().first;
  if (head_.is_null()) return true;
  const auto known = std::ranges::lower_bound(guess.frames, head_, {}, &Known::at);
  if (known != guess.frames.end() && known->at == head_) return true;
  if (auto learnt = learn(guess); !learnt) return tl::make_unexpected(learnt.error());
  return false;
}

void FrameChain::gather(Guess& guess) {
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

/// Follows the links from the topmost frame to those that are known.
Result<void> FrameChain::learn(Guess& guess) {
  std::unordered_set<RemoteAddress> known;
  for (const Known& frame : guess.frames) known.insert(frame.at);
  std::vector<std::byte> bytes(header_);
  for (RemoteAddress at = head_; !at.is_null() && known.size() < max_known;) {
    if (!known.insert(at).second) return {};
    if (auto done = memory_.read(at, bytes); !done) {
      return done.error().kind == ErrorClass::retry ? Result<void>{} : done;
    }
    guess.frames.push_back({at, 0, guess.reads});
    at = sight_of(at, bytes).previous;
  }
  return {};
}

/// From the frame that nothing called up to the one that has called nothing. True when it is sure.
bool FrameChain::climb(Guess& guess, std::vector<FramePosition>& frames) {
  executing_.clear();
  RemoteAddress type;
  for (const Known& frame : guess.frames) {
    const Sight sight = sight_in(frame, false);
    if (frame.at == head_) type = sight.type;
    if (sight.executing) executing_.push_back(sight);
  }
  std::erase_if(executing_, [&](const Sight& sight) { return sight.type != type; });
  std::ranges::sort(executing_, {}, &Sight::previous);
  frames.clear();
  bool sure = true;
  Sight lower;
  for (std::size_t count = 0; count <= executing_.size(); ++count) {
    const auto above = std::ranges::equal_range(executing_, lower.at, {}, &Sight::previous);
    if (above.empty()) break;
    const Sight& upper = above.front();
    sure = sure && above.size() == 1 && (frames.empty() || is_sure(lower, upper));
    frames.push_back({upper.code, {}, upper.lasti});
    lower = upper;
    std::ranges::lower_bound(guess.frames, upper.at, {}, &Known::at)->used = guess.reads;
  }
  const auto over = frames.size() - std::min(frames.size(), max_stack_depth);
  frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(over));
  return sure;
}

/// Whether the two were there at the same time.
bool FrameChain::is_sure(const Sight& lower, const Sight& upper) const {
  if (lower.piece == upper.piece) return true;
  const Sight& earlier = lower.piece < upper.piece ? lower : upper;
  return earlier.same_call(sight_in({earlier.at, earlier.piece, 0}, true));
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
