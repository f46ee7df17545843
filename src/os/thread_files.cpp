#include "gilspy/os/thread_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace gilspy {
namespace {

template <std::size_t N>
std::optional<std::string_view> pread_text(const UniqueFd& file, std::array<char, N>& buffer) {
  if (!file) return std::nullopt;
  const ssize_t got = ::pread(file.get(), buffer.data(), buffer.size(), 0);
  if (got <= 0) return std::nullopt;
  return std::string_view{buffer.data(), static_cast<std::size_t>(got)};
}

/// The next number of a line whose numbers are decimal, or hexadecimal after 0x.
template <class T>
bool next_number(std::string_view& text, T& value) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
    base = 16;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

SyscallNow parse_syscall(std::string_view text) {
  using Kind = SyscallNow::Kind;
  SyscallNow now;
  if (text.starts_with("running")) {
    now.kind = Kind::running;
    return now;
  }
  if (!next_number(text, now.number)) return now;
  if (now.number < 0) {
    now.kind = Kind::off_cpu;
  } else {
    for (std::uint64_t& argument : now.arguments) {
      if (!next_number(text, argument)) return {};
    }
    now.kind = Kind::in_syscall;
  }
  static_cast<void>(next_number(text, now.stack_pointer) && next_number(text, now.instruction));
  return now;
}

std::optional<SchedStat> parse_schedstat(std::string_view text) {
  std::int64_t ran = 0;
  std::int64_t ready = 0;
  SchedStat stat;
  if (!next_number(text, ran) || !next_number(text, ready) || !next_number(text, stat.slices)) {
    return std::nullopt;
  }
  stat.ran = Duration{ran};
  stat.ready = Duration{ready};
  return stat;
}

std::optional<std::uint64_t> parse_context_switches(std::string_view text) {
  std::uint64_t sum = 0;
  for (const std::string_view key :
       {"\nvoluntary_ctxt_switches:", "\nnonvoluntary_ctxt_switches:"}) {
    const auto at = text.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    std::string_view rest = text.substr(at + key.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    std::uint64_t count = 0;
    if (!next_number(rest, count)) return std::nullopt;
    sum += count;
  }
  return sum;
}

ThreadFiles::ThreadFiles(const ProcDir& process, Tid tid)
    : process_(&process), tid_(tid), syscall_(open("syscall")), schedstat_(open("schedstat")) {}

UniqueFd ThreadFiles::open(std::string_view name) const {
  return process_->open_file(fmt::format("task/{}/{}", tid_.value, name));
}

SyscallNow ThreadFiles::syscall() const {
  std::array<char, 256> buffer;
  if (!syscall_) return {SyscallNow::Kind::gone, -1, {}};
  const ssize_t got = ::pread(syscall_.get(), buffer.data(), buffer.size(), 0);
  if (got > 0) return parse_syscall({buffer.data(), static_cast<std::size_t>(got)});
  SyscallNow now;
  if (got == 0 || errno == ESRCH) now.kind = SyscallNow::Kind::gone;
  return now;
}

std::optional<SchedStat> ThreadFiles::schedstat() const {
  std::array<char, 128> buffer;
  const auto text = pread_text(schedstat_, buffer);
  return text ? parse_schedstat(*text) : std::nullopt;
}

std::optional<std::uint64_t> ThreadFiles::context_switches() const {
  if (!status_) status_ = open("status");
  std::array<char, 4096> buffer;
  const auto text = pread_text(status_, buffer);
  return text ? parse_context_switches(*text) : std::nullopt;
}

std::optional<ProcStat> ThreadFiles::stat() const {
  if (!stat_) stat_ = open("stat");
  std::array<char, 1024> buffer;
  const auto text = pread_text(stat_, buffer);
  return text ? parse_stat(*text) : std::nullopt;
}

char ThreadFiles::state() const {
  const auto now = stat();
  return now ? now->state : '?';
}

std::optional<int> ThreadFiles::cpu() const {
  const auto now = stat();
  return now ? std::optional{now->cpu} : std::nullopt;
}

}  // namespace gilspy
