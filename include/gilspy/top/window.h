#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "gilspy/model/tables.h"
#include "gilspy/profile/profile_builder.h"

namespace gilspy::top {

class World;

/// A stretch of the stream that can be pushed into a sink as a whole run of its own.
class WindowRecording {
 public:
  /// The frequent events, small; any other is kept beside them.
  using Small = std::variant<StateChanged, GilChanged, StackSampled, ThreadSeen, ThreadGone,
                             std::shared_ptr<const Event>>;
  using Chunk = std::vector<Small>;

  void replay_into(SampleSink& sink) const;
  [[nodiscard]] Duration length() const { return end - begin; }

  Time begin;
  Time end;
  std::vector<Event> prologue;
  std::vector<std::shared_ptr<const Chunk>> chunks;
  std::size_t in_last = 0;  ///< events of the last chunk that belong to it: it may grow
  Progress before;          ///< totals at `begin`
  Progress after;           ///< totals at `end`
  std::optional<EndReason> ended;
  std::shared_ptr<const Tables> tables;
};

/// The figures of the last N seconds, by ProfileBuilders that begin one step after the other: each
/// takes in every event once, and the oldest one that is not too old is shown. So nothing is ever
/// counted again, and what is shown is what `attach` would say of the same stretch. The window is
/// between N and N + step long.
class Window {
 public:
  Window(Duration length, std::shared_ptr<const Tables> tables);
  ~Window();
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  /// Forgets everything and begins at `at`.
  void begin(const World& world, Time at);
  /// To be called before each event that has a time, with the world as it was before it.
  void advance(const World& world, Time at);
  void accept(const World& world, const Event& event);

  [[nodiscard]] Profile profile(const World& world, Time at);
  [[nodiscard]] WindowRecording recording(const World& world, Time at) const;

 private:
  struct Part;
  void add_part(const World& world, Time at);

  Duration length_;
  std::shared_ptr<const Tables> tables_;
  std::deque<std::unique_ptr<Part>> parts_;
  std::optional<EndReason> ended_;
};

/// The totals of `progress` since those of `before`.
[[nodiscard]] Progress since(const Progress& progress, const Progress& before);
/// Whether a builder of figures needs to see this event: it does not, for stacks of threads that
/// neither hold the GIL nor run. No figure of the view is made of them, and with hundreds of idle
/// threads they are nearly all there is.
[[nodiscard]] bool counts(const World& world, const Event& event);

}  // namespace gilspy::top
