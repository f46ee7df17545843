#include "read_ahead.h"

#include <algorithm>
#include <cstdint>

namespace gilspy {
namespace {

/// Mappings begin and end at multiples of this, whatever the target's page size is.
constexpr std::uint64_t page_size = 4096;

}  // namespace

Result<std::vector<std::byte>> read_ahead(MemoryReader& memory, RemoteAddress object,
                                          std::size_t head, std::size_t wanted) {
  if (object.is_null()) return fail(ErrorClass::retry, "null object");
  // Staying in the page of the first byte, a read beyond the object's end cannot meet an unmapped
  // page and fail.
  const std::uint64_t to_page_end = page_size - object.value() % page_size;
  std::vector<std::byte> bytes(std::max<std::size_t>(head, std::min(wanted, to_page_end)));
  auto done = memory.read(object, bytes);
  if (!done && done.error().kind == ErrorClass::retry && bytes.size() > head) {
    // A source other than a live process may end anywhere.
    bytes.resize(head);
    done = memory.read(object, bytes);
  }
  if (!done) return tl::make_unexpected(done.error());
  return bytes;
}

Result<void> read_whole(MemoryReader& memory, RemoteAddress object, std::size_t size,
                        std::vector<std::byte>& bytes) {
  if (bytes.size() >= size) return {};
  bytes.resize(size);
  return memory.read(object, bytes);
}

}  // namespace gilspy
