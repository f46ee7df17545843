#include "gilspy/profile/time_cut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream.h"

namespace gilspy {
namespace {

using namespace testing;

/// What a run comes to from one moment to another, in milliseconds since its start.
struct Cut {
  Cut(double from, std::optional<double> to) : range{ms(from), {}} {
    if (to) range.to = ms(*to);
  }

  Profile of(const std::vector<Event>& events) {
    ProfileBuilder builder;
    TimeCut cut{range, builder};
    CollectingSink passed;
    TimeCut copy{range, passed};
    for (const Event& event : events) {
      cut.accept(event);
      copy.accept(event);
    }
    cut.finish();
    copy.finish();
    Time last{};
    for (const Event& event : passed.events) {
      if (const auto at = time_of(event)) {
        EXPECT_GE(*at, last);  // times never go back
        last = *at;
      }
    }
    return builder.profile();
  }

  TimeRange range;
};

/// A holds from 10 to 40 while B waits from 20 on and then holds to 70; C is there from 30 to 50.
/// Everything ends at 100.
std::vector<Event> run() {
  CollectingSink sink;
  Interner names(sink);
  const auto add = [&](const Event& event) { sink.accept(event); };
  add(ProcessStarted{at_ms(0), Pid{100}, "python app.py", "3.12.1", false, true,
                     1'700'000'000'000'000'000, 2, 1000, 100, ms(5)});
  add(GilDefined{main_gil, Pid{100}, names.string("main")});
  add(ThreadSeen{at_ms(0), Pid{100}, A, names.string("a"), true, main_gil});
  add(ThreadSeen{at_ms(0), Pid{100}, B, names.string("b"), true, main_gil});
  const StackId stack = names.stack(empty_stack, names.code("f", "/app/f.py", 1), 3);
  add(GilChanged{at_ms(10), main_gil, A, true, 1});
  add(StateChanged{at_ms(10), A, holding});
  add(StackSampled{at_ms(15), A, stack});
  add(StateChanged{at_ms(20), B, waiting});
  add(Progress{at_ms(20), 20, 2, 0, 0, 10, 0, ms(4)});
  add(ThreadSeen{at_ms(30), Pid{100}, C, names.string("c"), false, {}});
  add(GilChanged{at_ms(40), main_gil, B, true, 3});
  add(StateChanged{at_ms(40), A, sleeping});
  add(StateChanged{at_ms(40), B, holding});
  add(ThreadGone{at_ms(50), C});
  add(GilChanged{at_ms(70), main_gil, no_thread, true, 1});
  add(StateChanged{at_ms(70), B, sleeping});
  add(Progress{at_ms(100), 100, 10, 0, 0, 50, 0, ms(20)});
  add(ProcessEnded{at_ms(100), Pid{100}, EndReason::target_ended});
  return sink.events;
}

TEST(TimeCut, WhatHoldsAtTheBeginningIsCarriedOver) {
  const Profile profile = Cut(25, 35).of(run());
  EXPECT_EQ(profile.begin, at_ms(25));
  EXPECT_EQ(profile.end, at_ms(35));
  EXPECT_EQ(time_of_thread(profile, A, Activity::holding_running), ms(10));
  EXPECT_EQ(time_of_thread(profile, B, Activity::waiting), ms(10));
  EXPECT_EQ(profile.gils.at(0).held, ms(10));
  EXPECT_EQ(profile.gils.at(0).contended, ms(10));
  EXPECT_EQ(profile.gils.at(0).interpreters, "main");
  EXPECT_EQ(profile.gils.at(0).unknown, ms(0));
  EXPECT_EQ(profile.thread(A)->name, "a");
  EXPECT_EQ(blame_between(profile, A, B), ms(10));
}

TEST(TimeCut, AStackGoesOnWhileItsStateDoes) {
  const Profile profile = Cut(25, 35).of(run());
  EXPECT_EQ(stack_time(profile, Weight::hold, A, StackId{1}), ms(10));
  EXPECT_EQ(profile.timeline.stacks.at(A).at(0).at, at_ms(25));
  // At 45 A sleeps: what it ran before is no stack of that.
  EXPECT_FALSE(Cut(45, 60).of(run()).timeline.stacks.contains(A));
}

TEST(TimeCut, LaterAndEarlierTimeIsClipped) {
  const Profile profile = Cut(35, 45).of(run());
  EXPECT_EQ(time_of_thread(profile, A, Activity::holding_running), ms(5));
  EXPECT_EQ(time_of_thread(profile, A, Activity::blocked), ms(5));
  EXPECT_EQ(time_of_thread(profile, B, Activity::waiting), ms(5));
  EXPECT_EQ(time_of_thread(profile, B, Activity::holding_running), ms(5));
  EXPECT_EQ(profile.gils.at(0).handoffs, 3);  // those at 40 alone
  EXPECT_EQ(profile.gils.at(0).longest_hold, ms(5));
  EXPECT_EQ(profile.end_reason, EndReason::requested);
}

TEST(TimeCut, ThreadsLiveOnlyWhileTheyDid) {
  EXPECT_EQ(Cut(5, 25).of(run()).thread(C), nullptr);
  const Profile profile = Cut(45, 60).of(run());
  ASSERT_NE(profile.thread(C), nullptr);
  EXPECT_EQ(profile.thread(C)->last, at_ms(50));
  EXPECT_EQ(Cut(55, 60).of(run()).thread(C), nullptr);
}

TEST(TimeCut, PartsAddUpToTheWhole) {
  const Profile whole = Cut(0, {}).of(run());
  for (const Tid tid : {A, B, C}) {
    for (std::size_t i = 0; i < activity_count; ++i) {
      Duration sum{};
      for (const double from : {0.0, 13.0, 26.0, 39.0, 52.0, 65.0, 78.0, 91.0}) {
        const Profile part = Cut(from, from + 13).of(run());
        if (part.thread(tid) != nullptr) sum += part.thread(tid)->times.at(i);
      }
      EXPECT_EQ(sum, whole.thread(tid)->times.at(i)) << tid.value << ' ' << i;
    }
  }
}

TEST(TimeCut, CountsAreThoseOfThePart) {
  // 20 ticks up to 20 ms, and 80 in the 80 ms after it.
  const Profile profile = Cut(40, 60).of(run());
  EXPECT_EQ(profile.progress.ticks, 20);
  EXPECT_EQ(profile.progress.missed, 2);
  EXPECT_EQ(profile.progress.stacks, 10);
  EXPECT_EQ(profile.progress.cpu, ms(4));
  EXPECT_EQ(Cut(10, 20).of(run()).progress.ticks, 10);
}

TEST(TimeCut, TheClocksStayInStep) {
  const Profile profile = Cut(25, 35).of(run());
  EXPECT_EQ(profile.process.at, at_ms(25));
  EXPECT_EQ(profile.process.unix_ns, 1'700'000'000'025'000'000);
}

TEST(TimeCut, SaysThatItIsAPart) {
  for (const double from : {0.0, 25.0}) {
    const Profile profile = Cut(from, 35).of(run());
    ASSERT_EQ(profile.notes.size(), 1);
    EXPECT_THAT(profile.notes[0].text, ::testing::HasSubstr("only a part of the recording"));
  }
}

TEST(TimeCut, TheEndOfTheRunIsTheEndOfThePart) {
  const Profile profile = Cut(25, 500).of(run());
  EXPECT_EQ(profile.end, at_ms(100));
  EXPECT_EQ(profile.end_reason, EndReason::target_ended);
}

TEST(TimeCut, ARecordingThatBreaksOffStillHasItsPart) {
  auto events = run();
  events.resize(events.size() - 2);  // no Progress and no end
  const Profile profile = Cut(25, 60).of(events);
  EXPECT_EQ(profile.end, at_ms(60));
  EXPECT_EQ(time_of_thread(profile, B, Activity::holding_running), ms(20));
}

TEST(TimeCut, NothingBeyondTheEnd) {
  CollectingSink sink;
  TimeCut cut{{ms(200), {}}, sink};
  for (const Event& event : run()) cut.accept(event);
  cut.finish();
  EXPECT_EQ(cut.length(), ms(100));
  for (const Event& event : sink.events) EXPECT_FALSE(time_of(event).has_value());
}

TEST(TimeCut, AnExecBeforeThePartLeavesNothingOfTheOldProgram) {
  auto events = run();
  events.push_back(ProcessStarted{at_ms(110), Pid{100}, "python other.py", "3.13.0", false, true, 0,
                                  2, 1000, 100, ms(5)});
  events.push_back(Progress{at_ms(150), 10});
  const Profile profile = Cut(120, 140).of(events);
  EXPECT_EQ(profile.process.python, "3.13.0");
  EXPECT_TRUE(profile.threads.empty());
}

}  // namespace
}  // namespace gilspy
