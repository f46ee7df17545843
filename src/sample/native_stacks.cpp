#include "native_stacks.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <span>
#include <thread>
#include <utility>

#include "gilspy/os/perf_event.h"
#include "gilspy/os/thread_stop.h"

namespace gilspy {
namespace {

constexpr std::uint64_t page_size = 4096;
/// So much of a stack is copied: some hundred native functions, of which the upper ones matter.
constexpr std::size_t stack_pages = 16;
/// At most so often are the mappings looked at because an address was in none of them.
constexpr Duration shortest_refresh = std::chrono::milliseconds{50};

/// The kernel's timer goes off after 10 us of the thread's own time; a thread that has no CPU gets
/// one when we sleep, or not for long.
constexpr std::array<Duration, 3> waits{
    std::chrono::microseconds{20}, std::chrono::microseconds{30}, std::chrono::microseconds{60}};
constexpr int max_tries = 2;
constexpr std::size_t max_owed = 1024;
/// A thread that has run so long has made its copy, if its event works. The kernel's count of that
/// time is late by a scheduler's tick, 1 to 10 ms, but never ahead.
constexpr Duration silence = std::chrono::milliseconds{1};

constexpr Error ran{ErrorClass::retry, "the thread ran while its stack was read"};

}  // namespace

NativeStacks::NativeStacks(const ProcDir& process, MemoryReader& memory, StackReader& stacks,
                           Interner& interner, bool stop)
    : process_(process),
      memory_(memory),
      stacks_(stacks),
      interner_(interner),
      code_(memory),
      unwinder_(code_),
      names_(process, code_),
      stop_(stop) {}

void NativeStacks::refresh(Time at) {
  refreshed_at_ = at;
  lost_ = false;
  if (!code_.update(process_.maps())) return;
  unwinder_.forget();
  names_.forget();
  interner_.forget_places();
  names_.prepare();
}

void NativeStacks::keep_up(Time at) {
  tell_lines(names_.keep_up(at));
  if (lost_ && at - refreshed_at_ >= shortest_refresh) refresh(at);
}

std::optional<std::string> NativeStacks::take_note() {
  if (events_.allowed() || std::exchange(noted_, true)) return std::nullopt;
  return fmt::format(
      "perf events are not allowed ({}, kernel.perf_event_paranoid is {}): --native stops each "
      "running thread for a moment instead",
      std::strerror(events_.why_not()), perf_event_paranoid());
}

NativeCounted NativeStacks::take_counts(Time at) {
  NativeCounted counts = std::exchange(counts_, {});
  counts.at = at;
  // Threads that have ended are in it for good.
  if (owed_.size() > max_owed) owed_.clear();
  return counts;
}

Result<std::optional<StackId>> NativeStacks::read(const Lane& lane) {
  const SyscallNow call = lane.files.syscall();
  switch (call.kind) {
    case SyscallNow::Kind::running: return read_running(lane);
    case SyscallNow::Kind::in_syscall:
    case SyscallNow::Kind::off_cpu: return read_idle(lane, call);
    case SyscallNow::Kind::gone: return fail(ErrorClass::drop_thread, "the thread has ended");
    case SyscallNow::Kind::unreadable: break;
  }
  return read_python_alone(lane);
}

/// Of a blocked thread the kernel says no more than where it stands.
Result<StackId> NativeStacks::read_idle(const Lane& lane, const SyscallNow& call) {
  const auto slices = lane.files.schedstat();
  image_.registers = {};
  image_.registers.set(Registers::stack_pointer, call.stack_pointer);
  image_.registers.set(Registers::instruction, call.instruction);
  copy_stack();
  const auto done = read_python(lane);
  const SyscallNow again = lane.files.syscall();
  const auto slices_again = lane.files.schedstat();
  const bool same = slices && slices_again && slices->slices == slices_again->slices &&
                    again.kind == call.kind && again.stack_pointer == call.stack_pointer &&
                    again.instruction == call.instruction;
  if (!done || !same) return read_python_alone(lane);
  return put_together();
}

Result<std::optional<StackId>> NativeStacks::read_running(const Lane& lane) {
  StackEvent* event = stop_ ? nullptr : events_.of(lane.tid);
  if (event == nullptr) {
    if (stop_ || !events_.allowed()) return read_stopped(lane);
    return read_python_alone(lane);
  }
  const auto owed = owed_.extract(lane.tid);
  auto before = python_of(lane);
  for (int tries = 0; before && tries < max_tries; ++tries) {
    if (!copy_running(*event)) {
      if (owed) {  // for long: what is known is better than nothing
        drop_if_silent(lane, owed.mapped());
        break;
      }
      owed_[lane.tid] = {*before, lane.files.schedstat().value_or(SchedStat{}).ran};
      return std::nullopt;
    }
    const auto after = python_of(lane);
    if (!after) break;
    if (*after == *before) return put_together();
    before = after;
  }
  if (!before) return before;
  ++counts_.left_out;
  if (lane.standing() == nullptr) return tl::make_unexpected(ran);
  return before;
}

/// An event that is asked while the kernel is still ending its last answer ends with it, and never
/// answers (kernel/events/core.c: perf_event_refresh, pending_disable).
void NativeStacks::drop_if_silent(const Lane& lane, const Debt& debt) {
  const auto now = lane.files.schedstat();
  if (now && now->ran - debt.ran >= silence) events_.drop(lane.tid);
}

/// The thread has had a CPU since, for some microseconds at least. If its Python functions are what
/// they were when it got it, they belong to the copy.
Result<std::optional<StackId>> NativeStacks::read_late(const Lane& lane) {
  StackEvent* event = events_.of(lane.tid);
  auto copy = event != nullptr ? event->take() : std::nullopt;
  if (!copy && lane.files.syscall().kind == SyscallNow::Kind::running) return std::nullopt;
  const auto owed = owed_.extract(lane.tid);
  if (!copy || lane.files.syscall().kind != SyscallNow::Kind::running) return read(lane);
  image_ = {copy->registers, std::move(copy->stack)};
  const auto now = python_of(lane);
  if (now && *now == owed.mapped().python) return put_together();
  ++counts_.left_out;
  if (lane.standing() == nullptr) return tl::make_unexpected(ran);
  return now;
}

/// Has the kernel make the copy. Waiting for it lets the thread run, if it is us who has its CPU.
bool NativeStacks::copy_running(StackEvent& event) {
  if (!event.ask()) return false;
  for (const Duration wait : waits) {
    std::this_thread::sleep_for(wait);
    if (auto copy = event.take()) {
      image_ = {copy->registers, std::move(copy->stack)};
      return true;
    }
  }
  return false;
}

Result<StackId> NativeStacks::read_stopped(const Lane& lane) {
  {
    const auto stop = ThreadStop::stop(lane.tid);
    const auto registers = stop ? stop->registers() : std::nullopt;
    if (!registers) return read_python_alone(lane);
    image_.registers = *registers;
    copy_stack();
    if (const auto done = read_python(lane); !done) return tl::make_unexpected(done.error());
  }
  return put_together();
}

Result<StackId> NativeStacks::read_python_alone(const Lane& lane) {
  ++counts_.left_out;
  const Standing* standing = lane.standing();
  if (standing == nullptr) return tl::make_unexpected(ran);
  return stacks_.read(standing->python);
}

/// Its Python functions alone, as they are now.
Result<StackId> NativeStacks::python_of(const Lane& lane) {
  python_.clear();
  const Standing* standing = lane.standing();
  if (standing == nullptr) return empty_stack;
  const auto stack = stacks_.read(standing->python);
  if (stack) python_ = stacks_.frames();
  return stack;
}

/// Of a thread that does not run meanwhile.
Result<void> NativeStacks::read_python(const Lane& lane) {
  python_.clear();
  const Standing* standing = lane.standing();
  if (standing == nullptr) return {};
  const auto stack = stacks_.read_still(standing->python);
  if (!stack) return tl::make_unexpected(stack.error());
  python_ = stacks_.frames();
  return {};
}

/// From the stack pointer on, page by page as far as there are any.
void NativeStacks::copy_stack() {
  const std::uint64_t begin = image_.registers[Registers::stack_pointer];
  const std::uint64_t first = page_size - begin % page_size;
  image_.stack.resize(first + (stack_pages - 1) * page_size);
  slots_.clear();
  std::span<std::byte> rest{image_.stack};
  for (std::uint64_t size = first; !rest.empty(); size = page_size) {
    slots_.push_back(
        {RemoteAddress{begin} + (image_.stack.size() - rest.size()), rest.first(size)});
    rest = rest.subspan(size);
  }
  const std::size_t done = memory_.read_batch(slots_).value_or(0);
  image_.stack.resize(done == 0 ? 0 : first + (done - 1) * page_size);
}

/// The copy does not change: it can be followed again through code that is new.
Unwound NativeStacks::follow() {
  Unwound unwound = unwinder_.unwind(image_);
  const Time at = now();
  if (!unwound.astray || at - refreshed_at_ < shortest_refresh) return unwound;
  refresh(at);
  return unwinder_.unwind(image_);
}

StackId NativeStacks::put_together() {
  const Unwound unwound = follow();
  native_.clear();
  places_.clear();
  roles_.clear();
  for (const NativeFrame& frame : unwound.frames) {
    places_.push_back(frame.at);
    native_.push_back(names_.at(frame.at));
    if (native_.back() != nullptr) roles_.push_back(native_.back()->role);
  }
  lost_ = lost_ || unwound.astray;
  std::vector<bool> from_c;
  from_c.reserve(python_.size());
  for (const StackReader::Frame& frame : python_) from_c.push_back(frame.from_c);
  if (roles_.empty() || roles_.size() != native_.size()) {
    ++counts_.left_out;
    return intern(merge_stacks({}, false, from_c));
  }
  const Merged merged = merge_stacks(roles_, unwound.whole, from_c);
  ++counts_.merged;
  if (!unwound.whole || !merged.aligned) ++counts_.broken;
  return intern(merged);
}

StackId NativeStacks::intern(const Merged& merged) {
  StackId stack = empty_stack;
  for (const MergedFrame& frame : merged.frames) {
    if (frame.native) {
      const NativeFunction& function = *native_[frame.index];
      const CodeId code = interner_.native_code(function.name, function.library);
      stack = function.awaits_line ? interner_.stack_at(stack, code, places_[frame.index].value())
                                   : interner_.stack(stack, code, line_of(code, function));
    } else {
      const StackReader::Frame& function = python_[frame.index];
      stack = interner_.stack(stack, function.code, function.line);
    }
  }
  return stack;
}

/// Of a name that several functions have, the lines of one are shown.
std::uint32_t NativeStacks::line_of(CodeId code, const NativeFunction& function) {
  if (function.source.empty()) return 0;
  const bool in_source = interner_.native_source(code, function.source, function.first_line);
  return in_source ? function.line : 0;
}

/// Stacks that were taken before the lines of their functions had been read.
void NativeStacks::tell_lines(const std::vector<RemoteAddress>& places) {
  for (const RemoteAddress place : places) {
    const NativeFunction* function = names_.at(place);
    if (function == nullptr) continue;
    const CodeId code = interner_.native_code(function->name, function->library);
    interner_.tell_line(place.value(), line_of(code, *function));
  }
}

}  // namespace gilspy
