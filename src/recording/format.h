#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "gilspy/model/events.h"
#include "gilspy/model/lateness.h"

/// The recording's fixed numbers and the layout of every event; docs/recording-format.md in code.
namespace gilspy::recording {

/// The line ends show a file that a text-mode copy has changed.
inline constexpr std::array<char, 8> magic{'G', 'I', 'L', 'S', 'P', 'Y', '\r', '\n'};
inline constexpr std::uint16_t format_version = 1;
inline constexpr std::size_t file_header_size = magic.size() + sizeof(format_version);

/// Stored size, payload size and checksum, a u32 each.
inline constexpr std::size_t frame_header_size = 12;
inline constexpr std::size_t max_payload_size = std::size_t{1} << 20;
inline constexpr std::size_t max_text_size = std::size_t{1} << 16;

/// The first byte of an event. Kinds below first_sized_kind are the frequent ones and have no
/// length, so a reader must know them all; the others carry theirs, so that it can skip what it
/// does not know.
enum class Kind : std::uint8_t {
  state_changed = 1,
  gil_changed = 2,
  stack_sampled = 3,
  process_started = 16,
  process_ended = 17,
  string_defined = 18,
  code_defined = 19,
  stack_defined = 20,
  gil_defined = 21,
  thread_seen = 22,
  thread_gone = 23,
  noted = 24,
  progress = 25,
  stack_trouble = 26,
  native_marked = 27,
  native_counted = 28,
  traced = 29,
  lateness_counted = 30,
  native_source = 31,
};
inline constexpr std::uint8_t first_sized_kind = 16;

[[nodiscard]] constexpr bool has_size(Kind kind) {
  return static_cast<std::uint8_t>(kind) >= first_sized_kind;
}

/// The greatest value each enum has in a recording of this version.
constexpr GilState last_of(GilState) { return GilState::holding; }
constexpr CpuState last_of(CpuState) { return CpuState::stopped; }
constexpr BlockKind last_of(BlockKind) { return BlockKind::other; }
constexpr Attachment last_of(Attachment) { return Attachment::suspended; }
constexpr TraceSource last_of(TraceSource) { return TraceSource::exact; }
constexpr EndReason last_of(EndReason) { return EndReason::lost; }

/// An event's fields in the order of its body. One list for both directions: the walker is the
/// encoder, which takes each field from a const event, or the decoder, which fills each in.
template <class Walker>
struct Fields {
  template <class E>
  using Ref = typename Walker::template Ref<E>;

  static void walk(Walker& w, Ref<StateChanged> e) {
    w.time(e.at);
    w.tid(e.tid);
    w.state(e.state);
  }
  static void walk(Walker& w, Ref<GilChanged> e) {
    w.time(e.at);
    w.number(e.gil.value);
    w.tid(e.holder);
    w.flag(e.known);
    w.number(e.handoffs);
  }
  static void walk(Walker& w, Ref<StackSampled> e) {
    w.time(e.at);
    w.tid(e.tid);
    w.number(e.stack.value);
  }
  static void walk(Walker& w, Ref<ProcessStarted> e) {
    w.time(e.at);
    w.pid(e.pid);
    w.text(e.command);
    w.text(e.python);
    w.flag(e.free_threaded);
    w.maybe_flag(e.gil_enabled);
    w.signed_number(e.unix_ns);
    w.number(e.cores);
    w.hertz(e.requested_hz);
    w.hertz(e.stack_hz);
    w.duration(e.switch_interval);
  }
  static void walk(Walker& w, Ref<ProcessEnded> e) {
    w.time(e.at);
    w.pid(e.pid);
    w.choice(e.reason);
  }
  static void walk(Walker& w, Ref<StringDefined> e) {
    w.number(e.id.value);
    w.text(e.text);
  }
  static void walk(Walker& w, Ref<CodeDefined> e) {
    w.number(e.id.value);
    w.number(e.function.value);
    w.number(e.file.value);
    w.number(e.first_line);
  }
  static void walk(Walker& w, Ref<StackDefined> e) {
    w.number(e.id.value);
    w.number(e.parent.value);
    w.number(e.code.value);
    w.number(e.line);
  }
  static void walk(Walker& w, Ref<GilDefined> e) {
    w.number(e.id.value);
    w.pid(e.pid);
    w.number(e.interpreters.value);
  }
  static void walk(Walker& w, Ref<ThreadSeen> e) {
    w.time(e.at);
    w.pid(e.pid);
    w.tid(e.tid);
    w.number(e.name.value);
    w.flag(e.python);
    w.maybe_id(e.gil);
  }
  static void walk(Walker& w, Ref<ThreadGone> e) {
    w.time(e.at);
    w.tid(e.tid);
  }
  static void walk(Walker& w, Ref<Noted> e) {
    w.time(e.at);
    w.pid(e.pid);
    w.text(e.text);
  }
  static void walk(Walker& w, Ref<Progress> e) {
    w.time(e.at);
    w.number(e.ticks);
    w.number(e.missed);
    w.number(e.unstable);
    w.number(e.during_handoff);
    w.number(e.stacks);
    w.number(e.stacks_dropped);
    w.duration(e.cpu);
  }
  /// Part of the Progress that comes next, and an event by itself for those who do not know it.
  static void walk(Walker& w, Ref<StackTrouble> e) {
    w.number(e.retried);
    w.number(e.retries);
    for (auto& dropped : e.dropped) w.number(dropped);
  }
  static void walk(Walker& w, Ref<NativeMarked> e) { w.number(e.id.value); }
  static void walk(Walker& w, Ref<NativeSource> e) {
    w.number(e.id.value);
    w.number(e.file.value);
    w.number(e.first_line);
  }
  static void walk(Walker& w, Ref<NativeCounted> e) {
    w.whole_time(e.at);
    w.number(e.merged);
    w.number(e.broken);
    w.number(e.left_out);
  }
  /// Older readers skip it: so it leaves the frame's time alone, as the next one does.
  static void walk(Walker& w, Ref<LatenessCounted> e) {
    w.whole_time(e.at);
    w.duration(e.worst);
    w.number(e.without_room);
    w.numbers(e.ticks, Lateness::buckets);
  }
  static void walk(Walker& w, Ref<Traced> e) {
    w.whole_time(e.at);
    w.pid(e.pid);
    w.choice(e.source);
    w.number(e.lost);
  }
};

}  // namespace gilspy::recording
