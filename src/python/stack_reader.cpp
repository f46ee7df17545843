#include "gilspy/python/stack_reader.h"

#include <algorithm>
#include <array>
#include <ranges>

namespace gilspy {
namespace {

/// A chunk is 16 KiB (DATA_STACK_CHUNK_SIZE, Python/pystate.c), larger only for one huge frame.
constexpr std::uint64_t usual_chunk = 16U << 10;
constexpr std::uint64_t max_chunk = 1U << 20;

}  // namespace

Result<StackId> StackReader::read(const PythonThread& thread) {
  regions_.clear();
  positions_.clear();
  next_chunk_ = {};
  RemoteAddress chunk;
  const auto head = read_head(thread, chunk);
  if (!head) return tl::make_unexpected(head.error());
  if (head->is_null()) return empty_stack;
  if (auto copied = copy_chunk(chunk, *head + layout_.at.frame.struct_size); !copied) {
    return tl::make_unexpected(copied.error());
  }
  if (auto walked = walk(*head); !walked) return tl::make_unexpected(walked.error());
  return resolve();
}

Result<RemoteAddress> StackReader::read_head(const PythonThread& thread, RemoteAddress& chunk) {
  const auto& at = layout_.at;
  const bool through_cframe = layout_.traits.frame_head == Traits::FrameHead::cframe;
  if (layout_.traits.frame_head == Traits::FrameHead::frame_object) {
    const auto frame = memory_.read_pointer(at.thread.frame.in(thread.address));
    if (frame || frame.error().kind != ErrorClass::retry) return frame;
    return fail(ErrorClass::drop_thread, "unreadable thread state");
  }
  const auto first = through_cframe ? at.thread.cframe : at.thread.current_frame;
  RemoteAddress head;
  const std::array slots{
      ReadSlot{first.in(thread.address), std::as_writable_bytes(std::span{&head, 1})},
      ReadSlot{at.thread.datastack_chunk.in(thread.address),
               std::as_writable_bytes(std::span{&chunk, 1})},
  };
  const auto done = memory_.read_batch(slots);
  if (!done) return tl::make_unexpected(done.error());
  if (*done != slots.size()) return fail(ErrorClass::drop_thread, "unreadable thread state");
  if (!through_cframe || head.is_null()) return head;
  return memory_.read_pointer(at.cframe.current_frame.in(head));
}

/// Copies a chunk up to the end of the frame that is on top of it.
Result<void> StackReader::copy_chunk(RemoteAddress chunk, RemoteAddress up_to) {
  next_chunk_ = {};
  if (chunk.is_null()) return {};
  const auto& at = layout_.at.chunk;
  const std::uint64_t header = at.struct_size;
  // The top frame may be a generator's, which lies elsewhere: then the chunk's size has the say.
  std::uint64_t wanted = up_to > chunk ? up_to - chunk : 0;
  if (wanted < header || wanted > usual_chunk) {
    const auto size = memory_.read_value<std::uint64_t>(at.size.in(chunk));
    if (!size) return tl::make_unexpected(size.error());
    if (*size < header || *size > max_chunk)
      return fail(ErrorClass::retry, "impossible chunk size");
    if (wanted < header || wanted > *size) wanted = *size;
  }
  Region region{chunk, std::vector<std::byte>(wanted)};
  if (auto done = memory_.read(chunk, region.bytes); !done) return done;
  next_chunk_ = StructView{region.bytes}.get(at.previous).value_or(RemoteAddress{});
  regions_.push_back(std::move(region));
  return {};
}

Result<std::span<const std::byte>> StackReader::frame_bytes(RemoteAddress frame) {
  const std::size_t size = layout_.at.frame.struct_size;
  const auto inside = [&]() -> std::optional<std::span<const std::byte>> {
    for (const Region& region : regions_) {
      if (frame < region.begin) continue;
      if (auto bytes = slice(region.bytes, frame - region.begin, size)) return bytes;
    }
    return std::nullopt;
  };
  if (const auto bytes = inside()) return *bytes;
  if (!next_chunk_.is_null()) {
    const RemoteAddress chunk = next_chunk_;
    if (auto copied = copy_chunk(chunk, RemoteAddress{}); copied) {
      if (const auto bytes = inside()) return *bytes;
      // Not there either: a generator's frame. The chunk stays for those below it.
    }
  }
  lone_frame_.resize(size);
  if (auto done = memory_.read(frame, lone_frame_); !done) return tl::make_unexpected(done.error());
  return std::span<const std::byte>{lone_frame_};
}

RemoteAddress StackReader::untagged(RemoteAddress reference) const {
  return RemoteAddress{reference.value() & ~std::uint64_t{layout_.traits.reference_tag_mask}};
}

Result<void> StackReader::walk(RemoteAddress head) {
  const auto& at = layout_.at.frame;
  seen_.clear();
  for (RemoteAddress frame = head; !frame.is_null() && positions_.size() < max_stack_depth;) {
    if (!seen_.insert(frame).second) return fail(ErrorClass::retry, "the frames go in a circle");
    const auto bytes = frame_bytes(frame);
    if (!bytes) return tl::make_unexpected(bytes.error());
    const StructView view{*bytes};
    const RemoteAddress code = untagged(view.get(at.code).value_or(RemoteAddress{}));
    const bool entry = view.get(at.owner).value_or(0) >= layout_.traits.first_entry_owner;
    if (!entry) {
      positions_.push_back({code, view.get(at.instruction).value_or(RemoteAddress{}),
                            view.get(at.lasti).value_or(-1)});
    }
    frame = view.get(at.previous).value_or(RemoteAddress{});
  }
  return {};
}

Result<StackId> StackReader::resolve() {
  addresses_.clear();
  for (const Position& position : positions_) addresses_.push_back(position.code);
  std::ranges::sort(addresses_);
  addresses_.erase(std::ranges::unique(addresses_).begin(), addresses_.end());
  codes_.refresh(addresses_);
  StackId stack = empty_stack;
  for (const Position& position : std::views::reverse(positions_)) {
    const CodeCache::Code* code = codes_.find(position.code);
    if (code == nullptr) return fail(ErrorClass::retry, "a frame without a code object");
    stack = interner_.stack(stack, code->id, line_of(*code, position));
  }
  return stack;
}

std::uint32_t StackReader::line_of(const CodeCache::Code& code, const Position& position) const {
  std::uint64_t offset = 0;
  switch (layout_.traits.instruction) {
    case Traits::Instruction::index_bytes:
    case Traits::Instruction::index_units: {
      // -1: the frame has not begun yet.
      if (position.lasti < 0) return code.first_line;
      const bool units = layout_.traits.instruction == Traits::Instruction::index_units;
      offset = static_cast<std::uint64_t>(position.lasti) * (units ? code_unit : 1);
      break;
    }
    case Traits::Instruction::last:
    case Traits::Instruction::current:
      // Likewise: it points before its first instruction.
      if (position.instruction < code.bytecode) return code.first_line;
      offset = position.instruction - code.bytecode;
      if (offset >= code.bytecode_size) return 0;
      break;
  }
  return offset <= max_bytecode ? code.lines.line_at(static_cast<std::uint32_t>(offset)) : 0;
}

}  // namespace gilspy
