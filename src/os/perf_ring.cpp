#include "gilspy/os/perf_ring.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace gilspy {
namespace {

std::size_t page_size() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

perf_event_mmap_page& control_page(std::span<std::byte> mapping) {
  return *reinterpret_cast<perf_event_mmap_page*>(mapping.data());
}

// perf_event_open(2): the head is the kernel's, the tail ours; what lies between them may be read
// after the head was, and must have been before the tail is written.
using Position = std::atomic_ref<__u64>;

}  // namespace

std::optional<PerfRing> PerfRing::map(int event, std::size_t pages, int& error) {
  const std::size_t size = (pages + 1) * page_size();
  void* start = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
  error = start == MAP_FAILED ? errno : 0;
  if (start == MAP_FAILED) return std::nullopt;
  return PerfRing{event, {static_cast<std::byte*>(start), size}};
}

PerfRing::PerfRing(int event, std::span<std::byte> mapping)
    : event_(event), mapping_(mapping), data_(mapping.subspan(page_size())) {}

PerfRing::PerfRing(PerfRing&& other) noexcept
    : event_(other.event_),
      mapping_(std::exchange(other.mapping_, {})),
      data_(std::exchange(other.data_, {})) {}

PerfRing& PerfRing::operator=(PerfRing&& other) noexcept {
  std::swap(event_, other.event_);
  std::swap(mapping_, other.mapping_);
  std::swap(data_, other.data_);
  return *this;
}

PerfRing::~PerfRing() {
  if (!mapping_.empty()) ::munmap(mapping_.data(), mapping_.size());
}

bool PerfRing::take_in(int event) const {
  return ::ioctl(event, PERF_EVENT_IOC_SET_OUTPUT, event_) == 0;
}

std::uint64_t PerfRing::head() const {
  return Position{control_page(mapping_).data_head}.load(std::memory_order_acquire);
}

std::uint64_t PerfRing::tail() const { return control_page(mapping_).data_tail; }

void PerfRing::free_up_to(std::uint64_t position) {
  Position{control_page(mapping_).data_tail}.store(position, std::memory_order_release);
}

}  // namespace gilspy
