#include "gilspy/recording/reader.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string_view>

#include "decoder.h"
#include "format.h"
#include "frame.h"
#include "gilspy/base/failure.h"

namespace gilspy {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Failure(ExitCode::other, message); }

void check_file_header(std::istream& stream) {
  std::array<char, recording::file_header_size> header{};
  stream.read(header.data(), header.size());
  if (stream.bad()) refuse("the recording cannot be read (input error)");
  const bool whole = stream.gcount() == static_cast<std::streamsize>(header.size());
  if (!whole ||
      !std::ranges::equal(std::span{header}.first<recording::magic.size()>(), recording::magic)) {
    refuse("not a gilspy recording; gilspy record --recording FILE.gilspy makes one");
  }
  recording::WireReader rest{std::as_bytes(std::span{header}.subspan<recording::magic.size()>())};
  const std::uint16_t version = rest.u16();
  if (version > recording::format_version) {
    refuse("the recording has format version " + std::to_string(version) +
           ", this gilspy reads up to " + std::to_string(recording::format_version) +
           ": open it with a newer gilspy");
  }
  if (version == 0) refuse("not a gilspy recording: its header is damaged (format version 0)");
}

/// Follows the processes of a stream, to tell whether it was recorded to its end.
class OpenProcesses {
 public:
  void accept(const Event& event) {
    if (const auto* started = std::get_if<ProcessStarted>(&event)) {
      open_.insert(started->pid);
    } else if (const auto* ended = std::get_if<ProcessEnded>(&event)) {
      open_.erase(ended->pid);
      any_ended_ = true;
    }
  }
  [[nodiscard]] bool all_ended() const { return any_ended_ && open_.empty(); }

 private:
  std::set<Pid> open_;
  bool any_ended_ = false;
};

}  // namespace

ReplayResult replay(std::istream& stream, SampleSink& sink) {
  check_file_header(stream);
  recording::FrameReader frames{stream};
  recording::Decoder decoder;
  OpenProcesses processes;
  ReplayResult result;
  const auto stop_at_frame = [&result](std::string_view what) {
    result.problem = "frame " + std::to_string(result.frames + 1) + " of the recording " +
                     std::string(what) + "; everything before it was read";
    return result;
  };

  while (true) {
    const auto more = frames.next();
    if (!more) return stop_at_frame(more.error());
    if (!*more) break;
    const auto events = decoder.decode(frames.payload());
    if (!events) return stop_at_frame(events.error());
    for (const Event& event : *events) {
      sink.accept(event);
      processes.accept(event);
    }
    ++result.frames;
  }
  result.whole = processes.all_ended();
  if (!result.whole) {
    result.problem =
        "the recording stops before the end of its process: gilspy was killed or is still "
        "recording; everything up to there was read";
  }
  return result;
}

}  // namespace gilspy
