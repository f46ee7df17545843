#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "gilspy/profile/profile.h"

/// Texts that several formats share. Names come from the target and may hold anything, so what
/// these functions return is valid UTF-8 on one line, without a character that XML forbids.
namespace gilspy {

/// Time for which no Python stack is known is shown as a frame of this name.
inline constexpr std::string_view no_stack_label = "[no Python stack]";

/// Control characters become spaces or U+FFFD, bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string printable(std::string_view text);

/// A frame as people read it; its parts are printable.
struct FrameText {
  std::string function;
  std::string file;
  std::uint32_t line = 0;
  bool native = false;  ///< where its source is not known the file is a library

  friend auto operator<=>(const FrameText&, const FrameText&) = default;
};

[[nodiscard]] FrameText frame_text(const Tables& tables, const Tables::StackNode& node);
/// "function (app.py:12)": the file without its folders, as py-spy writes it.
[[nodiscard]] std::string frame_label(const FrameText& frame);
/// "function (/srv/app.py:12)".
[[nodiscard]] std::string frame_place(const FrameText& frame);

/// "MainThread (1234)".
[[nodiscard]] std::string thread_label(const ThreadProfile& thread);
/// The same for the latest thread of that id.
[[nodiscard]] std::string thread_label(const Profile& profile, Tid tid);

/// Ticks that were made, per second.
[[nodiscard]] double achieved_hz(const Profile& profile);
/// "1000 Hz asked, 998.2 Hz achieved; 5000 ticks, 3 missed, 1 unstable; 900 stacks, 2 dropped".
[[nodiscard]] std::string sampling_line(const Profile& profile);
/// "3000 with native functions, 2 of them broken, 1 left out"; "" where they were not asked for.
[[nodiscard]] std::string native_line(const Profile& profile);

/// A number of nanoseconds as a decimal number of larger units, exactly: (1234567, 3) is
/// "1234.567". A double would round moments of a long uptime.
[[nodiscard]] std::string decimal(std::int64_t nanoseconds, int digits);

/// The text as a JSON string, quotes included.
[[nodiscard]] std::string json_text(std::string_view text);

}  // namespace gilspy
