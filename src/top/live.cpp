#include "gilspy/top/live.h"

#include <algorithm>

#include "strips.h"
#include "world.h"

namespace gilspy::top {
namespace {

/// Threads whose figures since the start are kept, with those that are gone. A program that starts
/// one per request would fill the memory otherwise.
constexpr std::size_t most_threads = 5'000;

/// The figures of everything since the start.
class Whole {
 public:
  explicit Whole(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}

  void begin(const World& world, Time at) {
    builder_ = std::make_unique<ProfileBuilder>(
        ProfileBuilder::Options{.keep_timeline = false, .tables = tables_});
    before_ = world.progress();
    threads_ = world.threads().size();
    ended_ = false;
    for (const Event& event : world.prologue(at)) builder_->accept(event);
  }

  /// When too many threads have come and gone the "start" moves on to now.
  void accept(const World& world, const Event& event) {
    const auto* seen = std::get_if<ThreadSeen>(&event);
    if (seen != nullptr && world.thread(seen->tid) == nullptr) {
      ++threads_;
      if (threads_ > std::max(most_threads, 2 * world.threads().size())) begin(world, seen->at);
    }
    if (std::holds_alternative<ProcessEnded>(event)) ended_ = true;
    if (!counts(world, event)) return;
    const auto* totals = std::get_if<Progress>(&event);
    builder_->accept(totals != nullptr ? Event{since(*totals, before_)} : event);
  }

  [[nodiscard]] Profile profile(const World& world, Time at) {
    if (!ended_) {
      Progress totals = since(world.progress(), before_);
      totals.at = at;
      builder_->accept(totals);
    }
    return builder_->profile();
  }

 private:
  std::shared_ptr<const Tables> tables_;
  std::unique_ptr<ProfileBuilder> builder_;
  Progress before_;
  std::size_t threads_ = 0;
  bool ended_ = false;
};

}  // namespace

class Live::Parts {
 public:
  explicit Parts(Duration length) : window(length, tables), whole(tables) {}

  std::shared_ptr<Tables> tables = std::make_shared<Tables>();
  World world;
  Window window;
  Whole whole;
  Strips strips;
  Time now;
};

Live::Live(Duration window) : parts_(std::make_unique<Parts>(window)), window_(window) {}
Live::~Live() = default;

bool Live::started() const { return parts_->world.process().has_value(); }

void Live::accept(const Event& event) {
  if (const auto* process = std::get_if<ProcessStarted>(&event)) {
    // After an exec the ids mean other things: it is another run.
    if (started()) parts_ = std::make_unique<Parts>(window_);
    parts_->now = process->at;
    parts_->world.accept(event);
    parts_->window.begin(parts_->world, process->at);
    parts_->whole.begin(parts_->world, process->at);
    parts_->strips.begin(process->at);
    return;
  }
  Parts& parts = *parts_;
  parts.tables->accept(event);
  const auto time = time_of(event);
  if (!started()) return;
  if (time) {
    parts.now = std::max(parts.now, *time);
    parts.window.advance(parts.world, parts.now);
  } else if (!std::holds_alternative<GilDefined>(event)) {
    return;
  }
  parts.strips.accept(event);
  parts.window.accept(parts.world, event);
  parts.whole.accept(parts.world, event);
  parts.world.accept(event);
}

void Live::reset_window() {
  if (started()) parts_->window.begin(parts_->world, parts_->now);
}

View Live::view(Reach reach) {
  View view;
  if (!started()) return view;
  Parts& parts = *parts_;
  view.profile = reach == Reach::window ? parts.window.profile(parts.world, parts.now)
                                        : parts.whole.profile(parts.world, parts.now);
  for (const auto& [tid, thread] : parts.world.threads()) {
    view.threads[tid] = {thread.state, thread.stack, thread.blocked_in, parts.strips.thread(tid)};
  }
  view.gils = parts.strips.gils();
  return view;
}

WindowRecording Live::recording() const {
  return parts_->window.recording(parts_->world, parts_->now);
}

}  // namespace gilspy::top
