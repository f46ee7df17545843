#pragma once

#include <memory>

#include "gilspy/top/state.h"
#include "gilspy/top/window.h"

namespace gilspy::top {

/// Turns the stream of one target into what the screen shows. Memory is bounded whatever happens,
/// but for the names of what the target ran.
class Live : public SampleSink {
 public:
  explicit Live(Duration window);
  ~Live() override;

  void accept(const Event& event) override;

  /// Begins the window anew.
  void reset_window();
  [[nodiscard]] bool started() const;
  [[nodiscard]] View view(Reach reach);
  /// The window so far. What is recorded of it stays as it is while events keep coming.
  [[nodiscard]] WindowRecording recording() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
  Duration window_;
};

}  // namespace gilspy::top
