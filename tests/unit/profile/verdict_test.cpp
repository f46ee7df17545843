#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream.h"

namespace gilspy::testing {
namespace {

using std::chrono::microseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr ThreadState holding_asleep{GilState::holding, CpuState::blocked, BlockKind::sleep, 230};

TEST(Verdict, TwoBusyThreadsAreGilBound) {
  Stream s;
  alternate(s, 1000);
  const Verdict v = s.profile().verdict;
  EXPECT_EQ(v.kind, VerdictKind::gil_bound);
  EXPECT_EQ(v.text,
            "GIL-bound: the GIL was held 100 % of the time, and for 100 % of the time at least one "
            "thread waited for it. Without the GIL this could run up to 2.0 times as fast on 2 "
            "cores.");
}

TEST(Verdict, OneCoreHasNothingToGain) {
  Stream s;
  s.process.cores = 1;
  alternate(s, 1000);
  const Verdict v = s.profile().verdict;
  EXPECT_EQ(v.kind, VerdictKind::gil_bound);
  EXPECT_THAT(v.text, HasSubstr("no faster on 1 core."));
}

TEST(Verdict, OneBusyThreadIsNotGilBound) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.takes(0, A);
  s.ticks(1000, 1000);
  s.end(1000);
  const Verdict v = s.profile().verdict;
  EXPECT_EQ(v.kind, VerdictKind::not_gil_bound);
  EXPECT_EQ(v.text,
            "Not GIL-bound: one thread holds the GIL nearly all the time, but nobody waits for it; "
            "it is CPU-bound in one thread.");
}

TEST(Verdict, AHoldAcrossSystemCallsIsCalledThat) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.holder(0, A);
  s.state(0, A, holding_asleep);
  s.ticks(1000, 1000);
  s.end(1000);
  EXPECT_THAT(s.profile().verdict.text, HasSubstr("keeps the GIL across system calls"));
}

TEST(Verdict, AGilThatIsHardlyHeldBindsNobody) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.takes(0, A);
  s.holder(20, no_thread, 0);
  s.state(20, A, running);
  s.ticks(1000, 1000);
  s.end(1000);
  const Verdict v = s.profile().verdict;
  EXPECT_EQ(v.kind, VerdictKind::not_gil_bound);
  EXPECT_EQ(v.text, "Not GIL-bound: the GIL was held 2 % of the time.");
}

// A holds 800 of 1000 ms; B wants to run for 150 ms only, and waits for all of them.
TEST(Verdict, LittleContentionIsNotEnough) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.seen(0, B);
  s.takes(0, A);
  s.state(0, B, sleeping);
  s.state(600, B, waiting);
  s.state(750, B, sleeping);
  s.holder(800, no_thread, 0);
  s.state(800, A, sleeping);
  s.ticks(1000, 1000);
  s.end(1000);
  const Verdict v = s.profile().verdict;
  EXPECT_EQ(v.kind, VerdictKind::not_gil_bound);
  EXPECT_EQ(v.text,
            "Not GIL-bound: the GIL was held 80 % of the time, and for 15 % of the time at least "
            "one thread waited for it.");
}

// Ten threads wait together for 100 ms out of 1000: wait 1 s, hold 0.6 s.
TEST(Verdict, ManyWaitersInAShortTimeAreEnough) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.takes(0, A);
  for (int i = 0; i < 10; ++i) {
    const Tid tid{200 + i};
    s.seen(0, tid);
    s.state(0, tid, sleeping);
  }
  for (int i = 0; i < 10; ++i) s.state(400, Tid{200 + i}, waiting);
  for (int i = 0; i < 10; ++i) s.state(500, Tid{200 + i}, sleeping);
  s.holder(600, no_thread, 0);
  s.state(600, A, sleeping);
  s.ticks(1000, 1000);
  s.end(1000);
  const Verdict v = s.profile().verdict;
  EXPECT_EQ(v.kind, VerdictKind::gil_bound);
  EXPECT_THAT(v.text, HasSubstr("spent 62 % of that time waiting"));
}

TEST(Verdict, AShortRunSaysSo) {
  Stream s;
  alternate(s, 300);
  const Verdict v = s.profile().verdict;
  EXPECT_EQ(v.kind, VerdictKind::insufficient_data);
  EXPECT_THAT(v.text, StartsWith("Not enough data: only 0.30 s were recorded."));
}

TEST(Verdict, FewTicksAreNotEnough) {
  Stream s;
  s.start();
  s.ticks(1000, 49);
  EXPECT_THAT(s.profile().verdict.text, StartsWith("Not enough data: only 49 ticks."));
}

TEST(Verdict, LostTicksAreNotEnough) {
  Stream s;
  alternate(s, 1000);
  s.builder.accept(Progress{.at = at_ms(1000), .ticks = 1000, .missed = 250, .unstable = 50});
  // Of the 1,250 that were wanted.
  EXPECT_THAT(s.profile().verdict.text, StartsWith("Not enough data: 24 % of the ticks"));
}

TEST(Verdict, SaysWhenManyStacksWereLost) {
  Stream s;
  alternate(s, 1000);
  s.builder.accept(Progress{.at = at_ms(1000), .ticks = 1000, .stacks = 80, .stacks_dropped = 20});
  EXPECT_THAT(s.profile().verdict.text, ::testing::Not(HasSubstr("could not be read")));
  s.builder.accept(Progress{.at = at_ms(1000), .ticks = 1000, .stacks = 79, .stacks_dropped = 21});
  EXPECT_THAT(s.profile().verdict.text, HasSubstr(" 21 % of the stacks could not be read"));
}

TEST(Verdict, UnknownThreadsAreNotEnough) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.holder(0, A);
  s.state(300, A, holding);
  s.ticks(1000, 1000);
  EXPECT_THAT(s.profile().verdict.text,
              StartsWith("Not enough data: for 30 % of the threads' time"));
}

TEST(Verdict, AnUnknownHolderIsNotEnough) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.state(0, A, running);
  s.holder(300, A);
  s.ticks(1000, 1000);
  EXPECT_THAT(s.profile().verdict.text,
              HasSubstr("30 % of the time it could not be told who held"));
}

TEST(Verdict, WithTheGilOffThereIsNothingToBeBoundBy) {
  Stream s;
  s.process.free_threaded = true;
  s.process.gil_enabled = false;
  s.builder.accept(s.process);
  s.seen(0, A, "", std::nullopt);
  s.state(0, A, {GilState::none, CpuState::running, BlockKind::none, -1});
  s.ticks(1000, 1000);
  const Verdict v = s.profile().verdict;
  EXPECT_EQ(v.kind, VerdictKind::not_gil_bound);
  EXPECT_EQ(v.text, "Not GIL-bound: free-threaded, GIL off.");
}

TEST(Verdict, NoGilAndNoReasonForItIsNoAnswer) {
  Stream s;
  s.process.gil_enabled.reset();
  s.builder.accept(s.process);
  s.seen(0, A, "", std::nullopt);
  s.state(0, A, running);
  s.ticks(1000, 1000);
  EXPECT_EQ(s.profile().verdict.kind, VerdictKind::insufficient_data);
}

/// Of a GIL that is held for that many of 1,000 ms, another thread waiting all the time, and that
/// changes hands 50,000 times; by 1,000 ticks, each of them so late.
Verdict of_fast_handoffs(double held, Duration late, TraceSource source = TraceSource::sampled) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.seen(0, B);
  s.takes(0, A);
  s.state(0, B, waiting);
  s.holder(held, no_thread, 0);
  s.state(held, A, sleeping);
  s.state(held, B, sleeping);
  s.holder(1000, A, 50'000);
  s.ticks(1000, 1000);
  Lateness lateness;
  for (int i = 0; i < 1000; ++i) lateness.count(late);
  s.builder.accept(LatenessCounted{at_ms(1000), lateness.counts(), lateness.worst(), 0});
  if (source != TraceSource::sampled) {
    s.builder.accept(Traced{at_ms(1000), s.process.pid, source});
  }
  s.end(1000);
  return s.profile().verdict;
}

TEST(Verdict, HandOffsThatOutrunTheLooksLeaveNoAnswerNearTheLimit) {
  const Verdict v = of_fast_handoffs(400, microseconds{20});
  EXPECT_EQ(v.kind, VerdictKind::insufficient_data);
  EXPECT_THAT(v.text, HasSubstr("the GIL changed hands every 20 us on average"));
  EXPECT_THAT(v.text, HasSubstr("--exact"));
}

TEST(Verdict, HandOffsThatOutrunTheLooksStillTellWhatIsFarFromTheLimit) {
  const Verdict v = of_fast_handoffs(1000, microseconds{20});
  EXPECT_EQ(v.kind, VerdictKind::gil_bound);
  EXPECT_THAT(v.text, HasSubstr("these shares may be off by tens of points"));
}

TEST(Verdict, LooksThatComeInTimeKeepUpWithFastHandOffs) {
  const Verdict v = of_fast_handoffs(400, microseconds{5});
  EXPECT_EQ(v.kind, VerdictKind::not_gil_bound);
  EXPECT_THAT(v.text, HasSubstr("shares are right on average"));
}

TEST(Verdict, WaitsOfTheKernelsRecordsAreNotOutrun) {
  const Verdict v = of_fast_handoffs(100, microseconds{20}, TraceSource::exact);
  EXPECT_EQ(v.kind, VerdictKind::not_gil_bound);
  EXPECT_THAT(v.text, HasSubstr("shares of holding may be off by tens of points"));
}

TEST(Verdict, HoldsAreOutrunWithTheKernelsRecordsAsWell) {
  const Verdict v = of_fast_handoffs(400, microseconds{20}, TraceSource::exact);
  EXPECT_EQ(v.kind, VerdictKind::insufficient_data);
  EXPECT_THAT(v.text, Not(HasSubstr("--exact")));
}

TEST(Verdict, HandOffsTooFastForTheSamplerAreMentioned) {
  Stream s;
  alternate(s, 1000);
  s.holder(1000, A, 5000);
  EXPECT_THAT(s.profile().verdict.text, HasSubstr("(5200 hand-offs in 1000 ticks)"));
}

}  // namespace
}  // namespace gilspy::testing
