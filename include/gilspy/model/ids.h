#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace gilspy {

/// An index into one of a run's tables; the tag keeps them apart. Ids are given out from 0 upwards.
template <class Tag>
struct Id {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(Id, Id) = default;
};

using StringId = Id<struct StringTag>;
using CodeId = Id<struct CodeTag>;
using StackId = Id<struct StackTag>;
/// A GIL: one per process up to 3.11, one per interpreter that owns its own from 3.12 on.
using GilId = Id<struct GilTag>;

/// A process id, as gilspy's own PID namespace sees it.
struct Pid {
  std::int32_t value = 0;
  friend constexpr auto operator<=>(Pid, Pid) = default;
};

/// A kernel thread id (gettid), as gilspy's own PID namespace sees it. 0 stands for no thread.
struct Tid {
  std::int32_t value = 0;
  friend constexpr auto operator<=>(Tid, Tid) = default;
};

inline constexpr Tid no_thread{0};
/// The root of the stack tree: the empty stack, or a stack that is not known.
inline constexpr StackId empty_stack{0};

}  // namespace gilspy

template <class Tag>
struct std::hash<gilspy::Id<Tag>> {
  std::size_t operator()(gilspy::Id<Tag> id) const noexcept {
    return std::hash<std::uint32_t>{}(id.value);
  }
};
template <>
struct std::hash<gilspy::Tid> {
  std::size_t operator()(gilspy::Tid tid) const noexcept {
    return std::hash<std::int32_t>{}(tid.value);
  }
};
