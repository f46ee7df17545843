#include "encoder.h"

#include <algorithm>
#include <bit>
#include <span>
#include <string_view>
#include <variant>

#include "text.h"

namespace gilspy::recording {
namespace {

constexpr Kind kind_of(const StateChanged&) { return Kind::state_changed; }
constexpr Kind kind_of(const GilChanged&) { return Kind::gil_changed; }
constexpr Kind kind_of(const StackSampled&) { return Kind::stack_sampled; }
constexpr Kind kind_of(const ProcessStarted&) { return Kind::process_started; }
constexpr Kind kind_of(const ProcessEnded&) { return Kind::process_ended; }
constexpr Kind kind_of(const StringDefined&) { return Kind::string_defined; }
constexpr Kind kind_of(const CodeDefined&) { return Kind::code_defined; }
constexpr Kind kind_of(const StackDefined&) { return Kind::stack_defined; }
constexpr Kind kind_of(const GilDefined&) { return Kind::gil_defined; }
constexpr Kind kind_of(const ThreadSeen&) { return Kind::thread_seen; }
constexpr Kind kind_of(const ThreadGone&) { return Kind::thread_gone; }
constexpr Kind kind_of(const Noted&) { return Kind::noted; }
constexpr Kind kind_of(const Progress&) { return Kind::progress; }
constexpr Kind kind_of(const NativeMarked&) { return Kind::native_marked; }
constexpr Kind kind_of(const NativeSource&) { return Kind::native_source; }
constexpr Kind kind_of(const NativeCounted&) { return Kind::native_counted; }
constexpr Kind kind_of(const LatenessCounted&) { return Kind::lateness_counted; }
constexpr Kind kind_of(const Traced&) { return Kind::traced; }

}  // namespace

void Encoder::append(const Event& event) {
  if (const auto* progress = std::get_if<Progress>(&event)) append_trouble(progress->trouble);
  body_.clear();
  const Kind kind = std::visit(
      [this](const auto& e) {
        Fields<Encoder>::walk(*this, e);
        return kind_of(e);
      },
      event);
  append_body(kind);
}

void Encoder::append_trouble(const StackTrouble& trouble) {
  if (trouble == StackTrouble{}) return;
  body_.clear();
  Fields<Encoder>::walk(*this, trouble);
  append_body(Kind::stack_trouble);
}

void Encoder::append_body(Kind kind) {
  payload_.push_back(static_cast<std::byte>(kind));
  if (has_size(kind)) put_varint(payload_, body_.size());
  put_bytes(payload_, body_);
}

Duration Encoder::covered() const { return Duration{first_ns_ ? previous_ns_ - *first_ns_ : 0}; }

std::vector<std::byte> Encoder::take(std::vector<std::byte> next) {
  payload_.swap(next);
  previous_ns_ = 0;
  first_ns_.reset();
  tids_.clear();
  states_.clear();
  return next;
}

void Encoder::time(Time at) {
  // A reader refuses times that go back. Should a clock ever do so, one wrong moment is the lesser
  // evil than a recording that cannot be read beyond it.
  latest_ns_ = std::max(latest_ns_, to_ns(at));
  if (!first_ns_) first_ns_ = latest_ns_;
  put_varint(body_, static_cast<std::uint64_t>(latest_ns_ - previous_ns_));
  previous_ns_ = latest_ns_;
}

void Encoder::whole_time(Time at) { put_zigzag(body_, std::max(latest_ns_, to_ns(at))); }

void Encoder::tid(Tid tid) {
  const auto [entry, fresh] = tids_.try_emplace(tid, tids_.size());
  put_varint(body_, entry->second);
  if (fresh) put_zigzag(body_, tid.value);
}

void Encoder::state(ThreadState state) {
  const auto [entry, fresh] = states_.try_emplace(state, states_.size());
  put_varint(body_, entry->second);
  if (!fresh) return;
  choice(state.gil);
  choice(state.cpu);
  choice(state.kind);
  choice(state.attachment);
  put_zigzag(body_, state.syscall);
}

void Encoder::numbers(const std::vector<std::uint64_t>& values, std::size_t most) {
  const std::size_t count = std::min(values.size(), most);
  put_varint(body_, count);
  for (std::size_t i = 0; i < count; ++i) put_varint(body_, values[i]);
}

void Encoder::hertz(double value) { put_u64(body_, std::bit_cast<std::uint64_t>(value)); }

void Encoder::text(const std::string& text) {
  const std::string_view kept = cut_utf8(text, max_text_size);
  put_varint(body_, kept.size());
  put_bytes(body_, std::as_bytes(std::span{kept}));
}

void Encoder::maybe_flag(std::optional<bool> value) {
  const std::uint64_t known = value.value_or(false) ? 2 : 1;
  put_varint(body_, value ? known : 0);
}

void Encoder::maybe_id(std::optional<GilId> id) {
  put_varint(body_, id ? std::uint64_t{id->value} + 1 : 0);
}

}  // namespace gilspy::recording
