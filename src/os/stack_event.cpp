#include "gilspy/os/stack_event.h"

#include <asm/perf_regs.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <utility>

#include "gilspy/base/bytes.h"
#include "gilspy/os/perf_event.h"

namespace gilspy {
namespace {

/// So much of a stack is copied. A record is at most 64 KB long.
constexpr std::uint32_t stack_size = 32 * 1024;
/// For one record, in pages; the kernel leaves one out that does not fit.
constexpr std::size_t ring_pages = 16;
/// The shortest period that the kernel takes (kernel/events/core.c, perf_swevent_start_hrtimer).
constexpr std::uint64_t period_ns = 10'000;

struct RegisterBit {
  unsigned bit;       ///< in perf's mask, in whose order the values come
  std::size_t dwarf;  ///< its number for debuggers
};
constexpr std::array<RegisterBit, Registers::count> register_bits{{{PERF_REG_X86_AX, 0},
                                                                   {PERF_REG_X86_BX, 3},
                                                                   {PERF_REG_X86_CX, 2},
                                                                   {PERF_REG_X86_DX, 1},
                                                                   {PERF_REG_X86_SI, 4},
                                                                   {PERF_REG_X86_DI, 5},
                                                                   {PERF_REG_X86_BP, 6},
                                                                   {PERF_REG_X86_SP, 7},
                                                                   {PERF_REG_X86_IP, 16},
                                                                   {PERF_REG_X86_R8, 8},
                                                                   {PERF_REG_X86_R9, 9},
                                                                   {PERF_REG_X86_R10, 10},
                                                                   {PERF_REG_X86_R11, 11},
                                                                   {PERF_REG_X86_R12, 12},
                                                                   {PERF_REG_X86_R13, 13},
                                                                   {PERF_REG_X86_R14, 14},
                                                                   {PERF_REG_X86_R15, 15}}};

UniqueFd open_clock(Tid tid, bool kernel_too, int& error) {
  perf_event_attr attributes = perf_attributes(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access): the kernel's own struct.
  attributes.sample_period = period_ns;
  attributes.sample_type = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
  for (const RegisterBit& r : register_bits)
    attributes.sample_regs_user |= std::uint64_t{1} << r.bit;
  attributes.sample_stack_user = stack_size;
  attributes.exclude_kernel = kernel_too ? 0 : 1;
  attributes.exclude_hv = 1;
  return open_perf_event(attributes, tid, -1, error);
}

}  // namespace

std::optional<StackCopy> parse_stack_sample(std::span<const std::byte> body) {
  // { u64 abi; u64 regs[]; u64 size; char data[size]; u64 dyn_size; } (perf_event_open(2)); without
  // user mode there is an abi of 0 and no registers.
  const auto abi = load<std::uint64_t>(body, 0);
  if (!abi || *abi != PERF_SAMPLE_REGS_ABI_64) return std::nullopt;
  StackCopy copy;
  std::uint64_t offset = sizeof(*abi);
  for (const RegisterBit& r : register_bits) {
    const auto value = load<std::uint64_t>(body, offset);
    if (!value) return std::nullopt;
    copy.registers.set(r.dwarf, *value);
    offset += sizeof(*value);
  }
  const auto size = load<std::uint64_t>(body, offset);
  if (!size) return std::nullopt;
  offset += sizeof(*size);
  const auto bytes = slice(body, offset, *size);
  const auto used = bytes ? load<std::uint64_t>(body, offset + *size) : std::nullopt;
  if (!used || *used > *size) return copy;
  const auto stack = bytes->first(*used);
  copy.stack.assign(stack.begin(), stack.end());
  return copy;
}

std::optional<StackEvent> StackEvent::open(Tid tid, int& error) {
  // Inside a system call the registers are those of the moment that it was made; only who may watch
  // the kernel gets them.
  UniqueFd event = open_clock(tid, true, error);
  if (!event && (error == EACCES || error == EPERM)) event = open_clock(tid, false, error);
  if (!event) return std::nullopt;
  auto ring = PerfRing::map(event.get(), ring_pages, error);
  if (!ring) return std::nullopt;
  return StackEvent{std::move(event), std::move(*ring)};
}

bool StackEvent::ask() {
  static_cast<void>(take());
  if (asked_) return true;
  asked_ = ::ioctl(event_.get(), PERF_EVENT_IOC_REFRESH, 1) == 0;
  return asked_;
}

std::optional<StackCopy> StackEvent::take() {
  std::optional<StackCopy> copy;
  static_cast<void>(ring_.drain([&](const PerfRecord& record) {
    if (record.type != PERF_RECORD_SAMPLE) return;
    asked_ = false;
    copy = parse_stack_sample(record.body);
  }));
  return copy;
}

}  // namespace gilspy
