#include "gilspy/python/data_stack.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

namespace gilspy {
namespace {

/// Words of the data stack are pointers of the target's.
constexpr std::uint64_t word = 8;
/// Reads of one stack before it is given up. A read that was guessed wrong teaches the next one.
constexpr int max_reads = 64;

}  // namespace

Result<void> DataStack::read(RemoteAddress thread, std::vector<FramePosition>& frames,
                             WantedDepth& wanted, const std::optional<Answer>& answer) {
  guesses_.trim(now());
  Guess& guess = guesses_[thread];
  frames.clear();
  bool nothing_runs = false;
  led_.clear();
  same_looks_ = 0;
  close_ = false;
  for (int reads = 0; reads < max_reads; ++reads) {
    if (reads > 0 && reads % RetryPause::reads_before_rest == 0) RetryPause::rest();
    ++wanted.looks;
    const bool answered = reads == 0 && answer;
    if (answered) stalled_ = is_stall(guess.asked_paces, guess.chunks.size(), answer->took);
    const auto copied = answered ? take(guess, answer->slots) : copy(thread, guess);
    if (!copied) return tl::make_unexpected(copied.error());
    if (!*copied) continue;
    if (head_.is_null()) {
      // 3.11 and 3.12 go through a struct on the C stack that is told its frame only a moment
      // later.
      if (nothing_runs) return {};
      nothing_runs = true;
      continue;
    }
    if (settle(guess, frames, wanted)) return {};
    if (stands_still(guess, frames)) return {};
    // A target that stands still would be as deep as it was by now.
    if (close_ && reads >= looks_to_trust) return {};
    pause_.wait();
  }
  if (!frames.empty()) return {};
  return fail(ErrorClass::retry, "the frames do not hang together");
}

/// Where a frame is missing it may have been refused by what its code object's place held before.
bool DataStack::is_refusal_right() {
  return refused_.is_null() || codes_.refresh(std::array{std::exchange(refused_, {})});
}

/// Whether what was copied is a stack to return: `frames` is the best so far then.
bool DataStack::settle(Guess& guess, std::vector<FramePosition>& frames, WantedDepth& wanted) {
  doubtful_ = stalled_;
  any_lone_ = any_rival_ = false;
  if (climb(guess) != Climb::done) {
    static_cast<void>(is_refusal_right());
    return false;
  }
  const std::size_t depth_of_calls = found_.size();
  drop_raised(guess);
  add_generators_on_top(guess);
  if (found_.empty()) {
    // Nothing but the mark of an entry from C, or what is there does not lead to it.
    const auto mark = in_chunks(guess, head_) ? std::nullopt : lone(guess, head_);
    return mark && is_mark(*mark);
  }
  // The copy takes as long as a call does: its lower frames are a bit older than its upper ones.
  // How deep it was is told by current_frame, which is read at one moment: a stack of another
  // depth is not taken.
  const bool sure = !doubtful_;
  if (sure && any_lone_ && !any_rival_) learn_calls();
  if (!wanted.frames) depth_now(guess, wanted);
  const std::size_t depth = wanted.by_end ? depth_of_calls : found_.size();
  if (depth < wanted.frames.value_or(depth) && !is_refusal_right()) return false;
  if (!sure || (!frames.empty() && wanted.off(depth) >= distance_)) return false;
  const auto keep = std::min(found_.size(), max_stack_depth);
  frames.assign(found_.end() - static_cast<std::ptrdiff_t>(keep), found_.end());
  distance_ = wanted.off(depth);
  close_ = wanted.close(depth);
  return distance_ == 0;
}

/// The frame at this place, as it was copied.
std::optional<DataStack::Sight> DataStack::copied_frame(Guess& guess, RemoteAddress at) {
  for (const Chunk& chunk : guess.chunks) {
    if (at < chunk.at) continue;
    if (const auto bytes = slice(chunk.bytes, at - chunk.at, header_)) return sight_of(at, *bytes);
  }
  return lone(guess, at);
}

/// How deep the stack was when the copy began. In 3.11 and 3.12 current_frame is one step away:
/// where that has changed meanwhile, the end of the data stack has to tell.
void DataStack::depth_now(Guess& guess, WantedDepth& wanted) {
  if (head_is_sure_) wanted.frames = depth_of(guess, head_);
  if (wanted.frames) return;
  wanted.frames = depth_up_to(guess, data_end_);
  wanted.by_end = true;
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
    const auto sight = copied_frame(guess, frame);
    if (!sight) return std::nullopt;
    if (!is_mark(*sight)) ++above;
    // A generator that has yielded since is linked to nothing.
    frame = sight->previous.is_null() ? last_caller(guess, frame) : sight->previous;
  }
  // What is on the C stack may lead anywhere by now.
  return steps_.empty() ? std::optional{above} : std::nullopt;
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
  refused_ = {};
  std::swap(begun_, begun_before_);
  begun_.clear();
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
  // A frame that runs has not called another one but through C: what is above it are the remains of
  // one that left by an exception.
  if (!first && steps_.back().sight.running && !is_called_from_c(sight)) return false;
  FramePosition position = sight.position;
  position.from_c = sight.entry || (!links_.empty() && is_mark(links_.front()));
  mark_entries();
  settle_rivals(first ? RemoteAddress{} : steps_.back().sight.position.code, sight.position.code);
  // A generator may stand in between although the word that says so was not written yet.
  if (has_just_begun(sight) && meets_generators(guess)) {
    // One that looks the same again a moment later is not being written.
    const bool again = std::ranges::any_of(begun_before_, [&](const Sight& before) {
      return before.at == sight.at && before.same_as(sight);
    });
    doubtful_ = doubtful_ || !again;
    begun_.push_back(sight);
  }
  const std::size_t frames_below = found_.size();
  push_links();
  found_.push_back(position);
  steps_.push_back({sight, frames_below, found_.size(), from_c});
  return true;
}

bool DataStack::is_live(const Sight& sight) {
  if (sight.owner != 0) return false;  // FRAME_OWNED_BY_THREAD
  const CodeCache::Code* code = codes_.get(sight.position.code);
  if (code == nullptr || code->frame_size < header_) return false;
  const bool live = fits(*code, sight);
  if (!live) refused_ = sight.position.code;
  return live;
}

/// Whether that is a frame of this code that is there.
bool DataStack::fits(const CodeCache::Code& code, const Sight& sight) const {
  // What a call of a generator function leaves behind here: its frame goes on in the generator.
  if (code.makes_generator) return false;
  if (sight.position.instruction < code.bytecode) return false;
  const std::uint64_t offset = sight.position.instruction - code.bytecode;
  if (offset >= code.bytecode_size || offset % code_unit != 0) return false;
  if (sight.running) return true;
  // What raised has nothing on top of it that it could wait for.
  if (layout_.at.frame.stacktop.present() && code.raises_at(offset)) return false;
  // A frame that has not begun is linked only after it is filled in: what it says of its caller may
  // be what another frame left in its place.
  return offset > 0 && !code.ends_frame(offset);
}

/// Whether it is C code that leads from a frame of the chunks to this one, or to the generators
/// that links_ holds below it.
bool DataStack::is_called_from_c(const Sight& sight) const {
  const Sight& lowest = links_.empty() ? sight : links_.back();
  return lowest.entry || is_mark(lowest);
}

/// The words of a frame are written in no order that is known, and read while they are.
bool DataStack::has_just_begun(const Sight& sight) const {
  const CodeCache::Code* code = codes_.find(sight.position.code);
  return code != nullptr && sight.position.instruction <= code->bytecode + 2 * code_unit;
}

/// Whether a frame with nothing above it may be one that an exception has just ended.
bool DataStack::may_be_leaving(const Sight& sight) const {
  if (layout_.at.frame.stacktop.present()) return !sight.running;
  const CodeCache::Code* code = codes_.find(sight.position.code);
  return code != nullptr && code->leaves_frame(sight.position.instruction - code->bytecode);
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
