#include "decoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "text.h"

namespace gilspy::recording {
namespace {

/// What events refer back to within their frame.
struct FrameMemory {
  std::int64_t earliest_ns = 0;  ///< the last moment of the frame before
  std::int64_t previous_ns = 0;
  std::vector<Tid> tids;
  std::vector<ThreadState> states;
  StackTrouble trouble;  ///< of the Progress that comes next
};

/// The other walker of Fields: each call fills a field in from the wire.
class FieldReader {
 public:
  template <class E>
  using Ref = E&;

  FieldReader(WireReader& in, FrameMemory& memory) : in_(in), memory_(memory) {}

  void time(Time& at) {
    constexpr std::int64_t last = std::numeric_limits<std::int64_t>::max();
    const auto longest = static_cast<std::uint64_t>(last - memory_.previous_ns);
    memory_.previous_ns += static_cast<std::int64_t>(in_.varint_up_to(longest));
    if (memory_.previous_ns < memory_.earliest_ns) in_.stop("goes back in time");
    at = time_from_ns(memory_.previous_ns);
  }
  void whole_time(Time& at) {
    const std::int64_t read = in_.zigzag();
    if (read < std::max(memory_.previous_ns, memory_.earliest_ns)) in_.stop("goes back in time");
    at = time_from_ns(read);
  }
  void pid(Pid& pid) { signed_number(pid.value); }
  void tid(Tid& tid) {
    recall(memory_.tids, tid, [this](Tid& fresh) { signed_number(fresh.value); });
  }
  void state(ThreadState& state) {
    recall(memory_.states, state, [this](ThreadState& fresh) {
      choice(fresh.gil);
      choice(fresh.cpu);
      choice(fresh.kind);
      choice(fresh.attachment);
      signed_number(fresh.syscall);
    });
  }
  template <class Unsigned>
  void number(Unsigned& value) {
    value = static_cast<Unsigned>(in_.varint_up_to(std::numeric_limits<Unsigned>::max()));
  }
  void numbers(std::vector<std::uint64_t>& values, std::size_t most) {
    values.resize(in_.varint_up_to(most));
    for (std::uint64_t& value : values) number(value);
  }
  template <class Signed>
  void signed_number(Signed& value) {
    const std::int64_t read = in_.zigzag();
    value = static_cast<Signed>(read);
    if (value != read) in_.stop("holds a number that is out of range");
  }
  void duration(Duration& value) { value = Duration{in_.zigzag()}; }
  void hertz(double& value) {
    value = std::bit_cast<double>(in_.u64());
    if (!std::isfinite(value)) in_.stop("holds a rate that is not a number");
  }
  void text(std::string& text) {
    const Bytes bytes = in_.bytes(in_.varint_up_to(max_text_size));
    text = clean_utf8({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void flag(bool& value) { value = in_.varint_up_to(1) == 1; }
  void maybe_flag(std::optional<bool>& value) {
    if (const std::uint64_t read = in_.varint_up_to(2); read > 0) value = read == 2;
  }
  void maybe_id(std::optional<GilId>& id) {
    constexpr std::uint64_t last = std::numeric_limits<std::uint32_t>::max();
    const std::uint64_t read = in_.varint_up_to(last + 1);
    if (read > 0) id = GilId{static_cast<std::uint32_t>(read - 1)};
  }
  template <class Enum>
  void choice(Enum& value) {
    value = static_cast<Enum>(in_.varint_up_to(static_cast<std::uint64_t>(last_of(Enum{}))));
  }

 private:
  /// A value this frame has named before, or a new one that follows and takes the next number.
  template <class T, class ReadFresh>
  void recall(std::vector<T>& known, T& value, ReadFresh read_fresh) {
    const std::uint64_t index = in_.varint_up_to(known.size());
    if (in_.stopped()) return;
    if (index == known.size()) read_fresh(known.emplace_back());
    value = known[index];
  }

  WireReader& in_;
  FrameMemory& memory_;
};

template <class E>
Event read_event(WireReader& in, FrameMemory& memory) {
  E event{};
  FieldReader fields{in, memory};
  Fields<FieldReader>::walk(fields, event);
  return event;
}

void read_trouble(WireReader& in, FrameMemory& memory) {
  FieldReader fields{in, memory};
  Fields<FieldReader>::walk(fields, memory.trouble);
}

Event read_progress(WireReader& in, FrameMemory& memory) {
  Event event = read_event<Progress>(in, memory);
  std::get<Progress>(event).trouble = std::exchange(memory.trouble, {});
  return event;
}

/// Nothing for a kind that this version does not know, and for one that is part of another event.
std::optional<Event> read_event_of(Kind kind, WireReader& in, FrameMemory& memory) {
  switch (kind) {
    case Kind::state_changed: return read_event<StateChanged>(in, memory);
    case Kind::gil_changed: return read_event<GilChanged>(in, memory);
    case Kind::stack_sampled: return read_event<StackSampled>(in, memory);
    case Kind::process_started: return read_event<ProcessStarted>(in, memory);
    case Kind::process_ended: return read_event<ProcessEnded>(in, memory);
    case Kind::string_defined: return read_event<StringDefined>(in, memory);
    case Kind::code_defined: return read_event<CodeDefined>(in, memory);
    case Kind::stack_defined: return read_event<StackDefined>(in, memory);
    case Kind::gil_defined: return read_event<GilDefined>(in, memory);
    case Kind::thread_seen: return read_event<ThreadSeen>(in, memory);
    case Kind::thread_gone: return read_event<ThreadGone>(in, memory);
    case Kind::noted: return read_event<Noted>(in, memory);
    case Kind::progress: return read_progress(in, memory);
    case Kind::stack_trouble: read_trouble(in, memory); break;
    case Kind::native_marked: return read_event<NativeMarked>(in, memory);
    case Kind::native_source: return read_event<NativeSource>(in, memory);
    case Kind::native_counted: return read_event<NativeCounted>(in, memory);
    case Kind::lateness_counted: return read_event<LatenessCounted>(in, memory);
    case Kind::traced: return read_event<Traced>(in, memory);
  }
  return std::nullopt;
}

std::optional<Event> read_unsized(Kind kind, WireReader& in, FrameMemory& memory) {
  std::optional<Event> event = read_event_of(kind, in, memory);
  if (!event) in.stop("holds a kind of event that this gilspy does not know");
  return event;
}

std::optional<Event> read_sized(Kind kind, WireReader& in, FrameMemory& memory) {
  WireReader body{in.bytes(in.varint())};
  if (in.stopped()) return std::nullopt;
  std::optional<Event> event = read_event_of(kind, body, memory);
  const bool known = event || kind == Kind::stack_trouble;
  if (known && !body.at_end()) body.stop("holds an event with bytes left over");
  if (body.stopped()) in.stop(body.problem());
  return event;
}

}  // namespace

tl::expected<std::vector<Event>, std::string_view> Decoder::decode(Bytes payload) {
  std::vector<Event> events;
  WireReader in{payload};
  FrameMemory memory;
  memory.earliest_ns = latest_ns_;
  while (!in.at_end()) {
    const Kind kind{in.byte()};
    std::optional<Event> event =
        has_size(kind) ? read_sized(kind, in, memory) : read_unsized(kind, in, memory);
    if (event) events.push_back(std::move(*event));
  }
  if (in.stopped()) return tl::make_unexpected(in.problem());
  latest_ns_ = std::max(latest_ns_, memory.previous_ns);
  return events;
}

}  // namespace gilspy::recording
