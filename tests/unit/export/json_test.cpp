#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "event_helpers.h"
#include "gilspy/export/exporter.h"
#include "gilspy/profile/profile_builder.h"
#include "gilspy/profile/version.h"

namespace gilspy::testing {
namespace {

using Json = nlohmann::ordered_json;

constexpr Tid main_thread{7};
constexpr Tid worker{8};

Json exported(const Profile& profile) {
  std::ostringstream out;
  json_exporter().write(profile, {}, out);
  return Json::parse(out.str());
}

ProcessStarted started() {
  ProcessStarted process;
  process.at = at_ms(0);
  process.pid = Pid{7};
  process.command = "python app.py";
  process.python = "3.12.1";
  process.gil_enabled = true;
  process.unix_ns = 1'700'000'000'000'000'000;
  process.cores = 2;
  process.requested_hz = 1000;
  process.stack_hz = 100;
  process.switch_interval = std::chrono::milliseconds{5};
  return process;
}

/// The worker holds for 600 of 1000 ms and then sleeps; the main thread waits meanwhile, then runs.
class JsonExport : public ::testing::Test {
 protected:
  void feed(const ProcessStarted& process) {
    builder.accept(process);
    builder.accept(GilDefined{GilId{0}, Pid{7}, names.string("main")});
    builder.accept(ThreadSeen{at_ms(0), Pid{7}, main_thread, names.string("Main"), true, GilId{0}});
    builder.accept(ThreadSeen{at_ms(0), Pid{7}, worker, names.string("W\xff"), true, GilId{0}});
    builder.accept(GilChanged{at_ms(0), GilId{0}, worker, true, 1});
    builder.accept(StateChanged{at_ms(0), worker, holding});
    builder.accept(StateChanged{at_ms(0), main_thread, waiting});
    const StackId stack = names.stack(empty_stack, names.code("crunch", "/app/worker.py", 28), 31);
    builder.accept(StackSampled{at_ms(300), worker, stack});
    builder.accept(GilChanged{at_ms(500), GilId{0}, no_thread, true, 0});
    builder.accept(GilChanged{at_ms(600), GilId{0}, main_thread, true, 1});
    builder.accept(StateChanged{at_ms(600), worker, sleeping});
    builder.accept(StateChanged{at_ms(600), main_thread, holding});
    builder.accept(Progress{at_ms(1000), 990, 10, 1, 3, 100, 2, std::chrono::milliseconds{12},
                            StackTrouble{7, 30, {1, 0, 0, 1, 0}}});
    builder.accept(ProcessEnded{at_ms(1000), Pid{7}});
  }

  ProfileBuilder builder;
  Interner names{builder};
};

TEST_F(JsonExport, KeysAndFigures) {
  feed(started());
  const Json json = exported(builder.profile());
  EXPECT_EQ(json["gilspy"], version);
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["process"], Json::parse(R"j({"pid": 7, "command": "python app.py",
      "python": "3.12.1", "free_threaded": false, "gil_enabled": true})j"));
  EXPECT_DOUBLE_EQ(json["wall_seconds"], 1.0);
  EXPECT_EQ(json["clock"]["start_monotonic_ns"], 1'000'000'000'000);
  EXPECT_EQ(json["clock"]["start_unix_ns"], 1'700'000'000'000'000'000);
  EXPECT_EQ(json["sampling"], Json::parse(R"j({"requested_hz": 1000.0, "achieved_hz": 990.0,
      "resolution_seconds": 0.001010101, "ticks": 990, "missed": 10, "unstable": 1, "stacks": 100,
      "stacks_dropped": 2, "stacks_retried": 7, "stack_retries": 30,
      "stacks_dropped_by_reason":
          {"changed": 1, "code_changed": 0, "unreadable": 0, "thread_gone": 1, "not_stopped": 0},
      "cpu_seconds": 0.012, "source": "sampled"})j"));
  // Two want a CPU for 600 ms and one for 400: 1600 to the 1000 that had one.
  EXPECT_EQ(json["gil"], Json::parse(R"j({"held_share": 0.9, "contended_share": 0.6,
      "unknown_share": 0.0, "wait_seconds": 0.6, "handoffs": 2, "forced_handoffs": 1,
      "longest_hold_seconds": 0.5, "longest_wait_seconds": 0.6, "potential": 1.6})j"));
  EXPECT_FALSE(json.contains("gils"));
  EXPECT_EQ(json["verdict"]["kind"], "gil-bound");
  EXPECT_FALSE(json["verdict"]["text"].empty());
  EXPECT_EQ(json["threads"][0], Json::parse(R"j({"tid": 7, "name": "Main",
      "holding_running_seconds": 0.4, "holding_blocked_seconds": 0.0, "waiting_seconds": 0.6,
      "running_seconds": 0.0, "blocked_seconds": 0.0, "runnable_seconds": 0.0,
      "unknown_seconds": 0.0})j"));
  ASSERT_EQ(json["threads"].size(), 2U);
}

TEST_F(JsonExport, BlameNamesBothSidesAndTheFunction) {
  feed(started());
  const Json json = exported(builder.profile());
  ASSERT_EQ(json["blame"].size(), 2U);
  EXPECT_EQ(json["blame"][0], Json::parse(R"j({"holder_tid": 8, "holder": "W\ufffd",
      "waiter_tid": 7, "waiter": "Main", "seconds": 0.5, "function": "crunch",
      "file": "/app/worker.py", "line": 31})j"));
  EXPECT_EQ(json["blame"][1], Json::parse(R"j({"holder_tid": 0, "holder": "(hand-over)",
      "waiter_tid": 7, "waiter": "Main", "seconds": 0.1})j"));
}

TEST_F(JsonExport, SaysWhatTheKernelsRecordsTold) {
  feed(started());
  builder.accept(Traced{at_ms(1000), Pid{7}, TraceSource::exact, 3});
  const Json json = exported(builder.profile());
  EXPECT_EQ(json["sampling"]["source"], "exact");
  EXPECT_EQ(json["sampling"]["lost_records"], 3);
}

TEST_F(JsonExport, SaysHowLateTheTicksWere) {
  feed(started());
  EXPECT_FALSE(exported(builder.profile())["sampling"].contains("late_seconds_worst"));
  // A recording's parts are added up: 99 ticks below 1.024 us, one of 1.28 to 1.536.
  builder.accept(LatenessCounted{at_ms(1000), {60}, std::chrono::nanoseconds{900}, 4});
  builder.accept(LatenessCounted{at_ms(1000), {39, 0, 1}, std::chrono::nanoseconds{1400}, 3});
  const Json sampling = exported(builder.profile())["sampling"];
  EXPECT_EQ(sampling["missed_for_room"], 7);
  EXPECT_NEAR(sampling["late_seconds_median"], 1.024e-6 * 50 / 99, 1e-9);
  EXPECT_NEAR(sampling["late_seconds_p99"], 1.024e-6, 1e-9);
  EXPECT_NEAR(sampling["late_seconds_worst"], 1.4e-6, 1e-12);
}

TEST_F(JsonExport, FindingsAreThereAsData) {
  feed(started());
  const Json json = exported(builder.profile());
  ASSERT_EQ(json["findings"].size(), 1U);
  EXPECT_EQ(json["findings"][0], Json::parse(R"j({"kind": "long hold", "tid": 8,
      "thread": "W\ufffd", "threads": 1, "count": 1, "seconds": 0.5, "longest_seconds": 0.5,
      "waited_seconds": 0.5, "function": "crunch", "file": "/app/worker.py", "line": 31,
      "text": "W\\xff kept the GIL for up to 500 ms at a time in crunch (worker.py:31). Once, 500 ms in all. Others waited 500 ms for it meanwhile."})j"));
}

TEST_F(JsonExport, AConvoyNamesWhoItIsBehind) {
  builder.accept(started());
  builder.accept(GilDefined{GilId{0}, Pid{7}, names.string("main")});
  builder.accept(ThreadSeen{at_ms(0), Pid{7}, main_thread, names.string("Main"), true, GilId{0}});
  builder.accept(ThreadSeen{at_ms(0), Pid{7}, worker, names.string("W"), true, GilId{0}});
  builder.accept(GilChanged{at_ms(0), GilId{0}, worker, true, 1});
  builder.accept(StateChanged{at_ms(0), worker, holding});
  for (int t = 0; t < 1000; t += 20) {
    builder.accept(StateChanged{at_ms(t), main_thread, waiting});
    builder.accept(StateChanged{at_ms(t + 5), main_thread, sleeping});
  }
  builder.accept(ProcessEnded{at_ms(1000), Pid{7}});
  const Json json = exported(builder.profile());
  // The worker's long hold is the other one.
  ASSERT_EQ(json["findings"].size(), 2U);
  const Json& convoy = json["findings"][json["findings"][0]["kind"] == "convoy" ? 0 : 1];
  EXPECT_EQ(convoy["kind"], "convoy");
  EXPECT_EQ(convoy["thread"], "Main");
  EXPECT_EQ(convoy["other_tid"], 8);
  EXPECT_EQ(convoy["other"], "W");
  EXPECT_EQ(convoy["count"], 50);
  EXPECT_EQ(convoy["other_count"], 50);
  EXPECT_EQ(convoy["text"],
            "Main needs the GIL only for moments, but waits 5.00 ms for it each time. 50 waits, "
            "250 ms in all; 50 of them behind W.");
}

TEST_F(JsonExport, BytesThatAreNotUtf8AreReplaced) {
  ProcessStarted process = started();
  process.command = "python \xc3\x28\x1b";
  feed(process);
  EXPECT_EQ(exported(builder.profile())["process"]["command"], "python \ufffd(\x1b");
}

TEST_F(JsonExport, WhatWasNotMeasuredIsAbsent) {
  ProcessStarted process = started();
  process.gil_enabled = false;
  process.free_threaded = true;
  process.unix_ns = 0;
  builder.accept(process);
  const Json json = exported(builder.profile());
  EXPECT_FALSE(json.contains("gil"));
  EXPECT_FALSE(json["clock"].contains("start_unix_ns"));
  EXPECT_FALSE(json["sampling"].contains("achieved_hz"));
  EXPECT_EQ(json["process"]["gil_enabled"], false);
  EXPECT_EQ(json["threads"], Json::array());
  EXPECT_EQ(json["blame"], Json::array());
  EXPECT_EQ(json["verdict"]["kind"], "insufficient-data");
}

TEST_F(JsonExport, SeveralGilsAreListed) {
  ProcessStarted process = started();
  process.switch_interval = Duration{};
  builder.accept(GilDefined{GilId{1}, Pid{7}, names.string("1")});
  feed(process);
  const Json json = exported(builder.profile());
  EXPECT_DOUBLE_EQ(json["gil"]["held_share"], 0.9);
  EXPECT_FALSE(json["gil"].contains("forced_handoffs"));
  ASSERT_EQ(json["gils"].size(), 2U);
  EXPECT_EQ(json["gils"][0]["interpreters"], "main");
  EXPECT_EQ(json["gils"][1]["interpreters"], "1");
  EXPECT_DOUBLE_EQ(json["gils"][1]["held_share"], 0.0);
}

}  // namespace
}  // namespace gilspy::testing
