#include "gilspy/profile/findings.h"

#include <algorithm>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gilspy/profile/blame.h"
#include "gilspy/profile/finding_text.h"
#include "stream.h"

namespace gilspy {
namespace {

using namespace testing;

constexpr ThreadState nanosleeping{GilState::holding, CpuState::blocked, BlockKind::sleep, 230};

std::vector<Finding> found_in(const Stream& stream) { return findings_of(stream.profile()); }

std::optional<Finding> only(const std::vector<Finding>& findings, FindingKind kind) {
  std::optional<Finding> result;
  for (const Finding& finding : findings) {
    if (finding.kind != kind) continue;
    EXPECT_FALSE(result) << "two findings of kind " << name_of(kind);
    result = finding;
  }
  return result;
}

/// A and B with a common GIL; B waits from the first moment on.
void start_with_waiter(Stream& stream) {
  stream.start();
  stream.seen(0, A, "a");
  stream.seen(0, B, "b");
  stream.state(0, B, waiting);
  stream.takes(0, A);
}

TEST(Findings, FairTurnsAreNone) {
  Stream stream;
  alternate(stream, 2000);
  EXPECT_TRUE(found_in(stream).empty());
}

TEST(Findings, ALongHoldIsOneWhileSomebodyWaits) {
  Stream stream;
  start_with_waiter(stream);
  const StackId work = stream.frame("work", 12);
  stream.stack(30, A, work);
  stream.takes(80, B);
  stream.state(80, A, sleeping);
  stream.end(90);
  const auto finding = only(found_in(stream), FindingKind::long_hold);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->thread, A);
  EXPECT_EQ(finding->begin, at_ms(0));
  EXPECT_EQ(finding->end, at_ms(80));
  EXPECT_EQ(finding->waited, ms(80));
  EXPECT_EQ(finding->stack, work);
  EXPECT_EQ(finding->count, 1U);
}

TEST(Findings, NameTheSourceOfTheNativeFunction) {
  Stream stream;
  start_with_waiter(stream);
  const StackId work = stream.frame("work", 12);
  const CodeId spin = stream.names.native_code("spin", "spin.so");
  ASSERT_TRUE(stream.names.native_source(spin, "/src/spin.c", 7));
  stream.stack(79, A, stream.names.stack(work, spin, 31));
  stream.takes(80, B);
  stream.state(80, A, waiting);
  stream.end(90);
  const auto finding = only(found_in(stream), FindingKind::long_hold);
  ASSERT_TRUE(finding);
  const Profile profile = stream.profile();
  EXPECT_THAT(title_of(profile, *finding),
              ::testing::HasSubstr(" in spin (spin.c:31), called from work (worker.py:12)"));
  const auto blockers = worst_blockers(profile);
  ASSERT_FALSE(blockers.empty());
  EXPECT_EQ(blockers.front().library, "spin.so");
  EXPECT_EQ(blockers.front().native_file, "/src/spin.c");
  EXPECT_EQ(blockers.front().native_line, 7U);
}

TEST(Findings, NameTheNativeFunctionThatWasOnTopMost) {
  Stream stream;
  start_with_waiter(stream);
  const StackId work = stream.frame("work", 12);
  const StackId match = stream.native("sre_ucs1_match", work);
  const StackId copy = stream.native("memcpy", match);
  for (const auto& [begin, stack] : {std::pair{0.0, match}, {90.0, match}, {180.0, copy}}) {
    if (begin > 0) {
      stream.takes(begin, A);
      stream.state(begin, B, waiting);
    }
    stream.stack(begin + 79, A, stack);                    // speaks for the time before it
    const double end = begin + (stack == copy ? 81 : 80);  // the longest is the example
    stream.takes(end, B);
    stream.state(end, A, waiting);
  }
  stream.end(270);
  const auto finding = only(found_in(stream), FindingKind::long_hold);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->count, 3U);  // one function of Python's, whatever it called
  ASSERT_TRUE(finding->native);
  const Profile profile = stream.profile();
  EXPECT_EQ(profile.tables->string(profile.tables->code(*finding->native).function),
            "sre_ucs1_match");
  const auto blockers = worst_blockers(profile);
  ASSERT_FALSE(blockers.empty());
  EXPECT_EQ(blockers.front().function, "work");
  EXPECT_EQ(blockers.front().line, 12U);
  EXPECT_EQ(blockers.front().native, "sre_ucs1_match");
  EXPECT_EQ(blockers.front().library, "_sre.so");
}

TEST(Findings, WhoHoldsUndisturbedHoldsAsLongAsItLikes) {
  Stream stream;
  stream.start();
  stream.seen(0, A);
  stream.takes(0, A);
  stream.end(5000);
  EXPECT_TRUE(found_in(stream).empty());
}

TEST(Findings, HandoffsUnseenByTicksInterruptAHold) {
  Stream stream;
  start_with_waiter(stream);
  for (double t = 5; t < 100; t += 5) stream.holder(t, A, 2);  // B had it in between
  stream.takes(100, B);
  stream.end(105);
  EXPECT_FALSE(only(found_in(stream), FindingKind::long_hold));
}

TEST(Findings, HoldsOfTheSameFunctionAreOneFindingAndTheLongestIsItsExample) {
  Stream stream;
  stream.start();
  const StackId work = stream.frame("work", 12);
  for (const Tid tid : {A, B, C}) stream.seen(0, tid);
  stream.state(0, C, waiting);
  double t = 0;
  for (const double length : {40.0, 90.0, 60.0}) {
    const Tid holder = length == 90.0 ? B : A;
    stream.takes(t, holder);
    stream.stack(t + 5, holder, work);
    t += length;
    stream.state(t, holder, sleeping);
  }
  stream.takes(t, C);
  stream.end(t + 1);
  const auto finding = only(found_in(stream), FindingKind::long_hold);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->count, 3U);
  EXPECT_EQ(finding->threads, 2U);
  EXPECT_EQ(finding->thread, B);
  EXPECT_EQ(finding->longest(), ms(90));
  EXPECT_EQ(finding->total, ms(190));
  EXPECT_EQ(finding->waited, ms(190));
}

TEST(Findings, AHoldWithoutASampleBelongsToTheThreadsOthers) {
  Stream stream;
  start_with_waiter(stream);
  stream.stack(30, A, stream.frame("work", 12));
  stream.holder(60, A);  // another hold, of which no stack is known
  stream.takes(160, B);
  stream.state(160, A, sleeping);
  stream.end(165);
  const auto finding = only(found_in(stream), FindingKind::long_hold);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->count, 2U);
  EXPECT_EQ(finding->total, ms(160));
  EXPECT_NE(finding->stack, empty_stack);
}

TEST(Findings, TheGilKeptAcrossASystemCallIsOne) {
  Stream stream;
  start_with_waiter(stream);
  stream.state(3, A, nanosleeping);
  stream.state(11, A, holding);
  stream.takes(13, B);
  stream.end(20);
  const auto finding = only(found_in(stream), FindingKind::held_in_syscall);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->thread, A);
  EXPECT_EQ(finding->syscall, 230);
  EXPECT_EQ(finding->begin, at_ms(3));
  EXPECT_EQ(finding->end, at_ms(11));
  EXPECT_EQ(finding->waited, ms(8));
}

TEST(Findings, AMomentInASystemCallIsNotWorthAWord) {
  Stream stream;
  start_with_waiter(stream);
  stream.state(3, A, nanosleeping);
  stream.state(4, A, holding);
  stream.takes(5, B);
  stream.end(1000);
  EXPECT_FALSE(only(found_in(stream), FindingKind::held_in_syscall));
}

/// A computes; B comes back from I/O every 20 ms, waits `wait` ms, and needs the GIL for 1 ms.
void convoy(Stream& stream, double wait) {
  stream.start();
  stream.seen(0, A);
  stream.seen(0, B);
  stream.takes(0, A);
  stream.state(0, B, sleeping);
  for (double t = 20; t < 1000; t += 20) {
    stream.state(t, B, waiting);
    stream.takes(t + wait, B);
    stream.state(t + wait, A, waiting);
    stream.takes(t + wait + 1, A);
    stream.state(t + wait + 1, B, sleeping);
  }
  stream.end(1000);
}

TEST(Findings, IoBesideComputationIsAConvoy) {
  Stream stream;
  convoy(stream, 5);
  const auto finding = only(found_in(stream), FindingKind::convoy);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->thread, B);  // and not A, which makes the others wait
  EXPECT_EQ(finding->threads, 1U);
  EXPECT_EQ(finding->count, 49U);
  EXPECT_EQ(finding->waited, 49 * ms(5));
  EXPECT_EQ(finding->other, A);
  EXPECT_EQ(finding->overtaken, 49U);
}

TEST(Findings, AConvoyIsBehindWhoHeldTheGilInMostOfItsWaits) {
  Stream stream;
  stream.start();
  for (const Tid tid : {A, B, C}) stream.seen(0, tid);
  stream.state(0, B, sleeping);
  // Of each wait of 5 ms one holder has 3 and the other 2: C the 3 of every fifth.
  for (int i = 0; i < 50; ++i) {
    const double t = 20.0 * i;
    const bool behind_c = i % 5 == 0;
    stream.takes(t, behind_c ? C : A);
    stream.state(t, B, waiting);
    stream.takes(t + 3, behind_c ? A : C);
    stream.takes(t + 5, B);
    stream.state(t + 6, B, sleeping);
  }
  stream.end(1000);
  const auto finding = only(found_in(stream), FindingKind::convoy);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->thread, B);
  EXPECT_EQ(finding->count, 50U);
  EXPECT_EQ(finding->other, A);
  EXPECT_EQ(finding->overtaken, 40U);
}

TEST(Findings, AConvoyBehindNobodyKnownNamesNobody) {
  Stream stream;
  stream.start();
  stream.seen(0, B);
  for (double t = 0; t < 1000; t += 20) {
    stream.state(t, B, waiting);
    stream.state(t + 5, B, sleeping);
  }
  stream.end(1000);
  const auto finding = only(found_in(stream), FindingKind::convoy);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->other, no_thread);
  EXPECT_EQ(finding->overtaken, 0U);
}

TEST(Findings, ShortWaitsAreNoConvoy) {
  Stream stream;
  convoy(stream, 1);
  EXPECT_FALSE(only(found_in(stream), FindingKind::convoy));
}

/// A and B take turns of 5 ms while C waits for `wait` ms.
void passed_over(Stream& stream, double wait) {
  stream.start();
  for (const Tid tid : {A, B, C}) stream.seen(0, tid);
  stream.state(0, C, waiting);
  for (double t = 0; t < wait; t += 10) {
    stream.takes(t, A);
    stream.state(t, B, waiting);
    stream.takes(t + 5, B);
    stream.state(t + 5, A, waiting);
  }
  stream.takes(wait, C);
  stream.end(wait + 5);
}

TEST(Findings, WhoIsPassedOverStarves) {
  Stream stream;
  passed_over(stream, 200);
  const auto finding = only(found_in(stream), FindingKind::starving);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->thread, C);
  EXPECT_EQ(finding->longest(), ms(200));
  EXPECT_EQ(finding->overtaken, 20U);
  EXPECT_THAT(finding->other, ::testing::AnyOf(A, B));
}

TEST(Findings, AQueueOfFairTurnsIsNoStarvation) {
  Stream stream;
  stream.start();
  constexpr int threads = 40;  // so each waits 195 ms for its turn
  for (int i = 0; i < threads; ++i) {
    stream.seen(0, Tid{200 + i});
    stream.state(0, Tid{200 + i}, waiting);
  }
  for (int turn = 0; turn < 3 * threads; ++turn) {
    if (turn > 0) stream.state(5 * turn, Tid{200 + (turn - 1) % threads}, waiting);
    stream.takes(5 * turn, Tid{200 + turn % threads});
  }
  stream.end(15 * threads);
  EXPECT_FALSE(only(found_in(stream), FindingKind::starving));
}

TEST(Findings, WhatCostMostWaitingComesFirst) {
  Stream stream;
  convoy(stream, 5);
  const auto findings = found_in(stream);
  EXPECT_TRUE(std::ranges::is_sorted(findings, std::ranges::greater{}, &Finding::waited));
}

TEST(Findings, OfNothingAreNone) {
  EXPECT_TRUE(findings_of(ProfileBuilder{}.profile()).empty());
  Stream stream{{.keep_timeline = false}};
  convoy(stream, 5);
  EXPECT_TRUE(found_in(stream).empty());
}

TEST(Timeline, KeepsTheMomentsOfHandoffs) {
  Stream stream;
  start_with_waiter(stream);
  stream.holder(7, A, 4);
  stream.end(10);
  const auto handoffs = stream.profile().timeline.handoffs.at(main_gil);
  ASSERT_EQ(handoffs.size(), 2U);
  EXPECT_EQ(handoffs[1].at, at_ms(7));
  EXPECT_EQ(handoffs[1].count, 4U);
}

TEST(Timeline, AThreadThatGaveItsStateBackKeepsItsGilOnRecord) {
  Stream stream;
  start_with_waiter(stream);
  stream.takes(5, B);
  stream.seen(8, B, "b", std::nullopt);
  stream.end(10);
  EXPECT_EQ(stream.profile().thread(B)->gil, main_gil);
}

}  // namespace
}  // namespace gilspy
