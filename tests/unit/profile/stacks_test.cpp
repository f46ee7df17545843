#include <gtest/gtest.h>

#include "gilspy/profile/blame.h"
#include "stream.h"

namespace gilspy::testing {
namespace {

TEST(Stacks, ASampleStandsForTheTimeSinceThePreviousOneOfTheSameActivity) {
  Stream s;
  s.start();
  const StackId f = s.frame("f", 1);
  const StackId g = s.frame("g", 2);
  s.seen(0, A);
  s.takes(0, A);
  s.stack(4, A, f);  // holding 0-4: f
  s.holder(10, no_thread, 0);
  s.state(10, A, running);
  s.stack(12, A, g);  // running 10-12: g
  s.state(20, A, sleeping);
  s.takes(30, A);
  s.stack(33, A, g);  // holding 4-10 and 30-33: g
  s.end(40);          // running 12-20: g, holding 33-40: g, sleeping: no stack
  const Profile p = s.profile();
  EXPECT_EQ(stack_time(p, Weight::hold, A, f), ms(4));
  EXPECT_EQ(stack_time(p, Weight::hold, A, g), ms(6 + 3 + 7));
  EXPECT_EQ(stack_time(p, Weight::cpu, A, f), ms(4));
  EXPECT_EQ(stack_time(p, Weight::cpu, A, g), ms(6 + 3 + 7 + 10));
  EXPECT_EQ(stack_time(p, Weight::wall, A, g), ms(26));
  EXPECT_EQ(stack_time(p, Weight::wall, A, empty_stack), ms(10));
  EXPECT_TRUE(p.stacks_by(Weight::wait).empty());
}

TEST(Stacks, WithoutASampleTheTimeIsKeptUnderTheEmptyStack) {
  Stream s;
  alternate(s, 20);
  const Profile p = s.profile();
  EXPECT_EQ(stack_time(p, Weight::hold, A, empty_stack), ms(10));
  EXPECT_EQ(stack_time(p, Weight::wait, A, empty_stack), ms(10));
  EXPECT_EQ(stack_time(p, Weight::blame, A, empty_stack), ms(10));
}

TEST(Stacks, BlameGoesToTheStackOfTheHolder) {
  Stream s;
  s.start();
  const StackId f = s.frame("crunch", 31);
  const StackId g = s.frame("crunch", 32);
  s.seen(0, A, "a");
  s.seen(0, B, "b");
  s.seen(0, C, "c");
  s.takes(0, A);
  s.state(2, B, waiting);
  s.state(3, C, waiting);
  s.stack(5, A, f);   // B 3, C 2
  s.stack(10, A, g);  // B 5, C 5
  s.state(12, A, waiting);
  s.stack(12, A, f);  // what A does while it waits says nothing about its hold ...
  s.holder(12, B);
  s.state(12, B, holding);
  s.end(20);  // ... A's last 2 ms belong to g; B is without a stack: A 8, C 8
  const Profile p = s.profile();
  const auto find = [&](Tid holder, Tid waiter, StackId stack) {
    for (const Blame& row : p.blame) {
      if (row.holder == holder && row.waiter == waiter && row.stack == stack) return row.time;
    }
    return Duration{};
  };
  EXPECT_EQ(find(A, B, f), ms(3));
  EXPECT_EQ(find(A, C, f), ms(2));
  EXPECT_EQ(find(A, B, g), ms(5 + 2));
  EXPECT_EQ(find(A, C, g), ms(5 + 2));
  EXPECT_EQ(find(B, A, empty_stack), ms(8));
  EXPECT_EQ(find(B, C, empty_stack), ms(8));

  const auto rows = blame_by_function(p);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].holder, A);
  EXPECT_EQ(rows[0].waiter, B);
  EXPECT_EQ(rows[0].time, ms(10));
  EXPECT_EQ(rows[0].function, "crunch");
  EXPECT_EQ(rows[0].line, 32U);  // 7 of the 10 ms
  const auto blockers = worst_blockers(p);
  ASSERT_EQ(blockers.size(), 2U);
  EXPECT_EQ(blockers[0].function, "crunch");
  EXPECT_EQ(blockers[0].time, ms(19));
  EXPECT_EQ(blockers[1].function, "");
  EXPECT_EQ(blockers[1].time, ms(16));
  EXPECT_EQ(hand_over_wait(p), ms(0));
  EXPECT_EQ(label_of(p, A), "a");
  EXPECT_EQ(label_of(p, no_thread), "(hand-over)");
  EXPECT_EQ(label_of(p, Tid{7}), "thread 7");
}

TEST(Stacks, BlameBeyondTheLargestRowsIsOneRowForEachHolderAndWaiter) {
  Stream s;
  s.start();
  for (const Tid tid : {A, B, C}) s.seen(0, tid);
  s.takes(0, A);
  s.state(0, B, waiting);
  s.state(0, C, waiting);
  // Functions of 1, 2, ... 10 ms, each blamed by B and C.
  double t = 0;
  for (int i = 1; i <= 10; ++i) {
    t += i;
    s.stack(t, A, s.frame(("f" + std::to_string(i)).c_str(), 1));
  }
  s.end(t);
  const Profile p = s.profile();
  ASSERT_EQ(blame_by_function(p).size(), 20U);
  EXPECT_EQ(largest_blame(p, 20).size(), 20U);

  const auto rows = largest_blame(p, 5);
  ASSERT_EQ(rows.size(), 5U + 2U);
  Duration sum{};
  std::size_t single = 0;
  std::size_t merged = 0;
  for (const FunctionBlame& row : rows) {
    sum += row.time;
    ++(row.rows == 0 ? single : merged);
    EXPECT_EQ(row.function.empty(), row.rows > 0);
  }
  EXPECT_EQ(sum, 2 * ms(55));
  EXPECT_EQ(single, 5U);
  EXPECT_EQ(merged, 2U);
  // 55 - (10 + 9 + 8) of one waiter, 55 - (10 + 9) of the other.
  EXPECT_EQ(rows[0].time, ms(36));
  EXPECT_EQ(rows[0].rows, 8U);
  EXPECT_EQ(rows[1].time, ms(28));
  EXPECT_EQ(rows[1].rows, 7U);
  EXPECT_EQ(rows[2].time, ms(10));
}

TEST(Stacks, ALateStackTakesAllThatIsPendingForItsHolder) {
  Stream s;
  s.start();
  const StackId f = s.frame("f", 1);
  s.seen(0, A);
  s.seen(0, B);
  s.takes(0, A);
  s.state(0, B, waiting);
  s.state(10, A, sleeping);
  s.holder(10, no_thread, 0);
  s.takes(15, A);
  s.stack(16, A, f);
  s.end(20);
  const Profile p = s.profile();
  EXPECT_EQ(stack_time(p, Weight::blame, A, f), ms(15));
  EXPECT_EQ(stack_time(p, Weight::blame, A, empty_stack), ms(0));
  // Nobody held it for 5 ms: that is nobody's stack, but still the waiter's time.
  EXPECT_EQ(stack_time(p, Weight::blame, no_thread, empty_stack), ms(0));
  EXPECT_EQ(hand_over_wait(p), ms(5));
}

TEST(Stacks, AStackThatWasNeverDefinedCountsAsNone) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.takes(0, A);
  s.stack(5, A, StackId{4'000'000'000});
  s.end(10);
  EXPECT_EQ(stack_time(s.profile(), Weight::hold, A, empty_stack), ms(10));
}

TEST(Stacks, MomentsAreKeptForTheTimeline) {
  Stream s;
  s.start();
  const StackId f = s.frame("f", 1);
  s.seen(0, A);
  s.stack(5, A, f);
  s.stack(6, B, f);  // an unknown thread
  s.end(10);
  const Profile p = s.profile();
  ASSERT_EQ(p.timeline.stacks.size(), 1U);
  ASSERT_EQ(p.timeline.stacks.at(A).size(), 1U);
  EXPECT_EQ(p.timeline.stacks.at(A)[0].at, at_ms(5));
}

}  // namespace
}  // namespace gilspy::testing
