#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/perfetto_trace.pb.h"
#include "sample_profile.h"

namespace gilspy {
namespace {

using namespace testing;
using perfetto::TrackEvent;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct PerfettoSliceRead {
  std::string name;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::map<std::string, std::string> details;
  std::vector<std::uint64_t> out;
  std::vector<std::uint64_t> in;
};

/// A trace taken apart as its reader does: interned ids are known from the packet on that brings
/// them.
class PerfettoRead {
 public:
  explicit PerfettoRead(const Profile& profile) {
    EXPECT_TRUE(trace.ParseFromString(written(perfetto_exporter(), profile)));
    for (const auto& packet : trace.packet()) {
      learn(packet.interned_data());
      if (packet.has_track_descriptor()) take(packet.track_descriptor());
      if (packet.has_track_event()) take(packet.timestamp(), packet.track_event());
      if (packet.has_perf_sample()) {
        const auto& sample = packet.perf_sample();
        samples[sample.tid()].emplace_back(packet.timestamp(), stacks.at(sample.callstack_iid()));
      }
    }
  }

  const std::vector<PerfettoSliceRead>& thread(std::uint32_t tid) {
    return slices[threads.at(tid)];
  }
  const std::vector<PerfettoSliceRead>& track(const std::string& name) {
    return slices[tracks.at(name)];
  }

  perfetto::Trace trace;
  std::map<std::string, std::uint64_t> tracks;
  std::map<std::int64_t, std::uint64_t> threads;
  std::map<std::int64_t, std::string> thread_names;
  std::map<std::uint64_t, std::vector<PerfettoSliceRead>> slices;
  std::map<std::uint64_t, std::vector<std::pair<std::uint64_t, std::int64_t>>> counters;
  std::map<std::uint32_t, std::vector<std::pair<std::uint64_t, std::string>>> samples;
  std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> arrivals;  ///< by flow
  std::vector<std::string> marks;

 private:
  void learn(const perfetto::InternedData& data) {
    for (const auto& name : data.event_names()) names[name.iid()] = name.str();
    for (const auto& name : data.debug_annotation_names()) detail_names[name.iid()] = name.str();
    for (const auto& name : data.function_names()) functions[name.iid()] = name.str();
    for (const auto& frame : data.frames()) {
      frames[frame.iid()] =
          functions.at(frame.function_name_id()) + ":" + std::to_string(frame.line_number());
    }
    for (const auto& stack : data.callstacks()) {
      std::string path;
      for (const std::uint64_t frame : stack.frame_ids()) {
        path += (path.empty() ? "" : ">") + frames.at(frame);
      }
      stacks[stack.iid()] = path;
    }
  }

  void take(const perfetto::TrackDescriptor& track) {
    EXPECT_TRUE(uuids.insert({track.uuid(), true}).second);
    if (track.has_name()) tracks[track.name()] = track.uuid();
    if (!track.has_thread()) return;
    threads[track.thread().tid()] = track.uuid();
    thread_names[track.thread().tid()] = track.thread().thread_name();
  }

  void take(std::uint64_t at, const TrackEvent& event) {
    auto& list = slices[event.track_uuid()];
    switch (event.type()) {
      case TrackEvent::TYPE_SLICE_BEGIN: {
        PerfettoSliceRead slice{names.at(event.name_iid()), at, 0, {}, {}, {}};
        for (const auto& detail : event.debug_annotations()) {
          slice.details[detail_names.at(detail.name_iid())] = detail.string_value();
        }
        slice.out.assign(event.flow_ids().begin(), event.flow_ids().end());
        list.push_back(slice);
        break;
      }
      case TrackEvent::TYPE_SLICE_END:
        EXPECT_EQ(list.back().end, 0U);
        list.back().end = at;
        break;
      case TrackEvent::TYPE_INSTANT:
        if (event.terminating_flow_ids().empty()) {
          marks.push_back(names.at(event.name_iid()));
          break;
        }
        EXPECT_EQ(list.back().end, 0U);  // inside of a slice
        arrivals[event.terminating_flow_ids(0)] = {at, names.at(event.name_iid())};
        list.back().in.push_back(event.terminating_flow_ids(0));
        break;
      case TrackEvent::TYPE_COUNTER:
        counters[event.track_uuid()].emplace_back(at, event.counter_value());
        break;
      default: ADD_FAILURE() << event.type();
    }
  }

  std::map<std::uint64_t, bool> uuids;
  std::map<std::uint64_t, std::string> names;
  std::map<std::uint64_t, std::string> detail_names;
  std::map<std::uint64_t, std::string> functions;
  std::map<std::uint64_t, std::string> frames;
  std::map<std::uint64_t, std::string> stacks;
};

std::uint64_t ns_at(double ms) { return static_cast<std::uint64_t>(to_ns(at_ms(ms))); }

std::vector<std::string> names_of(const std::vector<PerfettoSliceRead>& slices) {
  std::vector<std::string> names;
  for (const auto& slice : slices) names.push_back(slice.name);
  return names;
}

TEST(Perfetto, ThreadsHaveTheirOsIdsAndStates) {
  PerfettoRead read(SampleProfile().profile);
  EXPECT_EQ(read.thread_names.at(1000), "MainThread");
  const auto& states = read.thread(1001);
  ASSERT_THAT(names_of(states), ElementsAre("waiting for the GIL", "holding, running", "unknown"));
  EXPECT_EQ(states[0].begin, ns_at(1));
  EXPECT_EQ(states[0].end, static_cast<std::uint64_t>(to_ns(handed_over)));
  EXPECT_EQ(states[0].details.at("held by"), "MainThread (1000)");
  EXPECT_EQ(read.thread(1000)[2].details.at("syscall"), "clock_nanosleep");
}

TEST(Perfetto, ArrowsLeadFromAWaitToTheHoldThatKeptItLongest) {
  PerfettoRead read(SampleProfile().profile);
  const auto& main = read.thread(1000);    // holds, waits, sleeps
  const auto& worker = read.thread(1001);  // waits, holds, unknown
  ASSERT_THAT(worker[0].out, ::testing::SizeIs(1));
  EXPECT_EQ(main[0].in, worker[0].out);
  ASSERT_THAT(main[1].out, ::testing::SizeIs(1));
  EXPECT_EQ(worker[1].in, main[1].out);
  EXPECT_NE(main[1].out, worker[0].out);
  EXPECT_THAT(main[2].in, IsEmpty());
  using Arrival = std::pair<std::uint64_t, std::string>;
  EXPECT_EQ(read.arrivals[worker[0].out[0]], Arrival(ns_at(1) + 1, "worker (1001) waits"));
  // It came when nobody held; the arrow ends where the hold begins.
  EXPECT_EQ(read.arrivals[main[1].out[0]], Arrival(to_ns(handed_over), "MainThread (1000) waits"));
}

TEST(Perfetto, OfSeveralHoldsTheLongestOneHasTheArrow) {
  for (const bool longest_first : {true, false}) {
    const Time handed = longest_first ? at_ms(6) : at_ms(3);
    SampleProfile sample;
    sample.profile.threads[2].gil = gil;
    sample.profile.timeline.threads[main_tid] = {{at_ms(1), handed, holding}};
    sample.profile.timeline.threads[worker_tid] = {{handed, at_ms(8), holding}};
    sample.profile.timeline.threads[native_tid] = {{at_ms(1), at_ms(8), waiting}};
    PerfettoRead read(sample.profile);
    EXPECT_EQ(read.thread(1000)[0].in.size(), longest_first ? 1 : 0);
    EXPECT_EQ(read.thread(1001)[0].in.size(), longest_first ? 0 : 1);
  }
}

TEST(Perfetto, WaitersThatComeTogetherHaveAMarkEach) {
  SampleProfile sample;
  sample.profile.threads[2].gil = gil;
  sample.profile.timeline.threads[main_tid] = {{at_ms(0), at_ms(8), holding}};
  sample.profile.timeline.threads[worker_tid] = {{at_ms(1), at_ms(8), waiting}};
  sample.profile.timeline.threads[native_tid] = {{at_ms(1), at_ms(8), waiting}};
  PerfettoRead read(sample.profile);
  ASSERT_THAT(read.thread(1000)[0].in, ::testing::SizeIs(2));
  EXPECT_EQ(read.arrivals[read.thread(1000)[0].in[0]].first, ns_at(1) + 1);
  EXPECT_EQ(read.arrivals[read.thread(1000)[0].in[1]].first, ns_at(1) + 2);
}

TEST(Perfetto, AWaitThatNobodyHeldHasNoArrow) {
  SampleProfile sample;
  sample.profile.timeline.threads[main_tid] = {{at_ms(0), at_ms(4), waiting}};
  sample.profile.timeline.threads[worker_tid] = {{at_ms(4), at_ms(8), holding}};
  EXPECT_THAT(PerfettoRead(sample.profile).thread(1000)[0].out, IsEmpty());
}

TEST(Perfetto, TheGilHasItsHoldersWaitersAndHandOffs) {
  SampleProfile sample;
  sample.profile.timeline.handoffs[gil] = {{at_ms(4), 1}, {at_ms(8), 3}};
  PerfettoRead read(sample.profile);
  EXPECT_THAT(names_of(read.track("GIL")),
              ElementsAre("MainThread (1000)", "worker (1001)", "unknown"));
  using Count = std::pair<std::uint64_t, std::int64_t>;
  EXPECT_THAT(read.counters[read.tracks.at("GIL waiters")],
              ElementsAre(Count(ns_at(0), 0), Count(ns_at(1), 1), Count(ns_at(4), 2),
                          Count(to_ns(handed_over), 1), Count(ns_at(8), 0)));
  EXPECT_THAT(read.counters[read.tracks.at("GIL hand-offs")],
              ElementsAre(Count(ns_at(0), 0), Count(ns_at(4), 1), Count(ns_at(8), 4)));
}

TEST(Perfetto, StacksAreSamplesWithTheOutermostFrameFirst) {
  PerfettoRead read(SampleProfile().profile);
  using Moment = std::pair<std::uint64_t, std::string>;
  EXPECT_THAT(read.samples[1000],
              ElementsAre(Moment(ns_at(0.25), "main:5>work:20"), Moment(ns_at(2), "main:5>work:21"),
                          Moment(ns_at(3), "main:5>work:21>inner:31"), Moment(ns_at(5), "main:5"),
                          Moment(ns_at(7), "main:5>work:20")));
}

TEST(Perfetto, TimesAreOfTheMonotonicClock) {
  SampleProfile sample;
  sample.profile.process.unix_ns = 1'700'000'000'000'000'000;
  const PerfettoRead read(sample.profile);
  const auto& first = read.trace.packet(0);
  EXPECT_EQ(first.trace_packet_defaults().timestamp_clock_id(), perfetto::BUILTIN_CLOCK_MONOTONIC);
  const auto& clocks = first.clock_snapshot();
  EXPECT_EQ(clocks.primary_trace_clock(), perfetto::BUILTIN_CLOCK_MONOTONIC);
  ASSERT_EQ(clocks.clocks_size(), 2);
  EXPECT_EQ(clocks.clocks(0).timestamp(), ns_at(0));
  EXPECT_EQ(clocks.clocks(1).timestamp(), 1'700'000'000'000'000'000U);
}

TEST(Perfetto, SaysHowWellItSampledAndMarksNotes) {
  SampleProfile sample;
  sample.profile.notes.push_back({at_ms(3), pid, "the target was stopped"});
  const PerfettoRead read(sample.profile);
  EXPECT_THAT(read.marks, ElementsAre("the target was stopped"));
  const auto& process = read.trace.packet(1).track_descriptor().process();
  EXPECT_EQ(process.pid(), 1000);
  EXPECT_THAT(process.process_labels(2), ::testing::HasSubstr("1000.0 Hz achieved"));
}

TEST(Perfetto, TwoProcessesDoNotClash) {
  SampleProfile other;
  other.profile.process.pid = Pid{2000};
  const PerfettoRead first(SampleProfile().profile);
  const PerfettoRead second(other.profile);
  for (const auto& [tid, uuid] : first.threads) {
    for (const auto& [other_tid, other_uuid] : second.threads) EXPECT_NE(uuid, other_uuid);
  }
  EXPECT_NE(first.trace.packet(0).trusted_packet_sequence_id(),
            second.trace.packet(0).trusted_packet_sequence_id());
}

TEST(Perfetto, HostileNamesAndNothingAtAll) {
  SampleProfile sample(hostile, hostile, hostile);
  sample.profile.process.command = hostile;
  sample.profile.threads[1].tid = Tid{-5};
  EXPECT_NO_THROW(PerfettoRead{sample.profile});
  EXPECT_NO_THROW(PerfettoRead{empty_profile()});
}

}  // namespace
}  // namespace gilspy
