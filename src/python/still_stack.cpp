#include "gilspy/python/still_stack.h"

#include <algorithm>
#include <array>

namespace gilspy {
namespace {

/// Callers lie below the frames they called, mostly close to them: so much is read at once, within
/// a page, so that all of it is there or none of it.
constexpr std::uint64_t page_size = 4096;
/// Entries from C are among the frames.
constexpr std::size_t max_frames = 2 * max_stack_depth;
/// enum _frameowner (Include/internal/pycore_frame.h).
constexpr std::int8_t owned_by_generator = 1;

}  // namespace

StillStack::StillStack(MemoryReader& memory, const Layout& layout)
    : memory_(memory), layout_(layout) {
  const auto& at = layout.at.frame;
  const std::array ends{at.previous.offset + 8, at.code.offset + 8, at.lasti.offset + 4,
                        at.instruction.offset + 8, at.owner.offset + 1};
  header_ = static_cast<std::size_t>(*std::ranges::max_element(ends));
}

Result<RemoteAddress> StillStack::head(RemoteAddress thread) {
  const auto& at = layout_.at;
  switch (layout_.traits.frame_head) {
    case Traits::FrameHead::frame_object: return memory_.read_pointer(at.thread.frame.in(thread));
    case Traits::FrameHead::thread: return memory_.read_pointer(at.thread.current_frame.in(thread));
    case Traits::FrameHead::cframe: break;
  }
  const auto cframe = memory_.read_pointer(at.thread.cframe.in(thread));
  if (!cframe || cframe->is_null()) return cframe;
  return memory_.read_pointer(at.cframe.current_frame.in(*cframe));
}

/// The bytes of one frame.
Result<std::span<const std::byte>> StillStack::frame_at(RemoteAddress at) {
  const bool is_near = at >= near_at_ && at + header_ <= near_at_ + near_.size();
  if (!is_near) {
    const RemoteAddress page{at.value() / page_size * page_size};
    const bool in_one_page = at + header_ <= page + page_size;
    near_at_ = in_one_page ? page : at;
    near_.resize(in_one_page ? page_size : header_);
    if (const auto done = memory_.read(near_at_, near_); !done) {
      near_.clear();
      return tl::make_unexpected(done.error());
    }
  }
  return std::span<const std::byte>{near_}.subspan(at - near_at_, header_);
}

Result<void> StillStack::read(RemoteAddress thread, std::vector<FramePosition>& frames) {
  frames.clear();
  near_.clear();
  const auto& field = layout_.at.frame;
  const bool shares_loops = layout_.traits.frame_head != Traits::FrameHead::frame_object;
  auto frame = head(thread);
  if (!frame) return tl::make_unexpected(frame.error());
  std::int8_t owner = 0;
  for (std::size_t i = 0; !frame->is_null(); ++i) {
    if (i == max_frames) break;
    const auto bytes = frame_at(*frame);
    if (!bytes) return tl::make_unexpected(bytes.error());
    const StructView view{*bytes};
    owner = view.get(field.owner).value_or(0);
    if (owner < layout_.traits.first_entry_owner) {
      FramePosition position;
      position.code = RemoteAddress{view.get(field.code).value_or(RemoteAddress{}).value() &
                                    ~std::uint64_t{layout_.traits.reference_tag_mask}};
      position.instruction = view.get(field.instruction).value_or(RemoteAddress{});
      position.lasti = view.get(field.lasti).value_or(-1);
      position.from_c = !shares_loops || view.get(field.is_entry).value_or(0) != 0;
      if (frames.size() < max_stack_depth) frames.push_back(position);
    } else if (!frames.empty()) {
      frames.back().from_c = true;
    }
    frame = view.get(field.previous).value_or(RemoteAddress{});
  }
  // No generator runs by itself: this one is about to be linked, or has just yielded.
  if (!frames.empty() && field.owner.present() && owner == owned_by_generator) {
    return fail(ErrorClass::retry, "a generator that nothing called");
  }
  std::ranges::reverse(frames);
  return {};
}

}  // namespace gilspy
