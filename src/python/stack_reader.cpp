#include "gilspy/python/stack_reader.h"

#include <algorithm>
#include <utility>

namespace gilspy {
namespace {

/// Reads of one stack while its functions are made and freed meanwhile.
constexpr int max_reads = 8;

StackDrop drop_of(const Result<void>& done) {
  const bool gone = !done && done.error().kind != ErrorClass::retry;
  return gone ? StackDrop::thread_gone : StackDrop::changed;
}

}  // namespace

Result<StackId> StackReader::read(const PythonThread& thread) {
  WantedDepth wanted;
  codes_.trim(now());
  read_last_ = thread.address;
  std::optional<Answer> answer = std::exchange(answer_, std::nullopt);
  if (asked_ != thread.address) answer.reset();
  std::size_t codes_read = 0;
  if (answer) {
    codes_read = answer->slots - std::min(answer->slots, frames_asked_);
    answer->slots -= codes_read;
  }
  for (int reads = 0; reads < max_reads; ++reads) {
    const auto done = has_frame_objects()
                          ? chain_.read(thread.address, frames_, wanted, answer)
                          : data_stack_.read(thread.address, frames_, wanted, answer);
    answer.reset();
    effort_ = {wanted.looks - 1, drop_of(done)};
    if (!done) return tl::make_unexpected(done.error());
    if (frames_.empty()) return resolve();
    effort_.failed = StackDrop::code_changed;
    // What was read with the first look at the frames says nothing of a later one.
    if (wanted.looks > 1) codes_read = 0;
    if (confirm_codes(codes_read)) return resolve();
  }
  return fail(ErrorClass::retry, "a frame without a code object");
}

Result<StackId> StackReader::read_still(const PythonThread& thread) {
  codes_.trim(now());
  const auto done = still_.read(thread.address, frames_);
  effort_ = {0, drop_of(done)};
  if (!done) return tl::make_unexpected(done.error());
  if (frames_.empty()) return resolve();
  // Those that are not as they were known are read anew, and stay so.
  static_cast<void>(confirm_codes());
  return resolve();
}

/// Whether the code objects of the frames are those that the frames were read by.
bool StackReader::confirm_codes(std::size_t codes_read) {
  addresses_.clear();
  addresses_.reserve(frames_.size());
  for (const FramePosition& frame : frames_) addresses_.push_back(frame.code);
  std::ranges::sort(addresses_);
  addresses_.erase(std::ranges::unique(addresses_).begin(), addresses_.end());
  return codes_.refresh_answered(addresses_, codes_read);
}

void StackReader::ask(const PythonThread& thread, std::vector<ReadSlot>& slots) {
  const std::size_t before = slots.size();
  answer_.reset();
  has_frame_objects() ? chain_.ask(thread.address, slots) : data_stack_.ask(thread.address, slots);
  frames_asked_ = slots.size() - before;
  asked_ = frames_asked_ > 0 ? thread.address : RemoteAddress{};
  if (asked_.is_null()) return;
  if (read_last_ != thread.address) addresses_.clear();
  codes_.ask(addresses_, slots);
}

Result<StackId> StackReader::resolve() {
  resolved_.clear();
  StackId stack = empty_stack;
  for (const FramePosition& frame : frames_) {
    const CodeCache::Code* code = codes_.find(frame.code);
    if (code == nullptr) return fail(ErrorClass::retry, "a frame without a code object");
    resolved_.push_back({code->id, line_of(*code, frame), frame.from_c});
    stack = interner_.stack(stack, code->id, resolved_.back().line);
  }
  return stack;
}

std::uint32_t StackReader::line_of(const CodeCache::Code& code,
                                   const FramePosition& position) const {
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
