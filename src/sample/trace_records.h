#pragma once

#include <linux/perf_event.h>

#include <cstdint>
#include <optional>

#include "gilspy/base/time.h"
#include "gilspy/model/ids.h"
#include "gilspy/os/perf_records.h"
#include "gilspy/os/tracepoints.h"

namespace gilspy {

/// One thing that the kernel recorded of a thread.
struct TraceRecord {
  enum class Kind : std::uint8_t {
    given_cpu,   ///< was put on a CPU
    preempted,   ///< lost its CPU, and wants one
    blocked,     ///< gave its CPU up
    futex_wait,  ///< called futex() to wait at `address`; may come back at once
    futex_wake,  ///< called futex() to wake who waits at `address`
    forked,      ///< is new; the kernel records of it as of the one that made it
    exited,
    lost,  ///< `count` records of any threads found no room in the ring just before this
  } kind = Kind::lost;
  Time at;
  Tid tid;
  std::uint64_t address = 0;
  bool until = false;  ///< of futex_wait: FUTEX_WAIT_BITSET, as pthread_cond_timedwait() does
  std::uint64_t count = 0;

  friend bool operator==(const TraceRecord&, const TraceRecord&) = default;
};

/// The tracepoint sys_enter_futex: its records begin with its id, and have the call's arguments in
/// these places.
struct FutexPoint {
  std::uint64_t call = 0;
  std::uint32_t address = 16;
  std::uint32_t operation = 24;

  [[nodiscard]] static std::optional<FutexPoint> of(const Tracepoint& call);
};

/// The sample_type, with sample_id_all, that parse_trace_record() expects.
inline constexpr std::uint64_t trace_sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;

/// Nothing for a record of another process, of no interest, or too short for its kind.
[[nodiscard]] std::optional<TraceRecord> parse_trace_record(const PerfRecord& record, Pid process,
                                                            const FutexPoint& point);

}  // namespace gilspy
