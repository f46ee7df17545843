#include "perf_map.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>
#include <vector>

namespace gilspy {
namespace {

/// A file has no more than these, of a program that is to be understood.
constexpr std::size_t max_functions = 500'000;
constexpr off_t max_size = off_t{64} << 20;
constexpr std::size_t longest_name = 512;
constexpr std::size_t chunk_size = std::size_t{256} << 10;  ///< a line is no longer than that

bool take_hex(std::string_view& text, std::uint64_t& value) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.starts_with(' ')) return false;
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return true;
}

}  // namespace

void PerfMap::add(std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
    if (!take_hex(line, begin) || !take_hex(line, size)) continue;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || size == 0 || size > UINT64_MAX - begin) continue;
    put({RemoteAddress{begin}, RemoteAddress{begin + size}}, line.substr(0, longest_name));
  }
}

void PerfMap::put(const RemoteRange& range, std::string_view name) {
  // One that is cut in two makes two of them.
  if (functions_.size() + 2 > max_functions) return;
  make_room(range);
  functions_.emplace(range.begin, Function{range.end, std::string{name}});
}

/// Of what is there already only what lies outside stays.
void PerfMap::make_room(const RemoteRange& range) {
  auto at = functions_.lower_bound(range.begin);
  if (at != functions_.begin()) {
    Function& before = std::prev(at)->second;
    const RemoteAddress end = before.end;
    if (end > range.begin) before.end = range.begin;
    if (end > range.end) functions_.emplace(range.end, Function{end, before.name});
  }
  while (at != functions_.end() && at->first < range.end) {
    if (at->second.end > range.end) functions_.emplace(range.end, std::move(at->second));
    at = functions_.erase(at);
  }
}

JitFunction PerfMap::at(RemoteAddress code) const {
  const auto after = functions_.upper_bound(code);
  if (after == functions_.begin()) return {};
  const auto& [begin, function] = *std::prev(after);
  if (code >= function.end) return {};
  return {{begin, function.end}, function.name};
}

bool PerfMapFile::refresh() {
  const UniqueFd file = open_();
  struct stat info{};
  if (!file || ::fstat(file.get(), &info) != 0) return false;
  const Identity identity{info.st_dev, info.st_ino};
  const bool another = identity_ != identity || info.st_size < done_;
  if (another) {
    map_ = {};
    done_ = 0;
    identity_ = identity;
  }
  const off_t before = done_;
  read_on(file.get(), std::min(info.st_size, max_size));
  return another || done_ != before;
}

/// Whole lines: the rest of the last one is still to be written.
void PerfMapFile::read_on(int file, off_t size) {
  std::vector<char> chunk(chunk_size);
  while (done_ < size) {
    const ssize_t got = ::pread(file, chunk.data(), chunk.size(), done_);
    if (got <= 0) return;
    std::string_view text{chunk.data(), static_cast<std::size_t>(got)};
    const std::size_t end = text.rfind('\n');
    if (end != std::string_view::npos) {
      text = text.substr(0, end + 1);
      map_.add(text);
    } else if (text.size() < chunk.size()) {
      return;
    }
    done_ += static_cast<off_t>(text.size());
  }
}

}  // namespace gilspy
