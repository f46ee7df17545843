#pragma once

#include "gilspy/base/memory_reader.h"
#include "gilspy/python/gil.h"
#include "gilspy/python/stack_reader.h"
#include "lanes.h"

namespace gilspy {

/// Reads stacks while nothing can change them. Only the holder of the GIL changes frames: so a
/// thread that does not hold it stands still for as long as the GIL stays where it is, and the one
/// that does is stopped, alone, for as long as its own stack is read. With the GIL off every
/// thread that runs is stopped for its own.
///
/// A thread inside a system call is not stopped, which might interrupt the call (signal(7)): it is
/// enough that it has not had a CPU meanwhile.
class StillStacks {
 public:
  StillStacks(MemoryReader& memory, StackReader& stacks) : memory_(memory), stacks_(stacks) {}

  /// The lane must have a standing. Fails with `retry` when it could not be had at rest, or not be
  /// stopped: another tracer has it, or it is not allowed.
  [[nodiscard]] Result<StackId> read(const Lane& lane, const GilReader& gil);

  /// Of the last one.
  [[nodiscard]] const StackEffort& effort() const { return effort_; }

 private:
  [[nodiscard]] std::optional<GilMoment> look_at(const GilReader& gil);
  [[nodiscard]] Result<StackId> read_stopped(const Lane& lane, const GilReader& gil);
  [[nodiscard]] Result<StackId> read_idle(const Lane& lane, const GilReader& gil,
                                          const GilMoment& before);

  MemoryReader& memory_;
  StackReader& stacks_;
  StackEffort effort_;
};

}  // namespace gilspy
