#include <gtest/gtest.h>

#include "stream.h"

namespace gilspy::testing {
namespace {

TEST(Threads, TimeBeforeTheFirstStateIsUnknown) {
  Stream s;
  s.start();
  s.seen(10, A);
  s.state(12, A, running);
  s.end(20);
  const Profile p = s.profile();
  EXPECT_EQ(time_of_thread(p, A, Activity::unknown), ms(2));
  EXPECT_EQ(time_of_thread(p, A, Activity::running), ms(8));
  EXPECT_EQ(p.thread(A)->last - p.thread(A)->first, ms(10));
}

TEST(Threads, AThreadEndsWhenItIsGone) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.takes(0, A);
  s.gone(30, A);
  s.state(40, A, running);  // nobody has this tid any more
  s.end(100);
  const Profile p = s.profile();
  ASSERT_EQ(p.threads.size(), 1U);
  EXPECT_EQ(p.threads[0].last, at_ms(30));
  EXPECT_EQ(p.threads[0].longest_hold, ms(30));
  EXPECT_EQ(time_of_thread(p, A, Activity::holding_running), ms(30));
  EXPECT_EQ(time_of_thread(p, A, Activity::running), ms(0));
}

TEST(Threads, AWaiterThatIsGoneWaitsNoMore) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.seen(0, B);
  s.takes(0, A);
  s.state(0, B, waiting);
  s.gone(30, B);
  s.end(100);
  const Profile p = s.profile();
  EXPECT_EQ(p.gils[0].wait, ms(30));
  EXPECT_EQ(p.gils[0].contended, ms(30));
  EXPECT_EQ(p.thread(B)->longest_wait, ms(30));
}

TEST(Threads, AUsedTidIsANewThread) {
  Stream s;
  s.start();
  const StackId old_stack = s.frame("old", 1);
  s.seen(0, A, "first");
  s.seen(0, B);
  s.takes(0, A);
  s.state(0, B, waiting);
  s.stack(5, A, old_stack);
  s.gone(10, A);
  s.holder(10, no_thread, 0);
  s.seen(20, A, "second");
  s.takes(20, A);
  s.end(50);
  const Profile p = s.profile();
  ASSERT_EQ(p.threads.size(), 3U);
  EXPECT_EQ(p.threads[0].name, "first");
  EXPECT_EQ(p.threads[2].name, "second");
  EXPECT_EQ(p.thread(A)->name, "second");
  EXPECT_EQ(p.threads[2].last - p.threads[2].first, ms(30));
  // The second one's time is not booked on a stack of the first.
  EXPECT_EQ(stack_time(p, Weight::hold, A, old_stack), ms(10));
  EXPECT_EQ(stack_time(p, Weight::hold, A, empty_stack), ms(30));
  EXPECT_EQ(stack_time(p, Weight::blame, A, old_stack), ms(10));
  EXPECT_EQ(stack_time(p, Weight::blame, A, empty_stack), ms(30));
}

TEST(Threads, NamesMayComeLate) {
  Stream s;
  s.start();
  s.seen(0, A, "", std::nullopt);
  s.seen(5, A, "Thread-1");
  s.seen(6, A, "");
  s.end(10);
  const Profile p = s.profile();
  ASSERT_EQ(p.threads.size(), 1U);
  EXPECT_EQ(p.threads[0].name, "Thread-1");
  EXPECT_TRUE(p.threads[0].python);
  EXPECT_EQ(p.threads[0].gil, main_gil);
  EXPECT_EQ(p.threads[0].first, at_ms(0));
}

TEST(Threads, AThreadThatLosesItsPythonStateKeepsItsGil) {
  Stream s;
  s.start();
  s.seen(0, A, "a");
  s.state(0, A, waiting);
  s.state(10, A, running);
  s.seen(20, A, "a", std::nullopt);  // on its way out
  s.gone(30, A);
  s.end(30);
  const Profile p = s.profile();
  EXPECT_EQ(p.threads[0].gil, main_gil);
  EXPECT_FALSE(p.threads[0].python);
  EXPECT_EQ(p.gils[0].wait, ms(10));
}

TEST(Threads, TheTimelineMergesEqualNeighbours) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.state(0, A, running);
  s.state(5, A, running);
  s.state(10, A, sleeping);
  s.state(10, A, running);  // an interval without length
  s.state(20, A, sleeping);
  s.end(30);
  const auto intervals = s.profile().timeline.threads.at(A);
  ASSERT_EQ(intervals.size(), 2U);
  EXPECT_EQ(intervals[0].begin, at_ms(0));
  EXPECT_EQ(intervals[0].end, at_ms(20));
  EXPECT_EQ(intervals[0].state, running);
  EXPECT_EQ(intervals[1].end, at_ms(30));
  EXPECT_EQ(intervals[1].state, sleeping);
}

TEST(Threads, TheTimelineOfAGil) {
  Stream s;
  s.start();
  s.seen(0, A);
  s.holder(10, A);
  s.holder(20, A, 2);
  s.holder(30, no_thread, 0);
  s.end(40);
  const auto intervals = s.profile().timeline.gils.at(main_gil);
  ASSERT_EQ(intervals.size(), 3U);
  EXPECT_FALSE(intervals[0].known);
  EXPECT_EQ(intervals[1].holder, A);
  EXPECT_EQ(intervals[1].begin, at_ms(10));
  EXPECT_EQ(intervals[1].end, at_ms(30));
  EXPECT_EQ(intervals[2].holder, no_thread);
  EXPECT_TRUE(intervals[2].known);
  EXPECT_EQ(intervals[2].end, at_ms(40));
}

TEST(Threads, NoTimelineIsKeptWhereNoneIsWanted) {
  Stream s{ProfileBuilder::Options{.keep_timeline = false}};
  alternate(s, 50);
  const Profile p = s.profile();
  EXPECT_TRUE(p.timeline.threads.empty());
  EXPECT_TRUE(p.timeline.gils.empty());
  EXPECT_TRUE(p.timeline.stacks.empty());
  EXPECT_EQ(p.gils[0].held, ms(50));
}

TEST(Threads, AProfileInMidStreamDisturbsNothing) {
  Stream s;
  Stream watched;
  for (Stream* stream : {&s, &watched}) {
    stream->start();
    stream->seen(0, A);
    stream->seen(0, B);
    stream->takes(0, A);
    stream->state(2, B, waiting);
    if (stream == &watched) {
      stream->ticks(7, 7);
      const Profile half = stream->profile();
      EXPECT_EQ(half.end, at_ms(7));
      EXPECT_EQ(half.gils[0].wait, ms(5));
      EXPECT_EQ(time_of_thread(half, A, Activity::holding_running), ms(7));
      EXPECT_EQ(stack_time(half, Weight::hold, A, empty_stack), ms(7));
    }
    stream->stack(9, A, stream->frame("f", 3));
    stream->end(20);
  }
  const Profile p = s.profile();
  const Profile q = watched.profile();
  EXPECT_EQ(p.gils[0].wait, q.gils[0].wait);
  EXPECT_EQ(p.gils[0].longest_hold, q.gils[0].longest_hold);
  EXPECT_EQ(p.thread(B)->waits, q.thread(B)->waits);
  EXPECT_EQ(stack_time(p, Weight::hold, A, StackId{1}), ms(20));
  EXPECT_EQ(stack_time(q, Weight::hold, A, StackId{1}), ms(20));
  EXPECT_EQ(stack_time(q, Weight::blame, A, StackId{1}), ms(18));
}

TEST(Threads, AnExecEndsTheOldThreadsAndLeavesANote) {
  Stream s;
  s.start();
  s.seen(0, A, "old");
  s.takes(0, A);
  s.end(10, EndReason::target_execed);
  EXPECT_EQ(s.profile().end_reason, EndReason::target_execed);
  ProcessStarted again = s.process;
  again.at = at_ms(20);
  again.command = "python other.py";
  s.builder.accept(again);
  s.seen(20, A, "new");
  s.state(20, A, running);
  s.ticks(50, 50);
  const Profile p = s.profile();
  EXPECT_EQ(p.process.command, "python app.py");
  EXPECT_FALSE(p.end_reason);
  ASSERT_EQ(p.notes.size(), 1U);
  EXPECT_EQ(p.notes[0].at, at_ms(20));
  ASSERT_EQ(p.threads.size(), 2U);
  EXPECT_EQ(p.threads[0].last, at_ms(10));
  EXPECT_EQ(p.threads[1].first, at_ms(20));
  EXPECT_EQ(p.gils[0].held, ms(10));
}

}  // namespace
}  // namespace gilspy::testing
