#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_profile.h"

namespace gilspy {
namespace {

using namespace testing;
using nlohmann::json;
using ::testing::ElementsAre;

using TrackId = std::pair<std::uint64_t, std::uint64_t>;

struct Slice {
  std::string name;
  std::int64_t begin_ns;
  std::int64_t end_ns;
  json args;
};

std::int64_t ns_of(const json& microseconds) {
  return std::llround(microseconds.get<double>() * 1000);
}

/// An exported trace, taken apart.
struct Trace {
  explicit Trace(const Profile& profile)
      : document(json::parse(written(chrome_exporter(), profile))) {
    for (const json& event : document["traceEvents"]) {
      const TrackId track{event["pid"].get<std::uint64_t>(), event["tid"].get<std::uint64_t>()};
      ids.push_back(track);
      if (event["name"] == "thread_name") names[event["args"]["name"]] = track;
      if (event["name"] == "thread_sort_index") order[track] = event["args"]["sort_index"];
      if (event["ph"] == "X") {
        const std::int64_t begin = ns_of(event["ts"]);
        slices[track].push_back({event["name"], begin, begin + ns_of(event["dur"]), event["args"]});
      }
    }
  }

  const std::vector<Slice>& on(const std::string& name) { return slices[names.at(name)]; }

  json document;
  std::vector<TrackId> ids;
  std::map<std::string, TrackId> names;
  std::map<TrackId, int> order;
  std::map<TrackId, std::vector<Slice>> slices;
};

std::vector<std::string> names_of(const std::vector<Slice>& slices) {
  std::vector<std::string> names;
  for (const Slice& slice : slices) names.push_back(slice.name);
  return names;
}

/// Any two slices of a track are apart, or one lies in the other and comes later in the file.
void expect_nested(const std::vector<Slice>& slices) {
  for (std::size_t i = 0; i < slices.size(); ++i) {
    for (std::size_t j = i + 1; j < slices.size(); ++j) {
      const Slice& a = slices[i];
      const Slice& b = slices[j];
      const bool apart = a.end_ns <= b.begin_ns;
      const bool inside = a.begin_ns <= b.begin_ns && b.end_ns <= a.end_ns;
      EXPECT_TRUE(apart || inside) << a.name << " and " << b.name;
    }
  }
}

TEST(Chrome, NamesProcessAndTracks) {
  Trace trace(SampleProfile().profile);
  EXPECT_EQ(trace.document["traceEvents"][0]["name"], "process_name");
  EXPECT_EQ(trace.document["traceEvents"][0]["args"]["name"], "python app.py");
  EXPECT_EQ(trace.names.at("MainThread"), TrackId(1000, 1000));
  EXPECT_EQ(trace.names.at("worker"), TrackId(1000, 1001));
  EXPECT_LT(trace.order.at(trace.names.at("GIL: holder")),
            trace.order.at(trace.names.at("MainThread")));
  EXPECT_EQ(trace.order.at(trace.names.at("MainThread (1000): state")) + 1,
            trace.order.at(trace.names.at("MainThread (1000): stack")));
}

TEST(Chrome, LeavesTheRealThreadsTracksToVizTracer) {
  Trace trace(SampleProfile().profile);
  for (const Tid tid : {main_tid, worker_tid, native_tid}) {
    EXPECT_FALSE(trace.slices.contains({1000, static_cast<std::uint64_t>(tid.value)}));
  }
}

TEST(Chrome, StatesAreSlicesOnTheMonotonicClock) {
  Trace trace(SampleProfile().profile);
  const auto& states = trace.on("worker (1001): state");
  EXPECT_THAT(names_of(states), ElementsAre("waiting for the GIL", "holding, running", "unknown"));
  EXPECT_EQ(states[0].begin_ns, to_ns(at_ms(1)));
  EXPECT_EQ(states[0].end_ns, to_ns(handed_over));
  EXPECT_EQ(states[0].args, json({{"gil", "waiting"},
                                  {"cpu", "blocked"},
                                  {"kind", "lock"},
                                  {"syscall", "futex"},
                                  {"held by", "MainThread (1000)"}}));
  EXPECT_EQ(states[1].args, json({{"gil", "holding"}, {"cpu", "running"}}));
}

TEST(Chrome, TimesKeepTheirNanoseconds) {
  EXPECT_THAT(written(chrome_exporter(), SampleProfile().profile),
              ::testing::HasSubstr("\"ts\":1000004000.500,\"dur\":3999.500,"));
}

TEST(Chrome, WaitsNameTheLongestHolderFirst) {
  SampleProfile sample;
  sample.profile.timeline.gils[gil] = {{at_ms(0), at_ms(4.5), worker_tid},
                                       {at_ms(4.5), at_ms(5), native_tid},
                                       {at_ms(5), at_ms(10), worker_tid}};
  Trace trace(sample.profile);
  EXPECT_EQ(trace.on("MainThread (1000): state")[1].args["held by"],
            "worker (1001), jemalloc_bg (1002)");
}

TEST(Chrome, TheGilTrackShowsItsHolder) {
  Trace trace(SampleProfile().profile);
  const auto& holds = trace.on("GIL: holder");
  EXPECT_THAT(names_of(holds), ElementsAre("MainThread (1000)", "worker (1001)", "unknown"));
  EXPECT_EQ(holds[1].begin_ns, to_ns(handed_over));
  EXPECT_EQ(holds[1].args["tid"], 1001);
}

TEST(Chrome, CountsTheWaiters) {
  std::vector<std::pair<double, int>> counts;
  const Trace trace(SampleProfile().profile);
  for (const json& event : trace.document["traceEvents"]) {
    if (event["ph"] != "C") continue;
    EXPECT_EQ(event["name"], "GIL: waiters");
    counts.emplace_back(event["ts"], event["args"]["waiters"]);
  }
  using Count = std::pair<double, int>;
  EXPECT_THAT(counts, ElementsAre(Count(1000000000, 0), Count(1000001000, 1), Count(1000004000, 2),
                                  Count(1000004000.5, 1), Count(1000008000, 0)));
}

TEST(Chrome, StacksAreNestedSlicesThatGoOnFromSampleToSample) {
  Trace trace(SampleProfile().profile);
  const auto& stacks = trace.on("MainThread (1000): stack");
  EXPECT_THAT(names_of(stacks), ElementsAre("main", "work", "inner", "main", "work"));
  const auto expect_slice = [&](std::size_t index, double begin, double end) {
    EXPECT_EQ(stacks[index].begin_ns, to_ns(at_ms(begin))) << index;
    EXPECT_EQ(stacks[index].end_ns, to_ns(at_ms(end))) << index;
  };
  expect_slice(0, 0.25, 6);
  expect_slice(1, 0.25, 5);  // through a change of line
  expect_slice(2, 3, 5);
  expect_slice(3, 7, 10);  // to the end of the thread
  EXPECT_EQ(stacks[1].args, json({{"file", "/srv/app.py"}, {"line", 20}}));
}

TEST(Chrome, TracksNestAndIdsFitPerfetto) {
  Trace trace(SampleProfile().profile);
  for (const auto& [track, slices] : trace.slices) expect_nested(slices);
  for (const auto& [process, thread] : trace.ids) {
    EXPECT_LT(process, std::uint64_t{1} << 32);
    EXPECT_LT(thread, std::uint64_t{1} << 32);
  }
}

TEST(Chrome, SaysHowWellItSampled) {
  const json data = Trace(SampleProfile().profile).document["otherData"];
  EXPECT_EQ(data["requested_hz"], 1000);
  EXPECT_EQ(data["achieved_hz"], 1000);
  EXPECT_EQ(data["ticks"], 10);
  EXPECT_EQ(data["missed"], 2);
  EXPECT_EQ(data["clock"], "CLOCK_MONOTONIC");
}

TEST(Chrome, NotesAreMarks) {
  SampleProfile sample;
  sample.profile.notes.push_back({at_ms(3), pid, "the target was stopped"});
  const json events = Trace(sample.profile).document["traceEvents"];
  EXPECT_EQ(events.back()["ph"], "i");
  EXPECT_EQ(events.back()["name"], "the target was stopped");
}

TEST(Chrome, TwoGilsHaveTracksOfTheirOwn) {
  SampleProfile sample;
  GilProfile second;
  second.id = GilId{7};
  second.interpreters = "1";
  sample.profile.gils.push_back(second);
  Trace trace(sample.profile);
  EXPECT_NE(trace.names.at("GIL (main): holder"), trace.names.at("GIL (1): holder"));
}

TEST(Chrome, HostileNamesAndIdsStayHarmless) {
  SampleProfile sample(hostile, hostile, hostile);
  sample.profile.process.command = hostile;
  sample.profile.threads[1].tid = Tid{-5};
  Trace trace(sample.profile);
  for (const auto& [process, thread] : trace.ids) EXPECT_LT(thread, std::uint64_t{1} << 32);
  EXPECT_NO_THROW(Trace{empty_profile()});
}

}  // namespace
}  // namespace gilspy
