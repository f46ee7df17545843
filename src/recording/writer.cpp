#include "gilspy/recording/writer.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "encoder.h"
#include "format.h"
#include "frame.h"

namespace gilspy {
namespace {

constexpr std::size_t full_payload = std::size_t{256} * 1024;
constexpr Duration oldest_event = std::chrono::seconds{1};

// The buffer is looked at after each event, so a payload can exceed full_payload by one event.
constexpr std::size_t largest_event = 3 * recording::max_text_size;
static_assert(full_payload + largest_event <= recording::max_payload_size);

/// Returns errno, or 0 when all was written.
int write_all(int file, recording::Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (written == 0) {
      return EIO;  // never seen for a non-empty write, and would loop forever
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

class RecordingWriter::State {
 public:
  explicit State(UniqueFd file) : file_(std::move(file)) {
    std::vector<std::byte> header;
    recording::put_bytes(header, std::as_bytes(std::span{recording::magic}));
    recording::put_u16(header, recording::format_version);
    error_ = write_all(file_.get(), header);
  }

  void accept(const Event& event) {
    if (error_ != 0) return;
    encoder_.append(event);
    if (encoder_.payload().size() >= full_payload || encoder_.covered() >= oldest_event ||
        std::holds_alternative<ProcessEnded>(event)) {
      flush();
    }
  }

  void flush() {
    if (error_ != 0 || encoder_.payload().empty()) return;
    error_ = write_all(file_.get(), sealer_.seal(encoder_.payload()));
    encoder_.restart();
  }

  [[nodiscard]] int error() const { return error_; }

 private:
  UniqueFd file_;
  recording::Encoder encoder_;
  recording::FrameSealer sealer_;
  int error_ = 0;
};

RecordingWriter::RecordingWriter(UniqueFd file)
    : state_(std::make_unique<State>(std::move(file))) {}

RecordingWriter::~RecordingWriter() { state_->flush(); }

void RecordingWriter::accept(const Event& event) { state_->accept(event); }

void RecordingWriter::flush() { state_->flush(); }

int RecordingWriter::error() const { return state_->error(); }

}  // namespace gilspy
