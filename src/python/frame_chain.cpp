#include "gilspy/python/frame_chain.h"

#include <algorithm>

namespace gilspy {

Result<void> FrameChain::read(RemoteAddress thread, std::vector<FramePosition>& frames) {
  const auto& at = layout_.at.frame;
  const auto head = memory_.read_pointer(layout_.at.thread.frame.in(thread));
  if (!head && head.error().kind == ErrorClass::retry) {
    return fail(ErrorClass::drop_thread, "unreadable thread state");
  }
  if (!head) return tl::make_unexpected(head.error());
  frames.clear();
  seen_.clear();
  bytes_.resize(at.struct_size);
  for (RemoteAddress frame = *head; !frame.is_null() && frames.size() < max_stack_depth;) {
    if (!seen_.insert(frame).second) return fail(ErrorClass::retry, "the frames go in a circle");
    if (auto done = memory_.read(frame, bytes_); !done) return done;
    const StructView view{bytes_};
    frames.push_back(
        {view.get(at.code).value_or(RemoteAddress{}), {}, view.get(at.lasti).value_or(-1)});
    frame = view.get(at.previous).value_or(RemoteAddress{});
  }
  std::ranges::reverse(frames);
  return {};
}

}  // namespace gilspy
