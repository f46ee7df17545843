#include "perfetto_writer.h"

#include <ostream>

#include "text.h"

namespace gilspy {
namespace {

using perfetto::InternedString;
using perfetto::TracePacket;
using perfetto::TrackEvent;

// TracePacket.SequenceFlags of Perfetto's trace_packet.proto.
constexpr std::uint32_t state_cleared = 1;
constexpr std::uint32_t needs_state = 2;
// Profiling.CpuMode of Perfetto's profile_common.proto.
constexpr std::uint32_t user_mode = 2;

/// The id of `text` in a table of interned strings; a fresh one is written to `list`.
template <class Iids>
std::uint64_t interned(Iids& iids, std::string_view text,
                       google::protobuf::RepeatedPtrField<InternedString>& list) {
  if (const auto found = iids.find(text); found != iids.end()) return found->second;
  const std::uint64_t iid = iids.size() + 1;
  iids.emplace(text, iid);
  InternedString& entry = *list.Add();
  entry.set_iid(iid);
  entry.set_str(std::string(text));
  return iid;
}

TrackEvent& event(TracePacket& packet, PerfettoTrack track, TrackEvent::Type type) {
  packet.mutable_track_event()->set_track_uuid(track);
  packet.mutable_track_event()->set_type(type);
  return *packet.mutable_track_event();
}

}  // namespace

PerfettoWriter::PerfettoWriter(std::ostream& out, std::int32_t pid, const Tables& tables)
    : out_(out),
      pid_(pid),
      tables_(tables),
      last_track_(static_cast<std::uint64_t>(static_cast<std::uint32_t>(pid)) << 32) {}

void PerfettoWriter::clock(Time at, std::int64_t unix_ns) {
  TracePacket packet = this->packet(at);
  perfetto::ClockSnapshot& snapshot = *packet.mutable_clock_snapshot();
  snapshot.set_primary_trace_clock(perfetto::BUILTIN_CLOCK_MONOTONIC);
  const auto add = [&](perfetto::BuiltinClock clock, std::int64_t ns) {
    perfetto::ClockSnapshot::Clock& entry = *snapshot.add_clocks();
    entry.set_clock_id(clock);
    entry.set_timestamp(static_cast<std::uint64_t>(ns));
  };
  add(perfetto::BUILTIN_CLOCK_MONOTONIC, to_ns(at));
  if (unix_ns > 0) add(perfetto::BUILTIN_CLOCK_REALTIME, unix_ns);
  send(std::move(packet));
}

PerfettoTrack PerfettoWriter::process(std::string_view command,
                                      std::span<const std::string> labels) {
  TracePacket packet = this->packet();
  perfetto::TrackDescriptor& track = descriptor(packet);
  track.set_child_ordering(perfetto::TrackDescriptor::EXPLICIT);
  track.mutable_process()->set_pid(pid_);
  track.mutable_process()->set_process_name(std::string(command));
  for (const std::string& label : labels) track.mutable_process()->add_process_labels(label);
  send(std::move(packet));
  process_ = last_track_;
  return process_;
}

PerfettoTrack PerfettoWriter::thread(std::int32_t pid, std::int32_t tid, std::string_view name) {
  TracePacket packet = this->packet();
  perfetto::ThreadDescriptor& thread = *descriptor(packet).mutable_thread();
  thread.set_pid(pid);
  thread.set_tid(tid);
  thread.set_thread_name(std::string(name));
  send(std::move(packet));
  return last_track_;
}

PerfettoTrack PerfettoWriter::track(std::string_view name) {
  TracePacket packet = this->packet();
  perfetto::TrackDescriptor& track = descriptor(packet);
  track.set_name(std::string(name));
  track.set_parent_uuid(process_);
  track.set_sibling_order_rank(children_++);
  send(std::move(packet));
  return last_track_;
}

PerfettoTrack PerfettoWriter::counter_track(std::string_view name, std::string_view unit) {
  TracePacket packet = this->packet();
  perfetto::TrackDescriptor& track = descriptor(packet);
  track.set_name(std::string(name));
  track.set_parent_uuid(process_);
  track.set_sibling_order_rank(children_++);
  track.mutable_counter()->set_unit_name(std::string(unit));
  send(std::move(packet));
  return last_track_;
}

void PerfettoWriter::slice(PerfettoTrack track, const PerfettoSlice& slice) {
  if (slice.end <= slice.begin) return;
  TracePacket begin = packet(slice.begin);
  TrackEvent& opens = event(begin, track, TrackEvent::TYPE_SLICE_BEGIN);
  opens.set_name_iid(event_name(begin, slice.name));
  opens.add_category_iids(interned(categories_, slice.category,
                                   *begin.mutable_interned_data()->mutable_event_categories()));
  for (const auto& [name, value] : slice.details) {
    perfetto::DebugAnnotation& detail = *opens.add_debug_annotations();
    detail.set_name_iid(
        interned(details_, name, *begin.mutable_interned_data()->mutable_debug_annotation_names()));
    detail.set_string_value(value);
  }
  if (slice.flow) opens.add_flow_ids(*slice.flow);
  send(std::move(begin));

  for (const PerfettoArrival& arrival : slice.arrivals) {
    TracePacket moment = packet(arrival.at);
    TrackEvent& marks = event(moment, track, TrackEvent::TYPE_INSTANT);
    marks.set_name_iid(event_name(moment, arrival.name));
    marks.add_terminating_flow_ids(arrival.flow);
    send(std::move(moment));
  }

  TracePacket end = packet(slice.end);
  event(end, track, TrackEvent::TYPE_SLICE_END);
  send(std::move(end));
}

void PerfettoWriter::counter(PerfettoTrack track, Time at, std::int64_t value) {
  TracePacket packet = this->packet(at);
  event(packet, track, TrackEvent::TYPE_COUNTER).set_counter_value(value);
  send(std::move(packet));
}

void PerfettoWriter::mark(PerfettoTrack track, Time at, std::string_view text) {
  TracePacket packet = this->packet(at);
  event(packet, track, TrackEvent::TYPE_INSTANT).set_name_iid(event_name(packet, text));
  send(std::move(packet));
}

void PerfettoWriter::stack(std::int32_t pid, std::int32_t tid, Time at, StackId stack) {
  TracePacket packet = this->packet(at);
  const auto [entry, fresh] = stacks_.try_emplace(stack, stacks_.size() + 1);
  if (fresh) {
    std::vector<std::uint64_t> frames;
    for (const Tables::StackNode& node : tables_.frames(stack)) {
      frames.push_back(frame(packet, node));
    }
    perfetto::Callstack& callstack = *packet.mutable_interned_data()->add_callstacks();
    callstack.set_iid(entry->second);
    for (const std::uint64_t iid : frames) callstack.add_frame_ids(iid);
  }
  perfetto::PerfSample& sample = *packet.mutable_perf_sample();
  sample.set_pid(static_cast<std::uint32_t>(pid));
  sample.set_tid(static_cast<std::uint32_t>(tid));
  sample.set_callstack_iid(entry->second);
  sample.set_cpu_mode(user_mode);
  send(std::move(packet));
}

TracePacket PerfettoWriter::packet() {
  TracePacket packet;
  // Any number but 0 will do, and it keeps the ids of several processes apart.
  packet.set_trusted_packet_sequence_id(static_cast<std::uint32_t>(pid_) + 1);
  packet.set_sequence_flags(started_ ? needs_state : needs_state | state_cleared);
  if (!started_) {
    packet.mutable_trace_packet_defaults()->set_timestamp_clock_id(
        perfetto::BUILTIN_CLOCK_MONOTONIC);
  }
  started_ = true;
  return packet;
}

TracePacket PerfettoWriter::packet(Time at) {
  TracePacket packet = this->packet();
  packet.set_timestamp(static_cast<std::uint64_t>(to_ns(at)));
  return packet;
}

/// Messages in a row are one message in protobuf, so each packet goes out as a trace of its own.
void PerfettoWriter::send(TracePacket packet) {
  perfetto::Trace trace;
  *trace.add_packet() = std::move(packet);
  trace.SerializeToOstream(&out_);
}

perfetto::TrackDescriptor& PerfettoWriter::descriptor(TracePacket& packet) {
  packet.mutable_track_descriptor()->set_uuid(++last_track_);
  return *packet.mutable_track_descriptor();
}

std::uint64_t PerfettoWriter::event_name(TracePacket& packet, std::string_view name) {
  return interned(names_, name, *packet.mutable_interned_data()->mutable_event_names());
}

/// A source file has the same id among source paths, mapping paths and mappings. The mapping is
/// what Perfetto's flame graphs show beside a function's name.
std::uint64_t PerfettoWriter::file(TracePacket& packet, const std::string& path) {
  perfetto::InternedData& data = *packet.mutable_interned_data();
  const std::size_t known = files_.size();
  const std::uint64_t iid = interned(files_, path, *data.mutable_source_paths());
  if (files_.size() == known) return iid;
  InternedString& mapping_path = *data.add_mapping_paths();
  mapping_path.set_iid(iid);
  mapping_path.set_str(path);
  perfetto::Mapping& mapping = *data.add_mappings();
  mapping.set_iid(iid);
  mapping.add_path_string_ids(iid);
  return iid;
}

std::uint64_t PerfettoWriter::frame(TracePacket& packet, const Tables::StackNode& node) {
  const auto [entry, fresh] = frames_.try_emplace({node.code.value, node.line}, frames_.size() + 1);
  if (!fresh) return entry->second;
  const FrameText text = frame_text(tables_, node);
  const std::uint64_t path = file(packet, text.file);
  perfetto::InternedData& data = *packet.mutable_interned_data();
  const std::uint64_t function =
      interned(functions_, text.function, *data.mutable_function_names());
  perfetto::Frame& frame = *data.add_frames();
  frame.set_iid(entry->second);
  frame.set_function_name_id(function);
  frame.set_mapping_id(path);
  // Frames with equal addresses of one mapping would be one frame.
  frame.set_rel_pc(entry->second);
  frame.set_source_path_iid(path);
  frame.set_line_number(text.line);
  return entry->second;
}

}  // namespace gilspy
