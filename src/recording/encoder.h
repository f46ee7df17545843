#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "format.h"
#include "wire.h"

namespace gilspy::recording {

/// Turns events into the payload of one frame after the other.
class Encoder {
 public:
  void append(const Event& event);

  [[nodiscard]] Bytes payload() const { return payload_; }
  /// Stream time between the payload's first and last event.
  [[nodiscard]] Duration covered() const;

  /// The payload. The next frame's, which does not lean on it, goes into `next`, an empty one.
  [[nodiscard]] std::vector<std::byte> take(std::vector<std::byte> next);

  /// What Fields asks a walker for: a field each, into body_.
  template <class E>
  using Ref = const E&;
  void time(Time at);
  /// One that does not lean on others.
  void whole_time(Time at);
  void pid(Pid pid) { put_zigzag(body_, pid.value); }
  void tid(Tid tid);
  void state(ThreadState state);
  void number(std::uint64_t value) { put_varint(body_, value); }
  /// So many, and each; no more than `most`.
  void numbers(const std::vector<std::uint64_t>& values, std::size_t most);
  void signed_number(std::int64_t value) { put_zigzag(body_, value); }
  void duration(Duration value) { put_zigzag(body_, value.count()); }
  void hertz(double value);
  void text(const std::string& text);
  void flag(bool value) { put_varint(body_, value ? 1 : 0); }
  void maybe_flag(std::optional<bool> value);
  void maybe_id(std::optional<GilId> id);
  template <class Enum>
  void choice(Enum value) {
    put_varint(body_, static_cast<std::uint64_t>(value));
  }

 private:
  void append_trouble(const StackTrouble& trouble);
  void append_body(Kind kind);

  std::vector<std::byte> payload_;
  std::vector<std::byte> body_;  ///< of the event being appended; its size goes in front of it

  std::int64_t latest_ns_ = 0;  ///< of the whole stream
  // What later events of the same frame refer back to.
  std::int64_t previous_ns_ = 0;
  std::optional<std::int64_t> first_ns_;
  std::map<Tid, std::uint64_t> tids_;
  std::map<ThreadState, std::uint64_t> states_;
};

}  // namespace gilspy::recording
