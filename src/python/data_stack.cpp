#include "gilspy/python/data_stack.h"

#include <algorithm>
#include <ranges>

namespace gilspy {
namespace {

/// Words of the data stack are pointers of the target's.
constexpr std::uint64_t word = 8;
/// Copied beyond the last frame that was found.
constexpr std::uint64_t slack = 1024;
/// Reads of one stack before it is given up. A read that was guessed wrong teaches the next one.
constexpr int max_reads = 64;
/// A thread that waits for the next chunk to be read has at most so many generators between two
/// frames of its chunks.
constexpr int max_links = 256;
/// Forgotten when so many other lone frames were seen since.
constexpr std::size_t max_lones = 24;
/// A generator that the same frame resumed in so many reads is taken to be resumed by no other.
constexpr std::uint64_t settled_after = 16;
/// A program that ran a generator in one of so many reads is looked at as one that uses them.
constexpr std::uint64_t lately = 256;
constexpr std::size_t max_guesses = 4096;

}  // namespace

Result<void> DataStack::read(RemoteAddress thread, std::vector<FramePosition>& frames) {
  if (guesses_.size() > max_guesses) guesses_.clear();
  Guess& guess = guesses_[thread];
  frames.clear();
  bool nothing_runs = false;
  std::optional<std::size_t> wanted_depth;
  for (int reads = 0; reads < max_reads; ++reads) {
    const auto copied = copy(thread, guess);
    if (!copied) return tl::make_unexpected(copied.error());
    if (!*copied) continue;
    if (head_.is_null()) {
      // 3.11 and 3.12 go through a struct on the C stack that is told its frame only a moment
      // later.
      if (nothing_runs) return {};
      nothing_runs = true;
      continue;
    }
    doubtful_ = false;
    if (climb(guess) != Climb::done) continue;
    drop_raised(guess);
    add_generators_on_top(guess);
    if (found_.empty()) {
      // Nothing but the mark of an entry from C, or what is there does not lead to it.
      const auto mark = in_chunks(guess, head_) ? std::nullopt : lone(guess, head_);
      if (mark && mark->owner >= layout_.traits.first_entry_owner) return {};
      continue;
    }
    // Taking whatever is sure instead would show too few of the stacks that change fast. Where
    // there are generators, how deep it was is told by current_frame, which is read at one moment.
    if (!wanted_depth && (doubtful_ || uses_generators(guess))) {
      const bool sure = !doubtful_;
      wanted_depth = depth_of(guess, head_).value_or(found_.size());
      doubtful_ = !sure;
    }
    if (doubtful_ || (wanted_depth && *wanted_depth != found_.size())) pause_.wait();
    if (doubtful_) continue;
    const auto keep = std::min(found_.size(), max_stack_depth);
    frames.assign(found_.end() - static_cast<std::ptrdiff_t>(keep), found_.end());
    if (!wanted_depth || *wanted_depth == found_.size()) return {};
  }
  if (!frames.empty()) return {};
  return fail(ErrorClass::retry, "the frames do not hang together");
}

bool DataStack::uses_generators(const Guess& guess) {
  return std::ranges::any_of(guess.lones, [&](const Lone& lone) {
    return lone.generator && lone.used + lately > guess.reads;
  });
}

/// How many frames lead to this one, whether it is still there or not.
std::optional<std::size_t> DataStack::depth_of(Guess& guess, RemoteAddress frame) {
  std::size_t above = 0;
  for (int i = 0; i < max_links && !frame.is_null(); ++i) {
    const auto step =
        std::ranges::find_if(steps_, [&](const Step& s) { return s.sight.at == frame; });
    if (step != steps_.end()) {
      return step->frames + above;
    }
    std::optional<Sight> sight;
    for (const Chunk& chunk : guess.chunks) {
      if (frame < chunk.at) continue;
      if (const auto bytes = slice(chunk.bytes, frame - chunk.at, header_)) {
        sight = sight_of(frame, *bytes);
      }
    }
    if (!sight) sight = lone(guess, frame);
    if (!sight) return std::nullopt;
    if (sight->owner < layout_.traits.first_entry_owner) ++above;
    frame = sight->previous;
  }
  return above;
}

/// Goes up from the first frame through all chunks.
DataStack::Climb DataStack::climb(Guess& guess) {
  steps_.clear();
  found_.clear();
  for (std::size_t i = 0; i < guess.chunks.size(); ++i) {
    if (const Climb result = climb_chunk(guess, i); result != Climb::done) return result;
  }
  return Climb::done;
}

DataStack::Climb DataStack::climb_chunk(Guess& guess, std::size_t index) {
  Chunk& chunk = guess.chunks[index];
  const bool on_top = index + 1 == guess.chunks.size();
  // push_chunk (Python/pystate.c) leaves the first word of a thread's first chunk unused.
  std::uint64_t at = static_cast<std::uint64_t>(layout_.at.chunk.data.offset) +
                     (index == 0 && guess.whole ? word : 0);
  bool live = true;
  while (live) {
    const auto bytes = slice(chunk.bytes, at, header_);
    if (!bytes) break;
    const Sight sight = sight_of(chunk.at + at, *bytes);
    live = step_onto(guess, sight);
    if (live) at += codes_.find(sight.position.code)->frame_size;
  }
  // A chunk below another one is full of frames that are there.
  if (!on_top) return at == chunk.used ? Climb::done : Climb::torn;
  const auto size = StructView{chunk.bytes}.get(layout_.at.chunk.size).value_or(0);
  if (live && at + header_ <= size) {
    chunk.used = std::min(size, std::max(2 * chunk.used, at + slack));
    return Climb::short_copy;
  }
  chunk.used = std::min(size, std::max(at + slack, chunk.used - chunk.used / 64));
  return Climb::done;
}

/// Whether there is a frame here, called from the topmost one found so far.
bool DataStack::step_onto(Guess& guess, const Sight& sight) {
  const bool first = steps_.empty();
  const RemoteAddress below = first ? RemoteAddress{} : steps_.back().sight.at;
  if (!is_live(sight)) return false;
  links_.clear();
  // Below the lowest chunk that is looked at there may be others.
  const bool linked = (first && !guess.whole) || link(guess, sight.previous, below);
  if (!linked) return false;
  const auto is_entry = [this](const Sight& between) {
    return between.owner >= layout_.traits.first_entry_owner;
  };
  const bool from_c = sight.entry || std::ranges::any_of(links_, is_entry);
  // A frame that runs has not called another one but through C: these are the remains of one that
  // left by an exception.
  if (!first && links_.empty() && !from_c && steps_.back().sight.running) return false;
  const std::size_t frames_below = found_.size();
  for (const Sight& between : std::views::reverse(links_)) {
    if (!is_entry(between)) found_.push_back(between.position);
  }
  found_.push_back(sight.position);
  steps_.push_back({sight, frames_below, found_.size(), from_c});
  return true;
}

bool DataStack::is_live(const Sight& sight) {
  if (sight.owner != 0) return false;  // FRAME_OWNED_BY_THREAD
  const CodeCache::Code* code = codes_.get(sight.position.code);
  if (code == nullptr || code->frame_size < header_) return false;
  // What a call of a generator function leaves behind here: its frame goes on in the generator.
  if (code->makes_generator) return false;
  if (sight.position.instruction < code->bytecode) return false;
  const std::uint64_t offset = sight.position.instruction - code->bytecode;
  if (offset >= code->bytecode_size || offset % code_unit != 0) return false;
  if (sight.running) return true;
  // A frame that has not begun is linked only after it is filled in: what it says of its caller may
  // be what another frame left in its place.
  return offset > 0 && !code->ends_frame(offset);
}

/// Whether a frame with nothing above it may be one that an exception has just ended.
bool DataStack::may_be_leaving(const Sight& sight) const {
  if (layout_.at.frame.stacktop.present()) return !sight.running;
  const CodeCache::Code* code = codes_.find(sight.position.code);
  return code != nullptr && code->leaves_frame(sight.position.instruction - code->bytecode);
}

/// Follows frames outside of the chunks from one to another; they are in links_ after that.
bool DataStack::link(Guess& guess, RemoteAddress from, RemoteAddress to) {
  for (RemoteAddress at = from; at != to;) {
    if (at.is_null()) {
      // A generator that was seen running has yielded before it was copied.
      doubtful_ = doubtful_ || !links_.empty();
      return !links_.empty();
    }
    if (in_chunks(guess, at) || links_.size() >= max_links) return false;
    const auto sight = lone(guess, at);
    if (!sight) return false;
    const bool entry = sight->owner >= layout_.traits.first_entry_owner;
    if (!entry && codes_.get(sight->position.code) == nullptr) return false;
    links_.push_back(*sight);
    at = sight->previous;
  }
  return true;
}

/// A frame is taken off the stack before it is cleared, which takes long after an exception. Its
/// bytes do not tell; current_frame does.
void DataStack::drop_raised(const Guess& guess) {
  if (!in_chunks(guess, head_)) return;
  const auto is_head = [this](const Step& step) { return step.sight.at == head_; };
  const auto head = std::ranges::find_if(steps_, is_head);
  if (head == steps_.end()) return;
  while (&steps_.back() != &*head && may_be_leaving(steps_.back().sight)) {
    found_.resize(steps_.back().frames_below);
    steps_.pop_back();
  }
}

/// A running generator has nothing on the data stack until it calls something.
void DataStack::add_generators_on_top(Guess& guess) {
  const RemoteAddress top = steps_.empty() ? RemoteAddress{} : steps_.back().sight.at;
  links_.clear();
  if (in_chunks(guess, head_) || !link(guess, head_, top)) return;
  for (const Sight& between : std::views::reverse(links_)) {
    if (between.owner < layout_.traits.first_entry_owner) found_.push_back(between.position);
  }
}

/// Sure of it only when it was copied with the chunks, and was the same one before and after them.
std::optional<DataStack::Sight> DataStack::lone(Guess& guess, RemoteAddress at) {
  const auto found = std::ranges::find(guess.lones, at, &Lone::at);
  if (found == guess.lones.end() || found->piece >= pieces_.size()) {
    doubtful_ = true;
    std::vector<std::byte> bytes(header_);
    if (!memory_.read(at, bytes)) return std::nullopt;
    if (found == guess.lones.end()) {
      if (guess.lones.size() >= max_lones) {
        guess.lones.erase(std::ranges::min_element(guess.lones, {}, &Lone::used));
      }
      guess.lones.push_back({at, not_read, guess.reads, guess.reads, false, {}, {}});
    }
    return sight_of(at, bytes);
  }
  found->used = guess.reads;
  const Piece& piece = pieces_[found->piece];
  const Sight before = sight_of(at, std::span{piece.before}.subspan(at - piece.at, header_));
  const Sight after = sight_of(at, std::span{piece.after}.subspan(at - piece.at, header_));
  if (before.position.code != after.position.code || before.owner != after.owner) doubtful_ = true;
  // A generator that has yielded meanwhile is linked to nothing; but one that has been resumed by
  // the same function for long was so this time.
  Sight sight = after.previous.is_null() ? before : after;
  found->generator = sight.owner < layout_.traits.first_entry_owner;
  if (!sight.previous.is_null()) {
    remember(*found, sight, guess.reads);
  } else if (found->code == sight.position.code && found->changed + settled_after < guess.reads) {
    sight.previous = found->previous;
  }
  return sight;
}

void DataStack::remember(Lone& lone, const Sight& sight, std::uint64_t read) {
  if (lone.code != sight.position.code || lone.previous != sight.previous) lone.changed = read;
  lone.code = sight.position.code;
  lone.previous = sight.previous;
}

DataStack::Sight DataStack::sight_of(RemoteAddress at, std::span<const std::byte> bytes) const {
  const auto& field = layout_.at.frame;
  const StructView view{bytes};
  Sight sight;
  sight.at = at;
  sight.previous = view.get(field.previous).value_or(RemoteAddress{});
  sight.position.code = RemoteAddress{view.get(field.code).value_or(RemoteAddress{}).value() &
                                      ~std::uint64_t{layout_.traits.reference_tag_mask}};
  sight.position.instruction = view.get(field.instruction).value_or(RemoteAddress{});
  sight.owner = view.get(field.owner).value_or(0);
  sight.entry = view.get(field.is_entry).value_or(0) != 0;
  sight.running = view.get(field.stacktop).value_or(0) == -1;
  return sight;
}

bool DataStack::in_chunks(const Guess& guess, RemoteAddress at) {
  return std::ranges::any_of(guess.chunks, [at](const Chunk& chunk) {
    return at >= chunk.at && at < chunk.at + chunk.bytes.size();
  });
}

}  // namespace gilspy
