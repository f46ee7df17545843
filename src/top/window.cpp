#include "gilspy/top/window.h"

#include "world.h"

namespace gilspy::top {
namespace {

constexpr int steps = 5;
/// A bound on memory: some 8 MB a part. A stream that is denser has a shorter window.
constexpr std::size_t most_events = 200'000;

template <class T>
bool put_small(WindowRecording::Chunk& chunk, const Event& event) {
  const T* small = std::get_if<T>(&event);
  if (small != nullptr) chunk.emplace_back(*small);
  return small != nullptr;
}

void put(WindowRecording::Chunk& chunk, const Event& event) {
  if (put_small<StateChanged>(chunk, event) || put_small<GilChanged>(chunk, event) ||
      put_small<StackSampled>(chunk, event) || put_small<ThreadSeen>(chunk, event) ||
      put_small<ThreadGone>(chunk, event)) {
    return;
  }
  chunk.emplace_back(std::make_shared<const Event>(event));
}

void tell_definitions(const Tables& tables, SampleSink& sink) {
  for (std::uint32_t i = 0; i < tables.string_count(); ++i) {
    sink.accept(StringDefined{StringId{i}, std::string(tables.string(StringId{i}))});
  }
  for (std::uint32_t i = 0; i < tables.code_count(); ++i) {
    const auto code = tables.code(CodeId{i});
    sink.accept(CodeDefined{CodeId{i}, code.function, code.file, code.first_line});
  }
  for (std::uint32_t i = 1; i < tables.stack_count(); ++i) {
    const auto node = tables.stack(StackId{i});
    sink.accept(StackDefined{StackId{i}, node.parent, node.code, node.line});
  }
}

}  // namespace

Progress since(const Progress& progress, const Progress& before) {
  Progress part = progress;
  part.ticks -= before.ticks;
  part.missed -= before.missed;
  part.unstable -= before.unstable;
  part.during_handoff -= before.during_handoff;
  part.stacks -= before.stacks;
  part.stacks_dropped -= before.stacks_dropped;
  part.trouble.retried -= before.trouble.retried;
  part.trouble.retries -= before.trouble.retries;
  for (std::size_t i = 0; i < stack_drop_count; ++i) {
    part.trouble.dropped.at(i) -= before.trouble.dropped.at(i);
  }
  part.cpu -= before.cpu;
  return part;
}

bool counts(const World& world, const Event& event) {
  const auto* sampled = std::get_if<StackSampled>(&event);
  if (sampled == nullptr) return true;
  const World::Thread* thread = world.thread(sampled->tid);
  if (thread == nullptr) return false;
  const Activity activity = activity_of(thread->state);
  return activity == Activity::holding_running || activity == Activity::holding_blocked ||
         activity == Activity::running || activity == Activity::unknown;
}

void WindowRecording::replay_into(SampleSink& sink) const {
  if (prologue.empty()) return;
  sink.accept(prologue.front());  // the process comes before all definitions
  tell_definitions(*tables, sink);
  for (std::size_t i = 1; i < prologue.size(); ++i) sink.accept(prologue[i]);
  for (const auto& chunk : chunks) {
    const std::size_t count = chunk == chunks.back() ? in_last : chunk->size();
    for (std::size_t i = 0; i < count; ++i) {
      std::visit(
          [&](const auto& event) {
            if constexpr (requires { *event; }) {
              const auto* totals = std::get_if<Progress>(event.get());
              sink.accept(totals != nullptr ? Event{since(*totals, before)} : *event);
            } else {
              sink.accept(event);
            }
          },
          (*chunk)[i]);
    }
  }
  if (ended) return;
  Progress totals = since(after, before);
  totals.at = end;
  sink.accept(totals);
  sink.accept(
      ProcessEnded{end, std::get<ProcessStarted>(prologue.front()).pid, EndReason::requested});
}

struct Window::Part {
  Part(Time at, const std::shared_ptr<const Tables>& tables)
      : begin(at), builder({.keep_timeline = false, .tables = tables}) {}

  Time begin;
  Progress before;
  std::vector<Event> prologue;
  ProfileBuilder builder;  ///< of everything since `begin`
  /// The events up to where the next part begins.
  std::shared_ptr<WindowRecording::Chunk> events = std::make_shared<WindowRecording::Chunk>();
};

Window::Window(Duration length, std::shared_ptr<const Tables> tables)
    : length_(length), tables_(std::move(tables)) {}
Window::~Window() = default;

void Window::begin(const World& world, Time at) {
  parts_.clear();
  ended_.reset();
  add_part(world, at);
}

void Window::add_part(const World& world, Time at) {
  auto part = std::make_unique<Part>(at, tables_);
  part->before = world.progress();
  part->prologue = world.prologue(at);
  for (const Event& event : part->prologue) part->builder.accept(event);
  parts_.push_back(std::move(part));
}

void Window::advance(const World& world, Time at) {
  if (parts_.empty()) return;
  const Part& newest = *parts_.back();
  if (at - newest.begin < length_ / steps && newest.events->size() < most_events) return;
  add_part(world, at);
  while (parts_.size() > 2 && (parts_[1]->begin <= at - length_ || parts_.size() > steps + 2)) {
    parts_.pop_front();
  }
}

void Window::accept(const World& world, const Event& event) {
  if (parts_.empty()) return;
  put(*parts_.back()->events, event);
  if (const auto* end = std::get_if<ProcessEnded>(&event)) ended_ = end->reason;
  if (!counts(world, event)) return;
  const auto* totals = std::get_if<Progress>(&event);
  for (const auto& part : parts_) {
    part->builder.accept(totals != nullptr ? Event{since(*totals, part->before)} : event);
  }
}

Profile Window::profile(const World& world, Time at) {
  if (parts_.empty()) return {};
  Part& oldest = *parts_.front();
  if (!ended_) {
    // Nothing need have happened since the last event that was counted: time passes all the same.
    Progress totals = since(world.progress(), oldest.before);
    totals.at = at;
    oldest.builder.accept(totals);
  }
  return oldest.builder.profile();
}

WindowRecording Window::recording(const World& world, Time at) const {
  WindowRecording recording;
  recording.tables = tables_;
  recording.end = at;
  if (parts_.empty()) return recording;
  recording.begin = parts_.front()->begin;
  recording.prologue = parts_.front()->prologue;
  recording.before = parts_.front()->before;
  recording.after = world.progress();
  recording.ended = ended_;
  recording.chunks.reserve(parts_.size());
  for (const auto& part : parts_) recording.chunks.push_back(part->events);
  recording.in_last = parts_.back()->events->size();
  return recording;
}

}  // namespace gilspy::top
