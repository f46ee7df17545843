// How the copy of a data stack is made: everything in one batched read, at places where the last
// read of the thread found them.

#include <algorithm>
#include <array>
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
      static_cast<std::uint64_t>(std::max(first.offset, at.datastack_chunk.offset)) + word;
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
  const std::size_t head_slots = slots_.size();
  for (Piece& piece : pieces_) slots_.push_back({piece.at, piece.before});
  const auto add_pieces_after = [this] {
    for (Piece& piece : pieces_) slots_.push_back({piece.at, piece.after});
  };
  for (std::size_t i = guess.chunks.size(); i > 0; --i) {
    Chunk& chunk = guess.chunks[i - 1];
    chunk.bytes.resize(chunk.used);
    slots_.push_back({chunk.at, chunk.bytes});
    if (i == guess.chunks.size()) add_pieces_after();
  }
  if (guess.chunks.empty()) add_pieces_after();
  const auto done = memory_.read_batch(slots_);
  if (!done) return tl::make_unexpected(done.error());
  if (*done == 0) return fail(ErrorClass::drop_thread, "unreadable thread state");
  if (*done < head_slots) guess.cframes.clear();
  // Something that has gone stands in the way of what is behind it.
  if (*done < slots_.size() && !guess.lones.empty()) {
    guess.lones.clear();
    return false;
  }

  const auto pointer = [&](Field<RemoteAddress> field) {
    return load<RemoteAddress>(head_bytes_, static_cast<std::uint64_t>(field.offset) - begin)
        .value_or(RemoteAddress{});
  };
  head_ = pointer(first);
  top_chunk_ = pointer(at.datastack_chunk);
  const RemoteAddress known = guess.chunks.empty() ? RemoteAddress{} : guess.chunks.back().at;
  if (*done < slots_.size() || top_chunk_ != known) {
    if (auto learnt = learn_chunks(top_chunk_, guess); !learnt) {
      return tl::make_unexpected(learnt.error());
    }
    return false;
  }
  if (!chunks_agree(guess)) return false;
  if (through_cframe && !head_.is_null()) {
    if (auto found = find_head(guess); !found) return tl::make_unexpected(found.error());
  }
  return true;
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
  const auto head = memory_.read_pointer(layout_.at.cframe.current_frame.in(cframe));
  if (!head) return tl::make_unexpected(head.error());
  head_ = *head;
  if (guess.cframes.size() >= max_cframes) guess.cframes.erase(guess.cframes.begin());
  guess.cframes.push_back(cframe);
  return {};
}

/// Reads the headers of the chunks that a thread has now.
Result<void> DataStack::learn_chunks(RemoteAddress top, Guess& guess) {
  const auto& at = layout_.at.chunk;
  const std::uint64_t wanted = guess.chunks.empty() ? first_copy : guess.chunks.back().used;
  guess.chunks.clear();
  std::vector<std::byte> header(at.struct_size);
  for (RemoteAddress chunk = top; !chunk.is_null() && guess.chunks.size() < max_chunks;) {
    if (auto done = memory_.read(chunk, header); !done) {
      guess.chunks.clear();
      return done.error().kind == ErrorClass::retry ? Result<void>{} : done;
    }
    const StructView view{header};
    const std::uint64_t size = view.get(at.size).value_or(0);
    const std::uint64_t words = view.get(at.top).value_or(0);
    const auto data = static_cast<std::uint64_t>(at.data.offset);
    const bool possible = size >= at.struct_size && size <= max_chunk && words <= size / word;
    const std::uint64_t used = chunk == top ? wanted : data + words * word;
    if (!possible || (chunk != top && used > size)) {
      guess.chunks.clear();
      return {};
    }
    guess.chunks.push_back({chunk, std::min(used, size), {}});
    chunk = view.get(at.previous).value_or(RemoteAddress{});
    guess.whole = chunk.is_null();
  }
  std::ranges::reverse(guess.chunks);
  return {};
}

/// The copied chunks are still one list, each as full as it was thought to be.
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
    const std::uint64_t used =
        static_cast<std::uint64_t>(at.data.offset) + view.get(at.top).value_or(0) * word;
    agree = agree && used == chunk.used;
  }
  if (!agree) guess.chunks.clear();
  return agree;
}

}  // namespace gilspy
