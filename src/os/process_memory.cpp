#include "gilspy/os/process_memory.h"

#include <algorithm>
#include <cerrno>
#include <optional>

namespace gilspy {
namespace {

/// Half of the kernel's UIO_MAXIOV (include/uapi/linux/uio.h): there may be as many gaps.
constexpr std::size_t most_slots = 512;
/// Mappings begin and end at multiples of this, whatever the target's page size is.
constexpr std::uint64_t page_size = 4096;

/// Between two slots that are read as one piece: the kernel takes as long to find a piece as to
/// copy six kilobytes. They lie on the same page or on two that follow each other, so that nothing
/// is read that could be missing where they are not.
std::optional<std::uint64_t> gap_between(const ReadSlot& before, const ReadSlot& slot) {
  if (before.into.empty() || slot.into.empty()) return std::nullopt;
  const std::uint64_t last = before.from.value() + before.into.size() - 1;
  const std::uint64_t first = slot.from.value();
  if (last < before.from.value() || first <= last) return std::nullopt;
  if (first / page_size - last / page_size > 1) return std::nullopt;
  return first - last - 1;
}

/// How many slots so many bytes fill, gaps included.
std::size_t filled(std::span<const ReadSlot> slots, std::uint64_t bytes) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto gap = i > 0 ? gap_between(slots[i - 1], slots[i]) : std::nullopt;
    const std::uint64_t needed = gap.value_or(0) + slots[i].into.size();
    if (bytes < needed) return i;
    bytes -= needed;
  }
  return slots.size();
}

}  // namespace

/// Adds it to the piece of the one before, or begins a new one.
void ProcessMemory::add(const ReadSlot* before, const ReadSlot& slot) {
  const auto gap = before != nullptr ? gap_between(*before, slot) : std::nullopt;
  if (gap) {
    if (*gap > 0) local_.push_back({unwanted_.data(), *gap});
    remote_.back().iov_len += *gap + slot.into.size();
  } else {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel's interface for a remote address.
    remote_.push_back({reinterpret_cast<void*>(slot.from.value()), slot.into.size()});
  }
  local_.push_back({slot.into.data(), slot.into.size()});
}

Result<std::size_t> ProcessMemory::read_batch(std::span<const ReadSlot> slots) {
  std::size_t done = 0;
  while (done < slots.size()) {
    const auto part = slots.subspan(done, std::min(most_slots, slots.size() - done));
    local_.clear();
    remote_.clear();
    for (std::size_t i = 0; i < part.size(); ++i) add(i > 0 ? &part[i - 1] : nullptr, part[i]);
    const ssize_t got = ::process_vm_readv(pid_.value, local_.data(), local_.size(), remote_.data(),
                                           remote_.size(), 0);
    if (got < 0) {
      if (errno == ESRCH) return fail(ErrorClass::target_gone, "the process has ended");
      if (errno == EPERM) return fail(ErrorClass::target_gone, "the process can no longer be read");
      return done;
    }
    // A partial read stops at the first page that is not there.
    const std::size_t whole = filled(part, static_cast<std::uint64_t>(got));
    done += whole;
    if (whole < part.size()) return done;
  }
  return done;
}

}  // namespace gilspy
