#include "kernel_trace.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "gilspy/os/perf_event.h"
#include "gilspy/os/trace_access.h"

namespace gilspy {
namespace {

constexpr std::string_view futex_call = "syscalls/sys_enter_futex";

/// Half a megabyte: what kernel.perf_event_mlock_kb allows everybody for each CPU. A busy thread
/// fills some kilobytes in a millisecond.
constexpr std::size_t ring_pages = 128;

/// Threads made while the others were gone through may have to be followed one by one.
constexpr int most_rounds = 10;

/// Of a tracepoint, or (0) of nothing but the records that come along with any event.
perf_event_attr attributes_of(std::uint64_t point) {
  perf_event_attr attributes = point != 0
                                   ? perf_attributes(PERF_TYPE_TRACEPOINT, point)
                                   : perf_attributes(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
  attributes.sample_type = trace_sample_type;
  if (point != 0) {
    attributes.sample_type |= PERF_SAMPLE_RAW;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access): the kernel's own struct.
    attributes.sample_period = 1;
  }
  attributes.sample_id_all = 1;
  attributes.inherit = 1;
  // A system call's tracepoint fires with the registers of the program, so that even without the
  // right to look inside the kernel it may be had (kernel/events/core.c, perf_tp_event_match).
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  attributes.watermark = 1;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access): the kernel's own struct.
  attributes.wakeup_watermark = ring_pages * 4096 / 2;
  return attributes;
}

std::optional<FutexPoint> read_point(int& error) {
  const auto call = read_tracepoint(futex_call, error);
  return call ? FutexPoint::of(*call) : std::nullopt;
}

}  // namespace

std::string futex_filter(std::span<const RemoteRange> futexes) {
  std::string filter;
  for (const RemoteRange& range : futexes) {
    filter += fmt::format("{}(uaddr >= {:#x} && uaddr < {:#x})", filter.empty() ? "" : " || ",
                          range.begin.value(), range.end.value());
  }
  return filter;
}

KernelTrace::KernelTrace(const ProcDir& process, std::span<const RemoteRange> futexes)
    : process_(process),
      futexes_(futexes.begin(), futexes.end()),
      filter_(futex_filter(futexes)),
      cpus_(online_cpus()) {
  half_full_.reset(::epoll_create1(EPOLL_CLOEXEC));
  int error = 0;
  point_ = read_point(error);
  if (point_ && !filter_.empty()) {
    if (start()) {
      source_ = TraceSource::exact;
      return;
    }
    why_not_ = why_no_perf_event(error_).text();
  } else {
    why_not_ = point_ ? "there is no GIL" : why_no_tracepoint(error).text();
  }
  point_.reset();
  if (start()) {
    source_ = TraceSource::switches;
  } else {
    why_not_ = why_no_perf_event(error_).text();
  }
}

bool KernelTrace::start() {
  if (follow_new_threads()) return true;
  stop();
  if (error_ != EINVAL || !threads_alone_) return false;
  // Before 5.13 child processes inherit as well; their records are left out.
  threads_alone_ = false;
  return start();
}

void KernelTrace::stop() {
  rings_.clear();
  events_.clear();
  followed_.clear();
  backlog_.clear();
}

/// Those made by a thread that was followed already are by themselves: a record tells of them.
bool KernelTrace::follow_new_threads() {
  for (int round = 0; round < most_rounds; ++round) {
    drain();
    for (const TraceRecord& record : backlog_.kept()) {
      if (record.kind == TraceRecord::Kind::forked) followed_.insert(record.tid);
    }
    bool all = true;
    for (const Tid tid : process_.threads()) {
      if (!followed_.insert(tid).second) continue;
      all = false;
      if (!follow(tid)) return false;
    }
    if (all) break;
  }
  return !rings_.empty();
}

bool KernelTrace::follow(Tid tid) {
  for (std::size_t cpu = 0; cpu < cpus_.size(); ++cpu) {
    UniqueFd event = open_event(tid, cpu);
    if (!event) return error_ == ESRCH;
    const bool filtered = !point_ || filter_perf_event(event.get(), filter_);
    if (!filtered || !start_perf_event(event.get())) return false;
    events_.push_back(std::move(event));
  }
  return true;
}

/// An event that writes into its CPU's ring.
UniqueFd KernelTrace::open_event(Tid tid, std::size_t cpu) {
  perf_event_attr attributes = attributes_of(point_ ? point_->call : 0);
  attributes.inherit_thread = threads_alone_ ? 1 : 0;
  attributes.context_switch = 1;
  attributes.task = 1;
  UniqueFd event = open_perf_event(attributes, tid, cpus_[cpu], error_);
  if (!event) return event;
  const bool ready = rings_.size() > cpu ? rings_[cpu].take_in(event.get()) : add_ring(event.get());
  if (!ready) event.reset();
  if (!ready && error_ == 0) error_ = EIO;
  return event;
}

bool KernelTrace::add_ring(int event) {
  auto ring = PerfRing::map(event, ring_pages, error_);
  if (!ring) return false;
  rings_.push_back(std::move(*ring));
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  return ::epoll_ctl(half_full_.get(), EPOLL_CTL_ADD, event, &wanted) == 0;
}

void KernelTrace::watch(std::span<const RemoteRange> futexes) {
  if (!point_ || futexes.empty() || std::ranges::equal(futexes, futexes_)) return;
  futexes_.assign(futexes.begin(), futexes.end());
  filter_ = futex_filter(futexes);
  for (const UniqueFd& event : events_) {
    // An event whose thread has ended refuses, and needs none.
    static_cast<void>(filter_perf_event(event.get(), filter_));
  }
}

void KernelTrace::drain() {
  for (PerfRing& ring : rings_) {
    const bool sound = ring.drain([this](const PerfRecord& record) {
      const auto parsed = parse_trace_record(record, process_.pid(), point_.value_or(FutexPoint{}));
      if (parsed) backlog_.keep(*parsed);
    });
    if (sound) continue;
    TraceRecord lost{TraceRecord::Kind::lost, now(), no_thread};
    lost.count = 1;
    backlog_.keep(lost);
  }
}

}  // namespace gilspy
