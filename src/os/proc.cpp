#include "gilspy/os/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <memory>

namespace gilspy {
namespace {

/// A maps file of a process with tens of thousands of mappings is some megabytes long.
constexpr std::size_t max_proc_file = 64U << 20;

constexpr std::uint64_t pf_exiting = 4;  // include/linux/sched.h

template <class T>
bool parse_number(std::string_view& text, T& value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool skip(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

void skip_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find(' '), text.size()));
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

std::optional<Mapping> parse_mapping(std::string_view line) {
  Mapping mapping;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  if (!parse_number(line, begin, 16) || !skip(line, '-') || !parse_number(line, end, 16) ||
      !skip(line, ' ') || line.size() < 5 || end < begin) {
    return std::nullopt;
  }
  mapping.range = {RemoteAddress{begin}, RemoteAddress{end}};
  mapping.readable = line[0] == 'r';
  mapping.writable = line[1] == 'w';
  mapping.executable = line[2] == 'x';
  skip_word(line);
  if (!parse_number(line, mapping.offset, 16)) return std::nullopt;
  skip_word(line);
  skip_word(line);  // device
  if (!parse_number(line, mapping.inode)) return std::nullopt;
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  mapping.path = std::string(line);
  return mapping;
}

std::optional<std::string> read_all(int fd, int& error) {
  std::string text;
  std::array<char, 16384> chunk;
  while (text.size() < max_proc_file) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      error = errno;
      return std::nullopt;
    }
    if (got == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return text;
}

template <class IdType>
std::vector<IdType> numbers_in(std::string_view text) {
  std::vector<IdType> ids;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
    IdType id;
    if (text.empty() || !parse_number(text, id.value)) return ids;
    ids.push_back(id);
  }
}

}  // namespace

std::vector<Mapping> parse_maps(std::string_view text) {
  std::vector<Mapping> mappings;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (auto mapping = parse_mapping(text.substr(0, end))) mappings.push_back(std::move(*mapping));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return mappings;
}

std::optional<ProcStat> parse_stat(std::string_view text) {
  // The command name may hold spaces and parentheses: fields count from the last ")".
  const auto close = text.rfind(')');
  if (close == std::string_view::npos || close + 2 >= text.size()) return std::nullopt;
  text.remove_prefix(close + 2);
  ProcStat stat;
  // Field numbers as in proc(5); the state is field 3.
  for (int field = 3; field <= 39; ++field) {
    if (text.empty()) return std::nullopt;
    std::string_view rest = text;
    bool good = true;
    if (field == 3) stat.state = text.front();
    if (field == 4) good = parse_number(rest, stat.parent.value);
    if (field == 9) {
      std::uint64_t flags = 0;
      good = parse_number(rest, flags);
      stat.exiting = (flags & pf_exiting) != 0;
    }
    if (field == 20) good = parse_number(rest, stat.threads);
    if (field == 22) good = parse_number(rest, stat.start_ticks);
    if (field == 28) good = parse_number(rest, stat.start_stack);
    if (field == 39) good = parse_number(rest, stat.cpu);
    if (!good) return std::nullopt;
    skip_word(text);
  }
  return stat;
}

std::optional<ProcDir> ProcDir::open(Pid pid) {
  if (pid.value <= 0) return std::nullopt;
  UniqueFd folder{
      ::open(fmt::format("/proc/{}", pid.value).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder) return std::nullopt;
  return ProcDir{pid, std::move(folder)};
}

bool ProcDir::alive() const {
  const auto now = stat();
  return now && now->state != 'Z' && now->state != 'X';
}

UniqueFd ProcDir::open_file(const std::string& path) const {
  return UniqueFd{::openat(folder_.get(), path.c_str(), O_RDONLY | O_CLOEXEC)};
}

UniqueFd ProcDir::open_handle(const std::string& path) const {
  return UniqueFd{::openat(folder_.get(), path.c_str(), O_PATH | O_CLOEXEC)};
}

std::optional<std::string> ProcDir::read(const std::string& path) const {
  int error = 0;
  return read(path, error);
}

std::optional<std::string> ProcDir::read(const std::string& path, int& error) const {
  const UniqueFd file = open_file(path);
  if (!file) {
    error = errno;
    return std::nullopt;
  }
  return read_all(file.get(), error);
}

std::optional<std::string> ProcDir::link(const std::string& path) const {
  std::array<char, PATH_MAX> target;
  const ssize_t size = ::readlinkat(folder_.get(), path.c_str(), target.data(), target.size());
  if (size < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(size));
}

std::vector<Mapping> ProcDir::maps() const {
  const auto text = read("maps");
  return text ? parse_maps(*text) : std::vector<Mapping>{};
}

std::optional<ProcStat> ProcDir::stat() const {
  const auto text = read("stat");
  return text ? parse_stat(*text) : std::nullopt;
}

std::string ProcDir::command_line() const {
  auto text = read("cmdline").value_or("");
  while (!text.empty() && text.back() == '\0') text.pop_back();
  std::ranges::replace(text, '\0', ' ');
  if (text.empty()) text = fmt::format("[{}]", thread_name(Tid{pid_.value}));
  return text;
}

std::string ProcDir::thread_name(Tid tid) const {
  auto name = read(fmt::format("task/{}/comm", tid.value)).value_or("");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

std::vector<Tid> ProcDir::threads() const {
  std::vector<Tid> tids;
  const int fd = ::openat(folder_.get(), "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return tids;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder{::fdopendir(fd), &::closedir};
  if (!folder) return tids;
  while (const dirent* entry = ::readdir(folder.get())) {
    std::string_view name = entry->d_name;
    if (Tid tid; parse_number(name, tid.value)) tids.push_back(tid);
  }
  return tids;
}

std::vector<Pid> ProcDir::children() const {
  std::vector<Pid> all;
  for (const Tid tid : threads()) {
    const auto text = read(fmt::format("task/{}/children", tid.value));
    if (text) std::ranges::copy(numbers_in<Pid>(*text), std::back_inserter(all));
  }
  return all;
}

std::optional<std::string> ProcDir::status(std::string_view key) const {
  const auto text = read("status");
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.starts_with(key) && line.substr(key.size()).starts_with(":")) {
      line.remove_prefix(key.size() + 1);
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      return std::string(line);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

std::optional<uid_t> ProcDir::user() const {
  const auto line = status("Uid");
  if (!line) return std::nullopt;
  const auto ids = numbers_in<Pid>(*line);  // real, effective, saved, file system
  if (ids.size() < 2) return std::nullopt;
  return static_cast<uid_t>(ids[1].value);
}

std::uint32_t ProcDir::cores() const {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(pid_.value, sizeof(set), &set) == 0) {
    return static_cast<std::uint32_t>(CPU_COUNT(&set));
  }
  return static_cast<std::uint32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

std::optional<std::int32_t> ProcDir::id_inside(Tid tid) const {
  const auto text = read(fmt::format("task/{}/status", tid.value));
  if (!text) return std::nullopt;
  const auto at = text->find("\nNSpid:");
  if (at == std::string::npos) return tid.value;
  const auto line = std::string_view{*text}.substr(at + 7);
  const auto ids = numbers_in<Tid>(line.substr(0, line.find('\n')));
  // From the reader's own namespace inwards; the last one is what gettid() says in there.
  return ids.empty() ? std::nullopt : std::optional{ids.back().value};
}

std::vector<Pid> descendants_of(Pid pid) {
  std::vector<Pid> found;
  std::vector<Pid> layer{pid};
  // A process tree deeper than this is a fork bomb, or changes faster than it can be read.
  for (int depth = 0; depth < 64 && !layer.empty(); ++depth) {
    std::vector<Pid> next;
    for (const Pid parent : layer) {
      if (const auto folder = ProcDir::open(parent)) {
        std::ranges::copy(folder->children(), std::back_inserter(next));
      }
    }
    std::ranges::copy(next, std::back_inserter(found));
    layer = std::move(next);
  }
  return found;
}

}  // namespace gilspy
