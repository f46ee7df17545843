#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gilspy/base/time.h"
#include "gilspy/model/tables.h"
#include "proto/perfetto_trace.pb.h"

namespace gilspy {

using PerfettoTrack = std::uint64_t;  ///< a track's uuid

/// A moment within a slice, where an arrow ends.
struct PerfettoArrival {
  Time at;
  std::string name;
  std::uint64_t flow = 0;
};

struct PerfettoSlice {
  Time begin;
  Time end;
  std::string name;
  std::string_view category;
  std::vector<std::pair<std::string_view, std::string>> details;
  std::optional<std::uint64_t> flow;      ///< an arrow that begins here
  std::vector<PerfettoArrival> arrivals;  ///< in the order of time
};

/// Writes Perfetto's protobuf trace packet by packet: a long run would not fit into memory as a
/// whole. Names and stacks are interned: each is written with the first packet that uses it.
/// The ids of one process do not clash with those of another, so that files can be put together
/// with cat.
class PerfettoWriter {
 public:
  PerfettoWriter(std::ostream& out, std::int32_t pid, const Tables& tables);

  /// Says that all times are CLOCK_MONOTONIC, and what the calendar said at one of them.
  void clock(Time at, std::int64_t unix_ns);
  /// Comes before the other tracks.
  PerfettoTrack process(std::string_view command, std::span<const std::string> labels);
  PerfettoTrack thread(std::int32_t pid, std::int32_t tid, std::string_view name);
  /// A track of its own below the process, in the order of the calls.
  PerfettoTrack track(std::string_view name);
  PerfettoTrack counter_track(std::string_view name, std::string_view unit);

  /// Slices of one track are given one after another and do not overlap. Nothing for a slice
  /// without a length.
  void slice(PerfettoTrack track, const PerfettoSlice& slice);
  void counter(PerfettoTrack track, Time at, std::int64_t value);
  void mark(PerfettoTrack track, Time at, std::string_view text);
  /// A thread's stack as it was sampled.
  void stack(std::int32_t pid, std::int32_t tid, Time at, StackId stack);

 private:
  using Iids = std::map<std::string, std::uint64_t, std::less<>>;

  perfetto::TracePacket packet();
  perfetto::TracePacket packet(Time at);
  void send(perfetto::TracePacket packet);
  perfetto::TrackDescriptor& descriptor(perfetto::TracePacket& packet);
  std::uint64_t event_name(perfetto::TracePacket& packet, std::string_view name);
  std::uint64_t file(perfetto::TracePacket& packet, const std::string& path);
  std::uint64_t frame(perfetto::TracePacket& packet, const Tables::StackNode& node);

  std::ostream& out_;
  std::int32_t pid_;
  const Tables& tables_;
  PerfettoTrack last_track_;
  PerfettoTrack process_ = 0;
  int children_ = 0;
  bool started_ = false;
  Iids names_;
  Iids categories_;
  Iids details_;
  Iids functions_;
  Iids files_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> frames_;  ///< by code and line
  std::map<StackId, std::uint64_t> stacks_;
};

}  // namespace gilspy
