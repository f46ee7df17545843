#include "still_stacks.h"

#include <array>
#include <thread>

#include "gilspy/os/thread_stop.h"

namespace gilspy {
namespace {

/// Tries before a stack is given up: the GIL may go to another thread in the middle of each.
constexpr int max_tries = 8;
constexpr Duration respite = std::chrono::microseconds{20};

/// Whether nobody but this thread has a say in what its frames are.
bool is_alone(const Lane& lane, const GilMoment& moment) {
  return !moment.enabled() || moment.holder() == lane.standing()->python.address;
}

bool is_on_queue(const Lane& lane) {
  return lane.files.syscall().kind == SyscallNow::Kind::running;
}

constexpr Error changed{ErrorClass::retry, "the thread ran while its stack was read"};

}  // namespace

Result<StackId> StillStacks::read(const Lane& lane, const GilReader& gil) {
  Result<StackId> stack = tl::make_unexpected(changed);
  for (int tries = 0; tries < max_tries; ++tries) {
    const auto moment = look_at(gil);
    effort_ = {static_cast<std::uint32_t>(tries), StackDrop::unreadable};
    if (!moment) return fail(ErrorClass::retry, "the GIL cannot be read");
    effort_.failed = StackDrop::changed;
    const bool runs = is_alone(lane, *moment) && is_on_queue(lane);
    stack = runs ? read_stopped(lane, gil) : read_idle(lane, gil, *moment);
    if (stack) break;
    if (stack.error().kind != ErrorClass::retry) {
      effort_.failed = StackDrop::thread_gone;
      break;
    }
    // A thread that was let go needs a moment to get on.
    std::this_thread::sleep_for(respite);
  }
  return stack;
}

std::optional<GilMoment> StillStacks::look_at(const GilReader& gil) {
  GilReader::Buffer bytes{};
  const std::array slot{gil.slot(bytes)};
  const auto done = memory_.read_batch(slot);
  if (!done || *done != slot.size()) return std::nullopt;
  return gil.decode(bytes);
}

Result<StackId> StillStacks::read_stopped(const Lane& lane, const GilReader& gil) {
  const auto stop = ThreadStop::stop(lane.tid);
  if (!stop) {
    effort_.failed = StackDrop::not_stopped;
    return fail(ErrorClass::retry, "the thread cannot be stopped");
  }
  // It may have given the GIL away before it stopped, and is no business of others' then.
  const auto moment = look_at(gil);
  if (!moment || !is_alone(lane, *moment)) return tl::make_unexpected(changed);
  return stacks_.read_still(lane.standing()->python);
}

/// Of a thread that waits for the GIL, or blocks: it must have done so from before to after.
Result<StackId> StillStacks::read_idle(const Lane& lane, const GilReader& gil,
                                       const GilMoment& before) {
  const bool alone = is_alone(lane, before);
  const auto slices = lane.files.schedstat();
  // The look before this one said that it blocks; so it did between the two, if it blocks now.
  if (alone && is_on_queue(lane)) return tl::make_unexpected(changed);
  auto stack = stacks_.read_still(lane.standing()->python);
  if (!stack) return stack;
  if (alone) {
    const auto again = lane.files.schedstat();
    const bool same = slices && again && slices->slices == again->slices;
    if (!same) return tl::make_unexpected(changed);
    return stack;
  }
  const auto after = look_at(gil);
  if (!after || !after->same_hold(before)) return tl::make_unexpected(changed);
  return stack;
}

}  // namespace gilspy
