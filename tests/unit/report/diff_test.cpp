#include "gilspy/report/diff.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "event_helpers.h"
#include "gilspy/profile/profile_builder.h"

namespace gilspy::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr GilId gil{0};
constexpr Pid pid{1};

/// A run of `length` ms in which the worker holds the GIL for `held` ms of each 100, in `function`,
/// while the main thread waits for it.
struct TestRun {
  double length = 1000;
  double held = 50;
  std::string function = "crunch";
  std::string worker = "worker";
  ProcessStarted process = [] {
    ProcessStarted started;
    started.at = at_ms(0);
    started.pid = pid;
    started.command = "python app.py";
    started.python = "3.12.1";
    started.gil_enabled = true;
    started.cores = 2;
    started.switch_interval = std::chrono::milliseconds{5};
    return started;
  }();
  std::uint64_t ticks_per_second = 1000;
  std::uint64_t missed = 0;

  [[nodiscard]] Profile profile() const {
    constexpr Tid main{1};
    constexpr Tid other{2};
    ProfileBuilder builder;
    Interner names{builder};
    const auto send = [&](const Event& event) { builder.accept(event); };
    send(process);
    const bool has_gil = process.gil_enabled == true;
    const std::optional<GilId> theirs = has_gil ? std::optional{gil} : std::nullopt;
    if (has_gil) send(GilDefined{gil, pid, names.string("main")});
    send(ThreadSeen{at_ms(0), pid, main, names.string("MainThread"), true, theirs});
    send(ThreadSeen{at_ms(0), pid, other, names.string(worker), true, theirs});
    const StackId stack = names.stack(empty_stack, names.code(function, "/srv/v1/app.py", 1), 3);
    for (double t = 0; t < length; t += 100) {
      if (has_gil) send(GilChanged{at_ms(t), gil, other, true, 1});
      send(StateChanged{at_ms(t), other, has_gil ? holding : running});
      send(StateChanged{at_ms(t), main, has_gil ? waiting : sleeping});
      send(StackSampled{at_ms(t + held / 2), other, stack});
      if (has_gil) send(GilChanged{at_ms(t + held), gil, no_thread, true, 1});
      send(StateChanged{at_ms(t + held), other, sleeping});
      send(StateChanged{at_ms(t + held), main, sleeping});
    }
    Progress progress;
    progress.at = at_ms(length);
    progress.ticks =
        static_cast<std::uint64_t>(length / 1000 * static_cast<double>(ticks_per_second));
    progress.missed = missed;
    progress.stacks = 10;
    send(progress);
    send(ProcessEnded{at_ms(length), pid, EndReason::target_ended});
    return builder.profile();
  }
};

const FigureChange& figure(const Comparison& comparison, std::string_view key) {
  return *std::ranges::find(comparison.figures, key, &FigureChange::key);
}

TEST(Diff, FiguresAreOfASecondOfTheRunHoweverLongItWas) {
  const Comparison same = compare(TestRun{}.profile(), TestRun{.length = 3000}.profile());
  for (const FigureChange& row : same.figures) {
    ASSERT_TRUE(row.value.difference().has_value()) << row.key;
    EXPECT_NEAR(*row.value.difference(), 0, 1e-9) << row.key;
  }
  const Comparison comparison =
      compare(TestRun{}.profile(), TestRun{.length = 2000, .held = 20}.profile());
  EXPECT_NEAR(*figure(comparison, "held_share").value.a, 0.5, 1e-9);
  EXPECT_NEAR(*figure(comparison, "held_share").value.b, 0.2, 1e-9);
  EXPECT_NEAR(*figure(comparison, "contended_share").value.difference(), -0.3, 1e-9);
  EXPECT_NEAR(*figure(comparison, "handoffs_per_second").value.b, 20, 1e-9);
  EXPECT_NEAR(*figure(comparison, "longest_hold_seconds").value.difference(), -0.03, 1e-9);
}

TEST(Diff, ThreadsByName) {
  const Comparison comparison = compare(TestRun{}.profile(), TestRun{.worker = "pool"}.profile());
  std::vector<std::string> names;
  for (const ThreadChange& row : comparison.threads) names.push_back(row.name);
  ASSERT_THAT(names, ElementsAre("MainThread", "pool", "worker"));
  const auto held = static_cast<std::size_t>(Activity::holding_running);
  EXPECT_EQ(comparison.threads[1].threads_a, 0);
  EXPECT_NEAR(*comparison.threads[1].shares.at(held).a, 0, 1e-9);
  EXPECT_NEAR(*comparison.threads[1].shares.at(held).b, 0.5, 1e-9);
  EXPECT_NEAR(*comparison.threads[2].shares.at(held).difference(), -0.5, 1e-9);
}

TEST(Diff, FunctionsByNameAndFileWithoutItsFolder) {
  const Comparison comparison = compare(TestRun{}.profile(), TestRun{.held = 80}.profile());
  ASSERT_EQ(comparison.functions.size(), 1);
  EXPECT_EQ(comparison.functions[0].function, "crunch");
  EXPECT_EQ(comparison.functions[0].file, "app.py");
  for (const Weight weight : {Weight::hold, Weight::blame}) {
    const auto& change = comparison.functions[0].self.at(static_cast<std::size_t>(weight));
    EXPECT_NEAR(*change.difference(), 0.3, 1e-9);
  }
}

TEST(Diff, RefusesWhatSaysTooLittle) {
  EXPECT_EQ(why_incomparable(TestRun{}.profile(), TestRun{}.profile()), "");
  EXPECT_THAT(why_incomparable(TestRun{.length = 200}.profile(), TestRun{}.profile()),
              HasSubstr("A says too little. Not enough data: only 0.20 s"));
  EXPECT_THAT(why_incomparable(TestRun{}.profile(), TestRun{.missed = 1000}.profile()),
              HasSubstr("B says too little. Not enough data: 50 % of the ticks"));
}

TEST(Diff, RefusesTwoPrograms) {
  EXPECT_THAT(why_incomparable(TestRun{}.profile(), TestRun{.function = "serve"}.profile()),
              HasSubstr("two different programs"));
}

TEST(Diff, AFreeThreadedRunIsComparedButForTheGil) {
  TestRun free;
  free.process.gil_enabled = false;
  free.process.free_threaded = true;
  const Profile with = TestRun{}.profile();
  const Profile without = free.profile();
  EXPECT_EQ(why_incomparable(with, without), "");
  const Comparison comparison = compare(with, without);
  EXPECT_TRUE(figure(comparison, "held_share").value.a.has_value());
  EXPECT_FALSE(figure(comparison, "held_share").value.b.has_value());
  EXPECT_THAT(comparison.notes, ElementsAre("B ran without a GIL: it has no figures of one."));
  const auto on_cpu = static_cast<std::size_t>(Weight::cpu);
  EXPECT_NEAR(*comparison.functions.at(0).self.at(on_cpu).difference(), 0, 1e-9);
}

TEST(Diff, WhatDependsOnADifferentSettingIsLeftOut) {
  TestRun other;
  other.process.switch_interval = std::chrono::milliseconds{1};
  other.process.cores = 8;
  other.ticks_per_second = 200;
  const Comparison comparison = compare(TestRun{}.profile(), other.profile());
  for (const std::string_view key : {"forced_handoffs_per_second", "potential",
                                     "longest_hold_seconds", "longest_wait_seconds"}) {
    EXPECT_FALSE(figure(comparison, key).value.a.has_value()) << key;
  }
  EXPECT_TRUE(figure(comparison, "held_share").value.difference().has_value());
  EXPECT_EQ(comparison.notes.size(), 3);
}

std::string text_of(const Profile& a, const Profile& b) {
  std::ostringstream out;
  write_diff_text({"a.gilspy", a}, {"b.gilspy", b}, Weight::hold, out);
  return out.str();
}

TEST(Diff, Text) {
  const std::string text = text_of(TestRun{}.profile(), TestRun{.held = 80}.profile());
  EXPECT_THAT(text, HasSubstr("A  a.gilspy: 1.00 s, Python 3.12.1: python app.py"));
  EXPECT_THAT(text, HasSubstr("GIL held               50.0 %   80.0 %  +30.0 points"));
  EXPECT_THAT(text, HasSubstr("crunch (app.py)      50.0 %  80.0 %  +30.0 points"));
}

TEST(Diff, HostileNamesDoNotSteerTheTerminal) {
  TestRun run;
  run.function = "\x1b[31mx\n";
  run.worker = "\x1b]0;x\x07";
  run.process.command = "\x1b[2J";
  EXPECT_THAT(text_of(run.profile(), run.profile()), Not(HasSubstr("\x1b")));
}

TEST(Diff, Json) {
  std::ostringstream out;
  const Profile a = TestRun{}.profile();
  const Profile b = TestRun{.held = 80}.profile();
  write_diff_json({"a.gilspy", a}, {"b.gilspy", b}, out);
  const json document = json::parse(out.str());
  EXPECT_EQ(document["a"]["recording"], "a.gilspy");
  EXPECT_NEAR(document["figures"]["held_share"]["b"].get<double>(), 0.8, 1e-9);
  EXPECT_NEAR(document["threads"][1]["holding_running"]["a"].get<double>(), 0.5, 1e-9);
  EXPECT_NEAR(document["functions"][0]["hold"]["self"]["b"].get<double>(), 0.8, 1e-9);
  EXPECT_THAT(document["notes"], IsEmpty());
}

}  // namespace
}  // namespace gilspy::testing
