#include "gilspy/os/perf_records.h"

#include <linux/perf_event.h>

#include <algorithm>
#include <cstring>

namespace gilspy {

void PerfRecordWalk::copy_out(std::uint64_t from, std::span<std::byte> to) const {
  const std::size_t start = from & (ring_.size() - 1);
  const std::size_t first = std::min(to.size(), ring_.size() - start);
  std::memcpy(to.data(), ring_.data() + start, first);
  std::memcpy(to.data() + first, ring_.data(), to.size() - first);
}

std::optional<PerfRecord> PerfRecordWalk::next() {
  if (damaged_ || at_ == end_) return std::nullopt;
  const std::uint64_t left = end_ - at_;
  perf_event_header header{};
  const bool has_header = left >= sizeof(header) && left <= ring_.size();
  if (has_header) copy_out(at_, std::as_writable_bytes(std::span{&header, 1}));
  if (!has_header || header.size < sizeof(header) || header.size > left) {
    damaged_ = true;
    return std::nullopt;
  }
  const std::size_t start = at_ & (ring_.size() - 1);
  PerfRecord record{header.type, header.misc, {}};
  if (start + header.size <= ring_.size()) {
    record.body = ring_.subspan(start, header.size).subspan(sizeof(header));
  } else {
    copy_.resize(header.size);
    copy_out(at_, copy_);
    record.body = std::span{copy_}.subspan(sizeof(header));
  }
  at_ += header.size;
  return record;
}

}  // namespace gilspy
