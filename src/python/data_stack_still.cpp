// A target that stands still: its current_frame leads to its frames.

#include <algorithm>
#include <array>
#include <ranges>

#include "gilspy/python/data_stack.h"

namespace gilspy {
namespace {

/// Entries from C are among the frames; deeper stacks are not looked at in this way.
constexpr std::size_t max_led = max_stack_depth;

}  // namespace

/// Whether the target stands still, so that its current_frame leads to its frames: most often it
/// has lost its CPU to us. A frame that is about to begin, and a generator that is being made, are
/// like what popped ones leave behind; where nothing at all has changed for some looks, they are
/// there.
bool DataStack::stands_still(Guess& guess, std::vector<FramePosition>& frames) {
  std::swap(led_, led_before_);
  if (!lead_down(guess) || led_ != led_before_) {
    same_looks_ = 0;
    return false;
  }
  if (++same_looks_ < looks_to_trust) return false;
  frames.clear();
  for (const Led& led : led_ | std::views::reverse) frames.push_back(led.position);
  return true;
}

/// Follows the frames down from current_frame to the first one. False when they do not lead there.
bool DataStack::lead_down(Guess& guess) {
  led_.clear();
  if (steps_.empty()) return false;
  const RemoteAddress first = steps_.front().sight.at;
  bool at_first = false;
  RemoteAddress at = head_;
  for (std::size_t i = 0; i < max_led && !at_first; ++i) {
    const auto sight = copied_frame(guess, at);
    if (!sight || sight->rival) return false;
    if (is_mark(*sight)) {
      if (!led_.empty()) led_.back().position.from_c = true;
    } else {
      if (!is_in_its_code(sight->position)) return false;
      led_.push_back({at, sight->position});
      led_.back().position.from_c = sight->entry;
    }
    at_first = at == first;
    at = sight->previous;
  }
  if (at_first) led_.back().position.from_c = steps_.front().from_c;
  return at_first;
}

/// Whether there is such a code object, and the instruction is one of its own.
bool DataStack::is_in_its_code(const FramePosition& position) {
  const auto is_in = [&position](const CodeCache::Code* code) {
    // A frame that has not begun may be at the instruction before its first.
    return code != nullptr && position.instruction >= code->bytecode - code_unit &&
           position.instruction < code->bytecode + code->bytecode_size;
  };
  if (is_in(codes_.get(position.code))) return true;
  // Another code object may have been made in its place.
  codes_.refresh(std::array{position.code});
  return is_in(codes_.find(position.code));
}

}  // namespace gilspy
