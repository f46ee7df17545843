// Frames outside of the chunks: those of generators, which lie in objects of their own, and the
// marks of calls from C.

#include <algorithm>
#include <ranges>

#include "gilspy/python/data_stack.h"

namespace gilspy {
namespace {

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
/// Frames outside of the chunks that are no further apart than this are copied in one piece: a
/// piece takes 0.2 us to find, which is longer than a call. Smaller than a page, so that there is
/// nothing unmapped in between.
constexpr std::uint64_t max_gap = 2048;
constexpr std::uint64_t max_piece = 16384;
/// Forgotten when not needed by so many reads: each piece keeps the others apart.
constexpr std::uint64_t max_age = 512;

}  // namespace

/// Puts frames outside of the chunks together to pieces.
void DataStack::gather_lones(Guess& guess) {
  std::erase_if(guess.lones, [&](const Lone& lone) { return lone.used + max_age < guess.reads; });
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

/// Where a frame outside of the chunks was called from when it was last seen running.
RemoteAddress DataStack::last_caller(const Guess& guess, RemoteAddress frame) {
  const auto found = std::ranges::find(guess.lones, frame, &Lone::at);
  return found != guess.lones.end() ? found->last.previous : RemoteAddress{};
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
    if (!is_mark(*sight) && has_been_mark(guess, at) && !meets_generators(guess)) {
      // C called and returned before the copy, or will call after it: where there are no
      // generators, a frame that it calls lies right on top of the one that called it.
      links_.push_back(*sight);
      links_.back().owner = layout_.traits.first_entry_owner;
      return true;
    }
    // A mark's code is none (3.13 on: None), which takes three reads to find out.
    if (!is_mark(*sight) && codes_.get(sight->position.code) == nullptr &&
        (!sight->rival || codes_.get(sight->rival->code) == nullptr)) {
      return false;
    }
    links_.push_back(*sight);
    at = sight->previous;
  }
  return true;
}

/// Which of the frames outside of the chunks C code has called.
void DataStack::mark_entries() {
  for (std::size_t i = 0; i + 1 < links_.size(); ++i) {
    links_[i].entry = links_[i].entry || is_mark(links_[i + 1]);
  }
}

void DataStack::push_links() {
  for (const Sight& between : std::views::reverse(links_)) {
    found_.push_back(between.position);
    found_.back().from_c = between.entry;
  }
}

bool DataStack::has_been_mark(const Guess& guess, RemoteAddress at) {
  const auto found = std::ranges::find(guess.lones, at, &Lone::at);
  return found != guess.lones.end() && found->mark;
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

/// A running generator has nothing on the data stack until it calls something.
void DataStack::add_generators_on_top(Guess& guess) {
  const RemoteAddress top = steps_.empty() ? RemoteAddress{} : steps_.back().sight.at;
  links_.clear();
  if (in_chunks(guess, head_) || !link(guess, head_, top)) return;
  // It has yielded, or ended, since.
  if (!links_.empty() && !steps_.empty() && steps_.back().sight.running &&
      !is_called_from_c(links_.front())) {
    return;
  }
  mark_entries();
  settle_rivals(steps_.empty() ? RemoteAddress{} : steps_.back().sight.position.code, {});
  push_links();
}

/// A frame outside of the chunks. Sure of it only when it was copied with the chunks, and was the
/// same before them and after them; or when it has been the same for long.
std::optional<DataStack::Sight> DataStack::lone(Guess& guess, RemoteAddress at) {
  const auto found = std::ranges::find(guess.lones, at, &Lone::at);
  if (found == guess.lones.end() || found->piece >= pieces_.size()) {
    doubtful_ = true;
    std::vector<std::byte> bytes(header_);
    if (!memory_.read(at, bytes)) return std::nullopt;
    const Sight sight = sight_of(at, bytes);
    if (found == guess.lones.end()) learn_lone(guess, sight);
    return sight;
  }
  found->used = guess.reads;
  const Piece& piece = pieces_[found->piece];
  const Sight before = sight_of(at, std::span{piece.before}.subspan(at - piece.at, header_));
  const Sight after = sight_of(at, std::span{piece.after}.subspan(at - piece.at, header_));
  found->mark = found->mark || is_mark(before) || is_mark(after);
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

bool DataStack::meets_generators(const Guess& guess) {
  return std::ranges::any_of(
      guess.lones, [](const Lone& lone) { return lone.last.owner == owned_by_generator; });
}

/// Copies it from now on, if it is one. A link that was read in the middle of a change may lead
/// anywhere.
void DataStack::learn_lone(Guess& guess, const Sight& sight) {
  const bool generator =
      sight.owner == owned_by_generator && codes_.get(sight.position.code) != nullptr;
  if (!generator && !is_mark(sight)) return;
  if (guess.lones.size() >= max_lones) {
    guess.lones.erase(std::ranges::min_element(guess.lones, {}, &Lone::used));
  }
  guess.lones.push_back({sight.at, not_read, guess.reads, guess.reads, false, {}});
}

/// The mark of a call from C lies on the C stack, where other things are before and after it: one
/// of the copies that shows it is enough. A generator must be the same one in both, and have ended
/// in neither (where its memory is not used again soon, the chunk in between may show who was
/// called long after), but is linked to its caller only while it runs. What shows neither is taken
/// to be as it has been for long.
DataStack::Sight DataStack::either(const Lone& lone, const Sight& before, const Sight& after,
                                   bool settled) {
  if (is_mark(after)) return after;
  if (is_mark(before)) return before;
  if (is_mark(lone.last) && settled) return lone.last;
  const bool same = before.position.code == after.position.code && !has_ended(before) &&
                    !has_ended(after) && before.owner == owned_by_generator &&
                    after.owner == owned_by_generator;
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

/// Whether a generator will not go on: the next one at this place is another one.
bool DataStack::has_ended(const Sight& sight) const {
  const CodeCache::Code* code = codes_.find(sight.position.code);
  return code != nullptr && sight.previous.is_null() &&
         sight.position.instruction >= code->bytecode &&
         code->ends_frame(sight.position.instruction - code->bytecode);
}

bool DataStack::is_mark(const Sight& sight) const {
  return sight.owner >= layout_.traits.first_entry_owner && sight.owner <= last_owner;
}

}  // namespace gilspy
