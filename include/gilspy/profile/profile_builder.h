#pragma once

#include <memory>

#include "gilspy/model/events.h"
#include "gilspy/profile/profile.h"

namespace gilspy {

/// Turns the stream of events into a Profile. Fed by a sampler (live) or by a recording's reader.
class ProfileBuilder : public SampleSink {
 public:
  struct Options {
    bool keep_timeline =
        true;  ///< off for views that only need sums; then Profile::timeline is empty
    /// For several builders of one stream: whoever owns the tables puts the definitions into them
    /// before the builders see what uses these. Null: the builder keeps its own.
    std::shared_ptr<const Tables> tables = nullptr;
  };

  ProfileBuilder();
  explicit ProfileBuilder(Options options);
  ~ProfileBuilder() override;

  void accept(const Event& event) override;

  /// The profile of everything accepted so far, open intervals closed at the last moment seen.
  /// May be asked again and again while events keep coming.
  [[nodiscard]] Profile profile() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace gilspy
