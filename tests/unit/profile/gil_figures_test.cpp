#include <gtest/gtest.h>

#include "stream.h"

namespace gilspy::testing {
namespace {

TEST(GilFigures, TwoThreadsAlternatingEveryFiveMilliseconds) {
  Stream s;
  alternate(s, 1000);
  const Profile p = s.profile();
  ASSERT_EQ(p.gils.size(), 1U);
  const GilProfile& gil = p.gils[0];
  EXPECT_EQ(gil.interpreters, "main");
  EXPECT_EQ(gil.held, ms(1000));
  EXPECT_EQ(gil.contended, ms(1000));
  EXPECT_EQ(gil.wait, ms(1000));
  EXPECT_EQ(gil.unknown, ms(0));
  EXPECT_EQ(gil.handoffs, 200U);
  EXPECT_EQ(gil.longest_hold, ms(5));
  EXPECT_EQ(gil.longest_wait, ms(5));
  EXPECT_EQ(gil.forced_handoffs, 0U);  // none longer than the switch interval of 5 ms
  for (const Tid tid : {A, B}) {
    EXPECT_EQ(time_of_thread(p, tid, Activity::holding_running), ms(500));
    EXPECT_EQ(time_of_thread(p, tid, Activity::waiting), ms(500));
    EXPECT_EQ(p.thread(tid)->longest_hold, ms(5));
    EXPECT_EQ(p.thread(tid)->longest_wait, ms(5));
    EXPECT_EQ(p.thread(tid)->waits, 100U);
    EXPECT_EQ(p.thread(tid)->holds, 100U);
  }
  EXPECT_EQ(blame_between(p, A, B), ms(500));
  EXPECT_EQ(blame_between(p, B, A), ms(500));
  // Two want a CPU all the time and one has it.
  ASSERT_TRUE(p.potential);
  EXPECT_NEAR(*p.potential, 2.0, 1e-9);
}

TEST(GilFigures, WaitsBeyondTheSwitchIntervalAreForced) {
  Stream s;
  s.process.switch_interval = ms(4);
  alternate(s, 100);
  EXPECT_EQ(s.profile().gils[0].forced_handoffs, 20U);
}

TEST(GilFigures, OneCoreHasNothingToGain) {
  Stream s;
  s.process.cores = 1;
  alternate(s, 100);
  EXPECT_DOUBLE_EQ(s.profile().potential.value(), 1.0);
}

// A runs without the GIL for 0-10 ms, B is ready but another program has its CPU: nothing to gain.
TEST(GilFigures, ALackOfCpusIsNoPotential) {
  Stream s;
  s.start();
  for (const Tid tid : {A, B}) s.seen(0, tid);
  s.holder(0, no_thread);
  s.state(0, A, running);
  s.state(0, B, {GilState::released, CpuState::runnable, BlockKind::none, -1});
  s.end(10);
  EXPECT_DOUBLE_EQ(s.profile().potential.value(), 1.0);
}

// A and B both wait, for a moment in which nobody holds it: that is no third core.
TEST(GilFigures, ThePotentialIsNeverMoreThanTheCores) {
  Stream s;
  s.start();
  for (const Tid tid : {A, B}) s.seen(0, tid);
  s.takes(0, A);
  s.state(0, B, waiting);
  s.holder(9, no_thread);
  s.state(9, A, waiting);
  s.end(10);
  EXPECT_DOUBLE_EQ(s.profile().potential.value(), s.process.cores);
}

TEST(GilFigures, ThereIsNoPotentialWithoutKnowingTheCores) {
  Stream s;
  s.process.cores = 0;
  alternate(s, 100);
  EXPECT_FALSE(s.profile().potential);
}

// A holds 0-10, B 10-30; C waits 0-20, D 5-30, B 0-10, A 10-30.
TEST(GilFigures, ThreeWaitersAndTwoHolders) {
  Stream s;
  s.start();
  for (const Tid tid : {A, B, C, D}) s.seen(0, tid);
  s.takes(0, A);
  s.state(0, B, waiting);
  s.state(0, C, waiting);
  s.state(0, D, sleeping);
  s.state(5, D, waiting);
  s.holder(10, B);
  s.state(10, A, waiting);
  s.state(10, B, holding);
  s.state(20, C, sleeping);
  s.end(30);
  const Profile p = s.profile();
  const GilProfile& gil = p.gils[0];
  EXPECT_EQ(gil.wait, ms(10 + 20 + 25 + 20));
  EXPECT_EQ(gil.contended, ms(30));
  EXPECT_EQ(gil.longest_wait, ms(25));
  EXPECT_EQ(gil.longest_hold, ms(20));
  EXPECT_EQ(blame_between(p, A, B), ms(10));
  EXPECT_EQ(blame_between(p, A, C), ms(10));
  EXPECT_EQ(blame_between(p, A, D), ms(5));
  EXPECT_EQ(blame_between(p, B, A), ms(20));
  EXPECT_EQ(blame_between(p, B, C), ms(10));
  EXPECT_EQ(blame_between(p, B, D), ms(20));
  EXPECT_EQ(blame_between(p, no_thread, C), ms(0));
}

TEST(GilFigures, UnseenHandOffsInterruptAHold) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.takes(0, A);
  s.holder(10, A, 0);  // nothing happened: the hold goes on
  s.holder(40, A, 2);  // somebody else had it in between
  s.end(60);
  const Profile p = s.profile();
  EXPECT_EQ(p.gils[0].held, ms(60));
  EXPECT_EQ(p.gils[0].handoffs, 3U);
  EXPECT_EQ(p.gils[0].longest_hold, ms(40));
  EXPECT_EQ(p.thread(A)->longest_hold, ms(40));
}

TEST(GilFigures, OneWaitAcrossThreeHoldersIsOneWait) {
  Stream s;
  s.start();
  for (const Tid tid : {A, B, C, D}) s.seen(0, tid);
  s.takes(0, A);
  s.state(0, D, waiting);
  s.state(10, A, sleeping);
  s.takes(10, B);
  s.state(25, B, sleeping);
  s.takes(25, C);
  s.state(50, C, sleeping);
  s.takes(50, D);
  s.end(60);
  const Profile p = s.profile();
  EXPECT_EQ(p.thread(D)->waits, 1U);
  EXPECT_EQ(p.thread(D)->longest_wait, ms(50));
  EXPECT_EQ(p.gils[0].longest_wait, ms(50));
  EXPECT_EQ(p.gils[0].forced_handoffs, 1U);
  EXPECT_EQ(blame_between(p, A, D), ms(10));
  EXPECT_EQ(blame_between(p, B, D), ms(15));
  EXPECT_EQ(blame_between(p, C, D), ms(25));
}

TEST(GilFigures, UnknownTimeIsNotHeldAndBlamesNobody) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.seen(0, B);
  s.state(0, B, waiting);
  s.takes(10, A);  // nobody said who had it before
  s.holder_unknown(30);
  s.holder(70, no_thread, 0);
  s.end(100);
  const Profile p = s.profile();
  EXPECT_EQ(p.gils[0].unknown, ms(10 + 40));
  EXPECT_EQ(p.gils[0].held, ms(20));
  EXPECT_EQ(p.gils[0].longest_hold, ms(20));
  EXPECT_EQ(blame_between(p, A, B), ms(20));
  EXPECT_EQ(blame_between(p, no_thread, B), ms(80));
}

TEST(GilFigures, AWaitMovesWithTheThreadToItsGil) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.takes(0, A);
  s.seen(0, B, "", std::nullopt);
  s.state(0, B, waiting);
  s.seen(10, B, "late", main_gil);
  s.state(30, B, running);
  s.end(40);
  const Profile p = s.profile();
  EXPECT_EQ(p.gils[0].wait, ms(20));
  EXPECT_EQ(blame_between(p, no_thread, B), ms(10));
  EXPECT_EQ(blame_between(p, A, B), ms(20));
  EXPECT_EQ(p.thread(B)->longest_wait, ms(30));
  EXPECT_EQ(p.thread(B)->waits, 1U);
  EXPECT_EQ(p.thread(B)->name, "late");
}

TEST(GilFigures, AGilThatIsOffIsLeftOut) {
  Stream s;
  s.process.free_threaded = true;
  s.process.gil_enabled = false;
  s.start();
  s.seen(0, A);
  s.state(0, A, running);
  s.end(1000);
  EXPECT_TRUE(s.profile().gils.empty());
  EXPECT_FALSE(s.profile().potential);
}

}  // namespace
}  // namespace gilspy::testing
