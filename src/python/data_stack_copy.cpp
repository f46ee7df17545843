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
/// Copied beyond the end of the data where there are several chunks: between that look and the copy
/// a recursion grows by dozens of frames.
constexpr std::uint64_t deep_slack = 8192;
/// So many hold more frames than are shown (max_stack_depth, of 72 bytes or more).
constexpr std::size_t max_chunks = 40;
constexpr std::size_t max_cframes = 4;
/// How long a read takes is known after so many.
constexpr std::uint64_t reads_to_learn = 32;
constexpr int stalls_in_a_row = 6;

}  // namespace

/// Whether what was copied belongs together; if not, the guess is better now.
Result<bool> DataStack::copy(RemoteAddress thread, Guess& guess) {
  if (has_several_chunks(guess)) {
    // Chunks come and go: which of them is on top is looked at first.
    head_bytes_.resize(head_end() - head_begin());
    if (auto done = memory_.read(thread + head_begin(), head_bytes_); !done) {
      return fail(ErrorClass::drop_thread, "unreadable thread state");
    }
    top_chunk_ = in_head(layout_.at.thread.datastack_chunk);
    if (!choose_chunks(guess)) return learn_chunks(guess);
    Chunk& top = guess.chunks.back();
    const std::uint64_t used = in_head(layout_.at.thread.datastack_top) - top.at;
    top.used = used < top.size ? std::min(top.size, used + deep_slack) : top.size;
  }
  gather(thread, guess);
  const auto done = read_quickly(guess);
  if (!done) return tl::make_unexpected(done.error());
  return take(guess, *done);
}

void DataStack::ask(RemoteAddress thread, std::vector<ReadSlot>& slots) {
  Guess& guess = guesses_[thread];
  if (guess.chunks.empty() || has_several_chunks(guess)) return;
  gather(thread, guess);
  slots.insert(slots.end(), slots_.begin(), slots_.end());
}

/// All that is to be read at once.
void DataStack::gather(RemoteAddress thread, Guess& guess) {
  ++guess.reads;
  head_bytes_.resize(head_end() - head_begin());
  gather_lones(guess);
  slots_.clear();
  slots_.push_back({thread + head_begin(), head_bytes_});
  cframe_heads_.assign(guess.cframes.size(), {});
  for (std::size_t i = 0; i < guess.cframes.size(); ++i) {
    slots_.push_back({layout_.at.cframe.current_frame.in(guess.cframes[i]),
                      std::as_writable_bytes(std::span{&cframe_heads_[i], 1})});
  }
  if (through_cframe_) {
    slots_.push_back({layout_.at.thread.cframe.in(thread),
                      std::as_writable_bytes(std::span{&cframe_after_, 1})});
  }
  for (Piece& piece : pieces_) slots_.push_back({piece.at, piece.before});
  const auto add_chunk = [&](Chunk& chunk, std::uint64_t size) {
    chunk.bytes.resize(size);
    slots_.push_back({chunk.at, chunk.bytes});
  };
  if (!guess.chunks.empty()) add_chunk(guess.chunks.back(), guess.chunks.back().used);
  for (Piece& piece : pieces_) slots_.push_back({piece.at, piece.after});
  for (Chunk& chunk : guess.chunks | std::views::reverse | std::views::drop(1)) {
    add_chunk(chunk, chunk.size);
  }
  add_lowest_of_top(guess);
}

/// What came of it: as copy().
Result<bool> DataStack::take(Guess& guess, std::size_t done) {
  if (done == 0) return fail(ErrorClass::drop_thread, "unreadable thread state");
  head_ = in_head(first_);
  top_chunk_ = in_head(layout_.at.thread.datastack_chunk);
  data_end_ = in_head(layout_.at.thread.datastack_top);
  if (done < slots_.size()) {
    // Something that has gone stands in the way of what is behind it; a chunk, if there are
    // several, and it comes back.
    const bool chunks_only = has_several_chunks(guess) && !guess.gone;
    guess.gone = true;
    guess.cframes.clear();
    guess.lones.clear();
    if (!chunks_only) guess.chunks.clear();
    if (!chunks_only) guess.spares.clear();
    return false;
  }
  guess.gone = false;
  const RemoteAddress copied_top = guess.chunks.empty() ? RemoteAddress{} : guess.chunks.back().at;
  if (top_chunk_ != copied_top) return choose_chunks(guess) ? false : learn_chunks(guess);
  if (!chunks_agree(guess) || !is_lowest_still_there(guess)) return false;
  head_is_sure_ = !through_cframe_ || head_ == cframe_after_;
  if (through_cframe_ && !head_.is_null()) {
    if (auto found = find_head(guess); !found) return tl::make_unexpected(found.error());
  }
  return true;
}

/// The part of the thread state that is read: from the pointer to its frame to those to its data
/// stack, or the other way round.
std::uint64_t DataStack::head_begin() const {
  return static_cast<std::uint64_t>(
      std::min(first_.offset, layout_.at.thread.datastack_chunk.offset));
}

std::uint64_t DataStack::head_end() const {
  return static_cast<std::uint64_t>(
             std::max(first_.offset, layout_.at.thread.datastack_top.offset)) +
         word;
}

RemoteAddress DataStack::in_head(Field<RemoteAddress> field) const {
  return load<RemoteAddress>(head_bytes_, static_cast<std::uint64_t>(field.offset) - head_begin())
      .value_or(RemoteAddress{});
}

/// How long a read usually takes is the median: a stall may be of any length. Several in a row are
/// none, but there is more to read.
bool DataStack::is_stall(std::vector<Pace>& paces, std::size_t chunks, Duration took) {
  if (paces.size() <= chunks) paces.resize(chunks + 1);
  Pace& pace = paces[chunks];
  if (++pace.reads == 1) pace.usual = took;
  // Of the chunk on top more or less is copied; with others below it that has its own check.
  const Duration more = chunks > 1 ? pace.usual : pace.usual / 3;
  const bool stall = pace.reads > reads_to_learn && took > pace.usual + more;
  pace.shortest_stall = pace.stalls > 0 ? std::min(pace.shortest_stall, took) : took;
  pace.stalls = stall ? pace.stalls + 1 : 0;
  if (pace.stalls == stalls_in_a_row) {
    pace.usual = pace.shortest_stall;
    pace.stalls = 0;
  }
  const Duration step = pace.usual / 32;
  pace.usual += took > pace.usual ? step : -step;
  return stall;
}

/// The chunks below the one on top are copied after it. Nothing in them can change as long as the
/// lowest frame of that one is there: so that is looked at again at the end.
void DataStack::add_lowest_of_top(const Guess& guess) {
  lowest_again_.clear();
  if (guess.chunks.size() < 2) return;
  lowest_again_.resize(header_);
  const auto data = static_cast<std::uint64_t>(layout_.at.chunk.data.offset);
  slots_.push_back({guess.chunks.back().at + data, lowest_again_});
}

bool DataStack::is_lowest_still_there(const Guess& guess) const {
  if (lowest_again_.empty() || guess.chunks.empty()) return true;
  const auto data = static_cast<std::uint64_t>(layout_.at.chunk.data.offset);
  const Chunk& top = guess.chunks.back();
  const auto bytes = slice(top.bytes, data, header_);
  if (!bytes) return false;
  const Sight before = sight_of(top.at + data, *bytes);
  const Sight after = sight_of(top.at + data, lowest_again_);
  // Of a chunk's only frame the instruction moves on.
  return before.same_as(after);
}

/// Notices when we lost the CPU halfway: what was copied before and after that is from two moments,
/// and may look alike nevertheless.
Result<std::size_t> DataStack::read_quickly(Guess& guess) {
  const Time begun = now();
  auto done = memory_.read_batch(slots_);
  const Duration took = now() - begun;
  stalled_ = is_stall(guess.paces, guess.chunks.size(), took);
  return done;
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

/// Of the known chunks takes those that the thread has now. False when it has others.
bool DataStack::choose_chunks(Guess& guess) {
  std::ranges::move(guess.spares, std::back_inserter(guess.chunks));
  guess.spares.clear();
  const auto top = std::ranges::find(guess.chunks, top_chunk_, &Chunk::at);
  if (top == guess.chunks.end()) return top_chunk_.is_null() && guess.chunks.empty();
  std::ranges::move(top + 1, guess.chunks.end(), std::back_inserter(guess.spares));
  guess.chunks.erase(top + 1, guess.chunks.end());
  return true;
}

/// Reads the headers of the thread's chunks down to the first that is known. False, as they have to
/// be copied first.
Result<bool> DataStack::learn_chunks(Guess& guess) {
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
    if (!done && done.error().kind != ErrorClass::retry) return tl::make_unexpected(done.error());
    const StructView view{header};
    const std::uint64_t size = done ? view.get(at.size).value_or(0) : 0;
    if (size < at.struct_size || size > max_chunk) {
      guess.chunks.clear();
      return false;
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
  return false;
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
