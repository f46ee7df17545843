#include "gilspy/os/tracepoints.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "gilspy/base/unique_fd.h"

namespace gilspy {
namespace {

/// Where tracefs is: since 4.1, and before.
constexpr std::array mount_points{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

/// The number behind `key` ("offset:16;").
std::optional<std::uint64_t> number_behind(std::string_view line, std::string_view key) {
  const auto at = line.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + key.size());
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

/// "field:u32 * uaddr;	offset:16;	size:8;	signed:0;"
std::optional<TracepointField> parse_field(std::string_view line) {
  constexpr std::uint64_t largest = 4096;
  constexpr std::string_view key = "field:";
  const auto begin = line.find(key);
  const auto end = line.find(';');
  const auto offset = number_behind(line, "offset:");
  const auto size = number_behind(line, "size:");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
  if (!offset || !size || *offset > largest || *size > largest) return std::nullopt;
  std::string_view declaration = line.substr(begin + key.size(), end - begin - key.size());
  declaration = declaration.substr(0, declaration.find('['));
  const auto space = declaration.find_last_of(" *");
  if (space != std::string_view::npos) declaration.remove_prefix(space + 1);
  if (declaration.empty()) return std::nullopt;
  return TracepointField{std::string{declaration}, static_cast<std::uint32_t>(*offset),
                         static_cast<std::uint32_t>(*size)};
}

std::optional<std::string> read_small_file(const std::string& path, int& error) {
  const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  error = file ? 0 : errno;
  if (!file) return std::nullopt;
  std::string text(std::size_t{1} << 16, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  error = got < 0 ? errno : 0;
  if (got < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(got));
  return text;
}

}  // namespace

std::optional<TracepointField> Tracepoint::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &TracepointField::name);
  return found != fields.end() ? std::optional{*found} : std::nullopt;
}

std::optional<Tracepoint> parse_tracepoint(std::string_view text) {
  Tracepoint point;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.starts_with("ID:")) point.id = number_behind(line, "ID:").value_or(0);
    if (auto field = parse_field(line)) point.fields.push_back(std::move(*field));
  }
  if (point.id == 0) return std::nullopt;
  return point;
}

std::optional<Tracepoint> read_tracepoint(std::string_view name, int& error) {
  for (const char* const folder : mount_points) {
    const auto text = read_small_file(fmt::format("{}/events/{}/format", folder, name), error);
    if (text) return parse_tracepoint(*text);
    if (error == EACCES) break;
  }
  return std::nullopt;
}

}  // namespace gilspy
