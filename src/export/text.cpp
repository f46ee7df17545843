#include "text.h"

#include <cstddef>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace gilspy {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

/// How many bytes the UTF-8 sequence at the start of `text` has; 0 when it is not valid UTF-8.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  std::size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

/// What stands for a character, or the character itself where it may stay.
std::string_view shown(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character == "\t" || character == "\n" || character == "\r") return " ";
  if (first < 0x20 || first == 0x7F) return replacement;
  const bool c1_control = first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  const bool not_in_xml = character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
  return c1_control || not_in_xml ? replacement : character;
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string at_place(const FrameText& frame, std::string_view file) {
  if (file.empty()) return frame.function;
  if (frame.line == 0) return fmt::format("{} ({})", frame.function, file);
  return fmt::format("{} ({}:{})", frame.function, file, frame.line);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    result += length == 0 ? replacement : shown(text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

FrameText frame_text(const Tables& tables, const Tables::StackNode& node) {
  FrameText frame{printable(tables.function_of(node)), printable(tables.file_of(node)), node.line,
                  tables.is_native(node)};
  if (frame.function.empty()) frame.function = "[unknown function]";
  return frame;
}

std::string frame_label(const FrameText& frame) { return at_place(frame, base_name(frame.file)); }

std::string frame_place(const FrameText& frame) { return at_place(frame, frame.file); }

std::string thread_label(const ThreadProfile& thread) {
  const std::string name = thread.name.empty() ? "thread" : printable(thread.name);
  return fmt::format("{} ({})", name, thread.tid.value);
}

std::string thread_label(const Profile& profile, Tid tid) {
  if (const ThreadProfile* thread = profile.thread(tid)) return thread_label(*thread);
  return fmt::format("thread ({})", tid.value);
}

double achieved_hz(const Profile& profile) {
  const double seconds = to_seconds(profile.wall());
  return seconds > 0 ? static_cast<double>(profile.progress.ticks) / seconds : 0;
}

std::string sampling_line(const Profile& profile) {
  const Progress& progress = profile.progress;
  const std::string asked = profile.process.requested_hz > 0
                                ? fmt::format("{:g} Hz", profile.process.requested_hz)
                                : "as many Hz as possible";
  const std::string native = native_line(profile);
  std::string late;
  if (const Lateness* const ticks = profile.late_ticks()) {
    late = fmt::format("; late by {:.3g} ms in the median, {:.3g} ms at worst",
                       to_seconds(ticks->quantile(0.5)) * 1e3, to_seconds(ticks->worst()) * 1e3);
  }
  return fmt::format(
      "{} asked, {:.1f} Hz achieved; {} ticks, {} missed, {} unstable; {} stacks, {} dropped, {} "
      "read again; resolution {:.3g} ms{}{}{}",
      asked, achieved_hz(profile), progress.ticks, progress.missed, progress.unstable,
      progress.stacks, progress.stacks_dropped, progress.trouble.retried,
      to_seconds(profile.resolution()) * 1e3, late, native.empty() ? "" : "; ", native);
}

std::string native_line(const Profile& profile) {
  if (!profile.native) return "";
  return fmt::format("{} with native functions, {} of them broken, {} left out",
                     profile.native->merged, profile.native->broken, profile.native->left_out);
}

std::string decimal(std::int64_t nanoseconds, int digits) {
  std::uint64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  const bool negative = nanoseconds < 0;
  // Negated as unsigned: the lowest value has no positive counterpart.
  const std::uint64_t size = negative ? ~static_cast<std::uint64_t>(nanoseconds) + 1
                                      : static_cast<std::uint64_t>(nanoseconds);
  return fmt::format("{}{}.{:0{}}", negative ? "-" : "", size / unit, size % unit, digits);
}

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace gilspy
