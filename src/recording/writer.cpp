#include "gilspy/recording/writer.h"

#include <chrono>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "encoder.h"
#include "format.h"
#include "frame_writer.h"

namespace gilspy {
namespace {

constexpr std::size_t full_payload = std::size_t{256} * 1024;
constexpr Duration oldest_event = std::chrono::seconds{1};

// The buffer is looked at after each event, so a payload can exceed full_payload by one event.
constexpr std::size_t largest_event = 3 * recording::max_text_size;
static_assert(full_payload + largest_event <= recording::max_payload_size);

std::vector<std::byte> file_header() {
  std::vector<std::byte> header;
  recording::put_bytes(header, std::as_bytes(std::span{recording::magic}));
  recording::put_u16(header, recording::format_version);
  return header;
}

}  // namespace

class RecordingWriter::State {
 public:
  explicit State(UniqueFd file) : frames_(std::move(file), file_header()) {}

  void accept(const Event& event) {
    if (frames_.error() != 0) return;
    encoder_.append(event);
    if (encoder_.payload().size() >= full_payload || encoder_.covered() >= oldest_event ||
        std::holds_alternative<ProcessEnded>(event)) {
      close_frame();
    }
  }

  void flush() {
    close_frame();
    frames_.finish();
  }

  [[nodiscard]] bool has_room() const { return frames_.has_room(); }
  [[nodiscard]] int error() const { return frames_.error(); }

 private:
  void close_frame() {
    if (encoder_.payload().empty()) return;
    frames_.write(encoder_.take(frames_.empty_payload()));
  }

  recording::Encoder encoder_;
  recording::FrameWriter frames_;
};

RecordingWriter::RecordingWriter(UniqueFd file)
    : state_(std::make_unique<State>(std::move(file))) {}

RecordingWriter::~RecordingWriter() { state_->flush(); }

bool RecordingWriter::has_room() const { return state_->has_room(); }

void RecordingWriter::accept(const Event& event) { state_->accept(event); }

void RecordingWriter::flush() { state_->flush(); }

int RecordingWriter::error() const { return state_->error(); }

}  // namespace gilspy
