// How the copy of a data stack is made: everything in one batched read, at places where the last
// read of the thread found them.

#include <algorithm>
#include <iterator>
#include <ranges>

#include "gilspy/python/data_stack.h"

namespace gilspy {
namespace {

constexpr std::uint64_t word = 8;
/// Chunks are of 16 KiB (DATA_STACK_CHUNK_SIZE, Include/internal/pycore_pystate.h), or larger for
/// one huge frame.
constexpr std::uint64_t max_chunk = 1U << 20;
constexpr std::uint64_t first_copy = 2048;
/// So many hold more frames than are shown (max_stack_depth, of 72 bytes or more).
constexpr std::size_t max_chunks = 40;
constexpr std::size_t max_cframes = 4;
/// Frames outside of the chunks that are no further apart than this are copied in one piece: a
/// piece takes 0.2 us to find, which is longer than a call. Smaller than a page, so that there is
/// nothing unmapped in between.
constexpr std::uint64_t max_gap = 2048;
constexpr std::uint64_t max_piece = 16384;

}  // namespace

/// Whether what was copied belongs together; if not, the guess is better now.
Result<bool> DataStack::copy(RemoteAddress thread, Guess& guess) {
  const auto& at = layout_.at.thread;
  const bool through_cframe = layout_.traits.frame_head == Traits::FrameHead::cframe;
  const auto first = through_cframe ? at.cframe : at.current_frame;
  const auto begin = static_cast<std::uint64_t>(std::min(first.offset, at.datastack_chunk.offset));
  const auto end =
      static_cast<std::uint64_t>(std::max(first.offset, at.datastack_top.offset)) + word;
  ++guess.reads;
  gather_lones(guess);
  slots_.clear();
  head_bytes_.resize(end - begin);
  slots_.push_back({thread + begin, head_bytes_});
  cframe_heads_.assign(guess.cframes.size(), {});
  for (std::size_t i = 0; i < guess.cframes.size(); ++i) {
    slots_.push_back({layout_.at.cframe.current_frame.in(guess.cframes[i]),
                      std::as_writable_bytes(std::span{&cframe_heads_[i], 1})});
  }
  RemoteAddress cframe_after;
  if (through_cframe) {
    slots_.push_back({at.cframe.in(thread), std::as_writable_bytes(std::span{&cframe_after, 1})});
  }
  for (Piece& piece : pieces_) slots_.push_back({piece.at, piece.before});
  const bool several = guess.chunks.size() + guess.spares.size() > 1;
  const auto add_chunk = [&](Chunk& chunk) {
    chunk.bytes.resize(several ? chunk.size : chunk.used);
    slots_.push_back({chunk.at, chunk.bytes});
  };
  if (!guess.chunks.empty()) add_chunk(guess.chunks.back());
  for (Piece& piece : pieces_) slots_.push_back({piece.at, piece.after});
  for (std::size_t i = 0; i + 1 < guess.chunks.size(); ++i) add_chunk(guess.chunks[i]);
  const std::size_t needed = slots_.size();
  for (Chunk& chunk : guess.spares) add_chunk(chunk);
  const auto done = read_quickly(guess);
  if (!done) return tl::make_unexpected(done.error());
  if (*done == 0) return fail(ErrorClass::drop_thread, "unreadable thread state");

  const auto pointer = [&](Field<RemoteAddress> field) {
    return load<RemoteAddress>(head_bytes_, static_cast<std::uint64_t>(field.offset) - begin)
        .value_or(RemoteAddress{});
  };
  head_ = pointer(first);
  top_chunk_ = pointer(at.datastack_chunk);
  data_end_ = pointer(at.datastack_top);
  if (*done < needed) {
    // Something that has gone stands in the way of what is behind it.
    guess = {.chunks = {},
             .spares = {},
             .whole = false,
             .cframes = {},
             .lones = {},
             .reads = guess.reads,
             .usual = {}};
    return false;
  }
  if (!choose_chunks(guess, *done - needed)) {
    if (auto learnt = learn_chunks(guess); !learnt) return tl::make_unexpected(learnt.error());
    return false;
  }
  if (!chunks_agree(guess)) return false;
  head_is_sure_ = !through_cframe || head_ == cframe_after;
  if (through_cframe && !head_.is_null()) {
    if (auto found = find_head(guess); !found) return tl::make_unexpected(found.error());
  }
  return true;
}

/// Notices when we lost the CPU halfway: what was copied before and after that is from two moments,
/// and may look alike nevertheless.
Result<std::size_t> DataStack::read_quickly(Guess& guess) {
  const Time begun = now();
  auto done = memory_.read_batch(slots_);
  const Duration took = now() - begun;
  stalled_ = guess.usual.count() > 0 && took > 2 * guess.usual;
  guess.usual += guess.usual.count() > 0 ? (took - guess.usual) / 16 : took;
  return done;
}

/// Puts frames outside of the chunks together to pieces.
void DataStack::gather_lones(Guess& guess) {
  std::ranges::sort(guess.lones, {}, &Lone::at);
  pieces_.clear();
  for (Lone& lone : guess.lones) {
    const bool near = !pieces_.empty() && lone.at - pieces_.back().at < max_piece &&
                      lone.at - (pieces_.back().at + pieces_.back().size) < max_gap;
    if (!near) pieces_.push_back({lone.at, 0, {}, {}});
    lone.piece = pieces_.size() - 1;
    pieces_.back().size = lone.at - pieces_.back().at + header_;
  }
  for (Piece& piece : pieces_) {
    piece.before.resize(piece.size);
    piece.after.resize(piece.size);
  }
}

/// From the cframe that the thread state showed to its frame.
Result<void> DataStack::find_head(Guess& guess) {
  const RemoteAddress cframe = head_;
  const auto known = std::ranges::find(guess.cframes, cframe);
  if (known != guess.cframes.end()) {
    head_ = cframe_heads_[static_cast<std::size_t>(known - guess.cframes.begin())];
    return {};
  }
  head_is_sure_ = false;
  const auto head = memory_.read_pointer(layout_.at.cframe.current_frame.in(cframe));
  if (!head) return tl::make_unexpected(head.error());
  head_ = *head;
  if (guess.cframes.size() >= max_cframes) guess.cframes.erase(guess.cframes.begin());
  guess.cframes.push_back(cframe);
  return {};
}

/// Of the chunks that were copied takes those that the thread has now. False when it has others.
bool DataStack::choose_chunks(Guess& guess, std::size_t spares_copied) {
  guess.spares.resize(spares_copied);
  std::ranges::move(guess.spares, std::back_inserter(guess.chunks));
  guess.spares.clear();
  const auto top = std::ranges::find(guess.chunks, top_chunk_, &Chunk::at);
  if (top == guess.chunks.end()) return top_chunk_.is_null() && guess.chunks.empty();
  std::ranges::move(top + 1, guess.chunks.end(), std::back_inserter(guess.spares));
  guess.chunks.erase(top + 1, guess.chunks.end());
  return true;
}

/// Reads the headers of the thread's chunks down to the first that is known.
Result<void> DataStack::learn_chunks(Guess& guess) {
  const auto& at = layout_.at.chunk;
  std::vector<Chunk> above;
  std::vector<std::byte> header(at.struct_size);
  for (RemoteAddress chunk = top_chunk_; !chunk.is_null() && above.size() < max_chunks;) {
    if (const auto known = std::ranges::find(guess.chunks, chunk, &Chunk::at);
        known != guess.chunks.end()) {
      guess.chunks.erase(known + 1, guess.chunks.end());
      break;
    }
    auto done = memory_.read(chunk, header);
    if (!done && done.error().kind != ErrorClass::retry) return done;
    const StructView view{header};
    const std::uint64_t size = done ? view.get(at.size).value_or(0) : 0;
    if (size < at.struct_size || size > max_chunk) {
      guess.chunks.clear();
      return {};
    }
    above.push_back({chunk, size, std::min(first_copy, size), {}});
    chunk = view.get(at.previous).value_or(RemoteAddress{});
    if (chunk.is_null()) guess.chunks.clear();
    guess.whole = chunk.is_null() || guess.whole;
  }
  if (above.size() == max_chunks) {
    guess.chunks.clear();
    guess.whole = false;
  }
  std::ranges::move(std::views::reverse(above), std::back_inserter(guess.chunks));
  return {};
}

/// The copied chunks are still one list.
bool DataStack::chunks_agree(Guess& guess) const {
  const auto& at = layout_.at.chunk;
  bool agree = true;
  for (std::size_t i = 0; i < guess.chunks.size(); ++i) {
    Chunk& chunk = guess.chunks[i];
    const StructView view{chunk.bytes};
    if (i > 0 || guess.whole) {
      const RemoteAddress below = i > 0 ? guess.chunks[i - 1].at : RemoteAddress{};
      agree = agree && view.get(at.previous) == below;
    }
    if (i + 1 == guess.chunks.size()) continue;
    const std::uint64_t words = view.get(at.top).value_or(0);
    chunk.used = static_cast<std::uint64_t>(at.data.offset) + words * word;
    agree = agree && words <= chunk.size / word;
  }
  if (!agree) guess.chunks.clear();
  return agree;
}

}  // namespace gilspy
