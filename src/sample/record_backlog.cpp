#include "record_backlog.h"

#include <algorithm>

namespace gilspy {

void RecordBacklog::keep(const TraceRecord& record) {
  if (!full_since_ && kept_.size() < most_kept) {
    kept_.push_back(record);
    return;
  }
  full_since_ = std::min(full_since_.value_or(record.at), record.at);
  lost_since_ += record.kind == TraceRecord::Kind::lost ? record.count : 1;
}

/// The rings are emptied one after the other: of one there may be records of a time of which those
/// of another are lost.
void RecordBacklog::lose_from(Time full) {
  const auto later = std::ranges::lower_bound(kept_, full, {}, &TraceRecord::at);
  for (auto record = later; record != kept_.end(); ++record) {
    lost_since_ += record->kind == TraceRecord::Kind::lost ? record->count : 1;
  }
  kept_.erase(later, kept_.end());
  TraceRecord lost{TraceRecord::Kind::lost, full, no_thread};
  lost.count = lost_since_;
  kept_.push_back(lost);
  full_since_.reset();
  lost_since_ = 0;
}

std::vector<TraceRecord> RecordBacklog::take_until(Time at) {
  std::ranges::stable_sort(kept_, {}, &TraceRecord::at);
  if (full_since_) lose_from(*full_since_);
  const auto end = std::ranges::upper_bound(kept_, at, {}, &TraceRecord::at);
  std::vector<TraceRecord> taken(kept_.begin(), end);
  kept_.erase(kept_.begin(), end);
  for (const TraceRecord& record : taken) {
    if (record.kind == TraceRecord::Kind::lost) lost_ += record.count;
  }
  return taken;
}

void RecordBacklog::clear() {
  kept_.clear();
  full_since_.reset();
  lost_since_ = 0;
}

}  // namespace gilspy
