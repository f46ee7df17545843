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
/// enum _frameowner (Include/internal/pycore_frame.h).
constexpr std::int8_t owned_by_generator = 1;
constexpr std::int8_t last_owner = 4;
/// Calls seen so often did happen: fewer may be two moments that looked alike by chance. And those
/// between whom there is a choice must differ by so much.
constexpr std::uint64_t enough_calls = 4;
constexpr std::uint64_t clear_ratio = 16;

}  // namespace

Result<void> DataStack::read(RemoteAddress thread, std::vector<FramePosition>& frames,
                             WantedDepth& wanted) {
  guesses_.trim(now());
  Guess& guess = guesses_[thread];
  frames.clear();
  bool nothing_runs = false;
  std::size_t distance = 0;  // of the best so far to what is wanted
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
    doubtful_ = stalled_;
    any_lone_ = any_rival_ = false;
    if (climb(guess) != Climb::done) continue;
    const std::size_t depth_of_calls = found_.size();
    drop_raised(guess);
    add_generators_on_top(guess);
    if (found_.empty()) {
      // Nothing but the mark of an entry from C, or what is there does not lead to it.
      const auto mark = in_chunks(guess, head_) ? std::nullopt : lone(guess, head_);
      if (mark && is_mark(*mark)) return {};
      continue;
    }
    // The copy takes as long as a call does: its lower frames are a bit older than its upper ones.
    // How deep it was is told by current_frame, which is read at one moment: a stack of another
    // depth is not taken.
    const bool sure = !doubtful_;
    if (sure && any_lone_ && !any_rival_) learn_calls();
    if (!wanted.frames) wanted = depth_now(guess);
    const std::size_t depth = wanted.by_end ? depth_of_calls : found_.size();
    if (sure && (frames.empty() || wanted.off(depth) < distance)) {
      const auto keep = std::min(found_.size(), max_stack_depth);
      frames.assign(found_.end() - static_cast<std::ptrdiff_t>(keep), found_.end());
      distance = wanted.off(depth);
      if (wanted.close(depth)) return {};
    }
    pause_.wait();
  }
  if (!frames.empty()) return {};
  return fail(ErrorClass::retry, "the frames do not hang together");
}

/// How deep the stack was when the copy began. In 3.11 and 3.12 current_frame is one step away:
/// where that has changed meanwhile, the end of the data stack has to tell.
WantedDepth DataStack::depth_now(Guess& guess) {
  if (head_is_sure_) {
    if (const auto frames = depth_of(guess, head_)) return {.frames = frames};
  }
  return {.frames = depth_up_to(guess, data_end_), .by_end = true};
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
    if (!is_mark(*sight)) ++above;
    // A generator that has yielded since is linked to nothing.
    frame = sight->previous.is_null() ? last_caller(guess, frame) : sight->previous;
  }
  // What is on the C stack may lead anywhere by now.
  return steps_.empty() ? std::optional{above} : std::nullopt;
}

/// Where a frame outside of the chunks was called from when it was last seen running.
RemoteAddress DataStack::last_caller(const Guess& guess, RemoteAddress frame) {
  const auto found = std::ranges::find(guess.lones, frame, &Lone::at);
  return found != guess.lones.end() ? found->last.previous : RemoteAddress{};
}

/// How many frames there are below this place on the data stack, whether they still are or not.
std::size_t DataStack::depth_up_to(const Guess& guess, RemoteAddress end) {
  std::size_t depth = 0;
  RemoteAddress next;
  for (const Step& step : steps_) {
    const bool in_top_chunk =
        step.sight.at >= guess.chunks.back().at &&
        step.sight.at < guess.chunks.back().at + guess.chunks.back().bytes.size();
    if (in_top_chunk && step.sight.at >= end) return depth;
    depth = step.frames;
    next = step.sight.at + codes_.find(step.sight.position.code)->frame_size;
  }
  if (steps_.empty() || next >= end) return depth;
  const Chunk& top = guess.chunks.back();
  while (next < end && next >= top.at) {
    const auto bytes = slice(top.bytes, next - top.at, header_);
    const CodeCache::Code* code =
        bytes ? codes_.get(sight_of(next, *bytes).position.code) : nullptr;
    ++depth;
    if (code == nullptr || code->frame_size < header_) break;
    next = next + code->frame_size;
  }
  return depth;
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
  const auto is_entry = [this](const Sight& between) { return is_mark(between); };
  const bool from_c = sight.entry || std::ranges::any_of(links_, is_entry);
  const bool direct = links_.empty();
  settle_rivals(first ? RemoteAddress{} : steps_.back().sight.position.code, sight.position.code);
  // A frame that runs has not called another one but through C: these are the remains of one that
  // left by an exception.
  if (!first && direct && !from_c && steps_.back().sight.running) return false;
  const std::size_t frames_below = found_.size();
  for (const Sight& between : std::views::reverse(links_)) found_.push_back(between.position);
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
    const bool entry = is_mark(*sight);
    const bool known = codes_.get(sight->position.code) != nullptr ||
                       (sight->rival && codes_.get(sight->rival->code) != nullptr);
    if (!entry && !known) return false;
    links_.push_back(*sight);
    at = sight->previous;
  }
  return true;
}

/// Where the copies of generators' frames before and after the chunk are of different generators,
/// some that ended and others made in their place, the chunk's frames around them have to tell: it
/// is those that were seen between these very functions for sure, if only one copy's were.
void DataStack::settle_rivals(RemoteAddress caller, RemoteAddress callee) {
  std::erase_if(links_, [this](const Sight& sight) { return is_mark(sight); });
  any_lone_ = any_lone_ || !links_.empty();
  if (std::ranges::none_of(links_, [](const Sight& sight) { return sight.rival.has_value(); })) {
    return;
  }
  any_rival_ = true;
  // How often the rarest of the calls was seen.
  const auto times = [&](bool after) -> std::uint64_t {
    auto rarest = std::uint32_t{UINT32_MAX};
    RemoteAddress above = callee;
    for (const Sight& sight : links_) {
      const auto& position = after && sight.rival ? *sight.rival : sight.position;
      if (position.code.is_null()) return 0;
      if (!above.is_null()) rarest = std::min(rarest, calls_.times(position.code, above));
      above = position.code;
    }
    return std::min(rarest, calls_.times(caller, above));
  };
  const std::uint64_t before = times(false);
  const std::uint64_t after = times(true);
  const auto [less, more] = std::minmax(before, after);
  if (more < enough_calls || more < clear_ratio * less) {
    doubtful_ = true;
    return;
  }
  for (Sight& sight : links_) {
    if (sight.rival && after > before) sight.position = *sight.rival;
  }
}

void DataStack::learn_calls() {
  for (std::size_t i = 1; i < found_.size(); ++i) calls_.learn(found_[i - 1].code, found_[i].code);
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
  settle_rivals(steps_.empty() ? RemoteAddress{} : steps_.back().sight.position.code, {});
  for (const Sight& between : std::views::reverse(links_)) found_.push_back(between.position);
}

/// A frame outside of the chunks. Sure of it only when it was copied with the chunks, and was the
/// same before them and after them; or when it has been the same for long.
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
      guess.lones.push_back({at, not_read, guess.reads, guess.reads, {}});
    }
    return sight_of(at, bytes);
  }
  found->used = guess.reads;
  const Piece& piece = pieces_[found->piece];
  const Sight before = sight_of(at, std::span{piece.before}.subspan(at - piece.at, header_));
  const Sight after = sight_of(at, std::span{piece.after}.subspan(at - piece.at, header_));
  const bool settled = found->changed + settled_after < guess.reads;
  const Sight sight = either(*found, before, after, settled);
  // That a generator does not run right now says nothing about who resumes it.
  const bool idle = sight.previous.is_null() && sight.position.code == found->last.position.code;
  if (!idle) {
    if (!found->last.same_as(sight)) found->changed = guess.reads;
    found->last = sight;
  }
  return sight;
}

/// The mark of a call from C lies on the C stack, where other things are before and after it: one
/// of the copies that shows it is enough. A generator must be the same one in both, but is linked
/// to its caller only while it runs. What shows neither is taken to be as it has been for long.
DataStack::Sight DataStack::either(const Lone& lone, const Sight& before, const Sight& after,
                                   bool settled) {
  if (is_mark(after)) return after;
  if (is_mark(before)) return before;
  if (is_mark(lone.last) && settled) return lone.last;
  const bool same = before.position.code == after.position.code &&
                    before.owner == owned_by_generator && after.owner == owned_by_generator;
  Sight sight = after.previous.is_null() ? before : after;
  if (!same) {
    sight.position = before.owner == owned_by_generator ? before.position : FramePosition{};
    sight.rival = after.owner == owned_by_generator ? after.position : FramePosition{};
  }
  if (same && sight.previous.is_null() && settled &&
      lone.last.position.code == sight.position.code) {
    sight.previous = lone.last.previous;
  }
  return sight;
}

bool DataStack::is_mark(const Sight& sight) const {
  return sight.owner >= layout_.traits.first_entry_owner && sight.owner <= last_owner;
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
