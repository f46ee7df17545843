#pragma once

#include <filesystem>
#include <memory>

#include "gilspy/base/unique_fd.h"
#include "gilspy/model/events.h"

namespace gilspy {

/// Writes the stream into a .gilspy file (docs/recording-format.md) as it goes. Events are buffered
/// and leave as one checksummed, compressed frame when the buffer is full, when the stream's own
/// time has moved on by a second since the last frame, or at flush(). A thread of the writer's own
/// compresses and writes the frames, so that accept() does not wait for a disk. A process killed at
/// any moment leaves a file that reads up to the last whole frame.
class RecordingWriter : public SampleSink {
 public:
  /// Writes into an open file, from its current position. Owns it.
  explicit RecordingWriter(UniqueFd file);
  ~RecordingWriter() override;
  RecordingWriter(const RecordingWriter&) = delete;
  RecordingWriter& operator=(const RecordingWriter&) = delete;

  void accept(const Event& event) override;
  /// False once many frames wait to be written. What is told then is still taken, and what there is
  /// no memory set apart for waits.
  [[nodiscard]] bool has_room() const override;

  /// Sends what is buffered as a frame, and waits until the kernel has all frames.
  void flush();

  /// The first write error (errno) so far, or 0. After one nothing more is written.
  [[nodiscard]] int error() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace gilspy
