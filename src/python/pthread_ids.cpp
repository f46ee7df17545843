#include "gilspy/python/pthread_ids.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "gilspy/base/bytes.h"

namespace gilspy {
namespace {

/// How much of struct pthread is searched; all of it is some 2300 bytes in glibc 2.36.
constexpr std::size_t searched = 1024;

bool contains(std::span<const std::int32_t> tids, std::int32_t tid) {
  return std::ranges::find(tids, tid) != tids.end();
}

}  // namespace

std::optional<std::int32_t> PthreadIds::tid_of(MemoryReader& memory, std::uint64_t pthread,
                                               std::span<const std::uint64_t> all,
                                               std::span<const std::int32_t> tids) {
  if (!offset_) learn(memory, all, tids);
  if (!offset_) return std::nullopt;
  const auto tid = memory.read_value<std::int32_t>(RemoteAddress{pthread + *offset_});
  // A thread state whose thread is just ending, or beginning, may point at reused memory.
  if (!tid || !contains(tids, *tid)) return std::nullopt;
  return *tid;
}

void PthreadIds::learn(MemoryReader& memory, std::span<const std::uint64_t> all,
                       std::span<const std::int32_t> tids) {
  std::vector<std::array<std::byte, searched>> structs;
  for (const std::uint64_t pthread : all) {
    std::array<std::byte, searched> bytes;
    if (memory.read(RemoteAddress{pthread}, bytes)) structs.push_back(bytes);
  }
  if (structs.empty()) return;
  for (std::uint64_t offset = 0; offset + sizeof(std::int32_t) <= searched; offset += 4) {
    // Every thread has its own id there: the process id, beside it in old glibcs, is in all of
    // them.
    std::set<std::int32_t> found;
    for (const auto& bytes : structs) {
      const auto tid = load<std::int32_t>(bytes, offset).value_or(0);
      if (contains(tids, tid)) found.insert(tid);
    }
    if (found.size() == structs.size()) {
      offset_ = offset;
      return;
    }
  }
}

}  // namespace gilspy
