#include "trace_records.h"

#include <linux/futex.h>

#include "gilspy/base/bytes.h"

namespace gilspy {
namespace {

using Kind = TraceRecord::Kind;

// Layouts: perf_event_open(2), include/uapi/linux/perf_event.h.
struct Identity {
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  std::int64_t time = 0;
};
struct Sample {
  Identity identity;
  std::uint32_t raw_size = 0;
};
constexpr std::size_t raw_offset = sizeof(Identity) + sizeof(std::uint32_t);
struct Task {
  std::int32_t pid = 0;
  std::int32_t parent_pid = 0;
  std::int32_t tid = 0;
  std::int32_t parent_tid = 0;
  std::int64_t time = 0;
};

/// What sample_id_all puts at the end of every record that is no sample.
std::optional<Identity> identity_at_end(const PerfRecord& record) {
  if (record.body.size() < sizeof(Identity)) return std::nullopt;
  return load<Identity>(record.body, record.body.size() - sizeof(Identity));
}

std::optional<TraceRecord> parse_switch(const PerfRecord& record, Pid process) {
  const auto identity = identity_at_end(record);
  if (!identity || identity->pid != process.value) return std::nullopt;
  Kind kind = Kind::given_cpu;
  if ((record.misc & PERF_RECORD_MISC_SWITCH_OUT) != 0) {
    const bool ready = (record.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) != 0;
    kind = ready ? Kind::preempted : Kind::blocked;
  }
  return TraceRecord{kind, time_from_ns(identity->time), Tid{identity->tid}};
}

std::optional<TraceRecord> parse_task(const PerfRecord& record, Pid process, Kind kind) {
  const auto task = load<Task>(record.body, 0);
  if (!task || task->pid != process.value) return std::nullopt;
  return TraceRecord{kind, time_from_ns(task->time), Tid{task->tid}};
}

std::optional<TraceRecord> parse_lost(const PerfRecord& record, std::uint64_t count_offset) {
  const auto count = load<std::uint64_t>(record.body, count_offset);
  const auto identity = identity_at_end(record);
  if (!count || !identity) return std::nullopt;
  TraceRecord lost{Kind::lost, time_from_ns(identity->time), no_thread};
  lost.count = *count;
  return lost;
}

std::optional<TraceRecord> parse_futex(const PerfRecord& record, Pid process,
                                       const FutexPoint& point) {
  const auto sample = load<Sample>(record.body, 0);
  if (!sample || sample->identity.pid != process.value) return std::nullopt;
  const auto raw = slice(record.body, raw_offset, sample->raw_size);
  if (!raw) return std::nullopt;
  // include/linux/trace_events.h, struct trace_entry.
  const auto id = load<std::uint16_t>(*raw, 0);
  if (id != point.call) return std::nullopt;
  const auto address = load<std::uint64_t>(*raw, point.address);
  const auto operation = load<std::uint64_t>(*raw, point.operation);
  if (!address || !operation) return std::nullopt;
  TraceRecord call{Kind::futex_wait, time_from_ns(sample->identity.time),
                   Tid{sample->identity.tid}};
  call.address = *address;
  switch (static_cast<int>(*operation & FUTEX_CMD_MASK)) {
    case FUTEX_WAIT_BITSET: call.until = true; return call;
    case FUTEX_WAIT: return call;
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
    case FUTEX_WAKE_OP:
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE: call.kind = Kind::futex_wake; return call;
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<FutexPoint> FutexPoint::of(const Tracepoint& call) {
  const auto address = call.field("uaddr");
  const auto operation = call.field("op");
  if (!address || !operation || address->size != 8 || operation->size != 8) return std::nullopt;
  return FutexPoint{call.id, address->offset, operation->offset};
}

std::optional<TraceRecord> parse_trace_record(const PerfRecord& record, Pid process,
                                              const FutexPoint& point) {
  switch (record.type) {
    case PERF_RECORD_SWITCH: return parse_switch(record, process);
    case PERF_RECORD_SAMPLE: return parse_futex(record, process, point);
    case PERF_RECORD_FORK: return parse_task(record, process, Kind::forked);
    case PERF_RECORD_EXIT: return parse_task(record, process, Kind::exited);
    case PERF_RECORD_LOST: return parse_lost(record, sizeof(std::uint64_t));
    case PERF_RECORD_LOST_SAMPLES: return parse_lost(record, 0);
    default: return std::nullopt;
  }
}

}  // namespace gilspy
