#include "gilspy/os/process_memory.h"

#include <algorithm>
#include <cerrno>

namespace gilspy {
namespace {

/// The kernel's UIO_MAXIOV (include/uapi/linux/uio.h).
constexpr std::size_t max_iovecs = 1024;

}  // namespace

Result<std::size_t> ProcessMemory::read_batch(std::span<const ReadSlot> slots) {
  std::size_t done = 0;
  while (done < slots.size()) {
    const auto part = slots.subspan(done, std::min(max_iovecs, slots.size() - done));
    local_.clear();
    remote_.clear();
    std::size_t wanted = 0;
    for (const ReadSlot& slot : part) {
      local_.push_back({slot.into.data(), slot.into.size()});
      // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel's interface for a remote address.
      remote_.push_back({reinterpret_cast<void*>(slot.from.value()), slot.into.size()});
      wanted += slot.into.size();
    }
    const ssize_t got = ::process_vm_readv(pid_.value, local_.data(), local_.size(), remote_.data(),
                                           remote_.size(), 0);
    if (got < 0) {
      if (errno == ESRCH) return fail(ErrorClass::target_gone, "the process has ended");
      if (errno == EPERM) return fail(ErrorClass::target_gone, "the process can no longer be read");
      return done;
    }
    if (static_cast<std::size_t>(got) == wanted) {
      done += part.size();
      continue;
    }
    // A partial read stops at the first page that is not there: count the slots before it.
    auto left = static_cast<std::size_t>(got);
    for (const ReadSlot& slot : part) {
      if (left < slot.into.size()) break;
      left -= slot.into.size();
      ++done;
    }
    return done;
  }
  return done;
}

}  // namespace gilspy
