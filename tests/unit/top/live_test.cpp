#include "gilspy/top/live.h"

#include <gtest/gtest.h>

#include "states.h"

namespace gilspy::top::testing {
namespace {

/// All that the view shows of a profile.
void expect_same_figures(const Profile& a, const Profile& b) {
  EXPECT_EQ(a.wall(), b.wall());
  EXPECT_EQ(a.progress.ticks, b.progress.ticks);
  EXPECT_EQ(a.verdict.text, b.verdict.text);
  EXPECT_EQ(a.potential, b.potential);
  ASSERT_EQ(a.gils.size(), b.gils.size());
  for (std::size_t i = 0; i < a.gils.size(); ++i) {
    EXPECT_EQ(a.gils[i].held, b.gils[i].held);
    EXPECT_EQ(a.gils[i].contended, b.gils[i].contended);
    EXPECT_EQ(a.gils[i].wait, b.gils[i].wait);
    EXPECT_EQ(a.gils[i].handoffs, b.gils[i].handoffs);
    EXPECT_EQ(a.gils[i].longest_hold, b.gils[i].longest_hold);
    EXPECT_EQ(a.gils[i].longest_wait, b.gils[i].longest_wait);
  }
  ASSERT_EQ(a.threads.size(), b.threads.size());
  for (std::size_t i = 0; i < a.threads.size(); ++i) {
    EXPECT_EQ(a.threads[i].tid, b.threads[i].tid);
    EXPECT_EQ(a.threads[i].times, b.threads[i].times);
    EXPECT_EQ(a.threads[i].longest_wait, b.threads[i].longest_wait);
    EXPECT_EQ(a.threads[i].holds, b.threads[i].holds);
  }
  ASSERT_EQ(a.blame.size(), b.blame.size());
  for (std::size_t i = 0; i < a.blame.size(); ++i) EXPECT_EQ(a.blame[i].time, b.blame[i].time);
  for (const Weight weight : {Weight::hold, Weight::blame, Weight::cpu}) {
    ASSERT_EQ(a.stacks_by(weight).size(), b.stacks_by(weight).size());
    for (std::size_t i = 0; i < a.stacks_by(weight).size(); ++i) {
      EXPECT_EQ(a.stacks_by(weight)[i].stack, b.stacks_by(weight)[i].stack);
      EXPECT_EQ(a.stacks_by(weight)[i].time, b.stacks_by(weight)[i].time);
    }
  }
}

TEST(Live, TheWindowIsAsLongAsSaidAndSlides) {
  Live live{std::chrono::seconds{10}};
  fight(live, 45'000);
  const Profile window = live.view(Reach::window).profile;
  EXPECT_GE(window.wall(), ms(10'000));
  EXPECT_LE(window.wall(), ms(12'100));
  EXPECT_EQ(window.end, at_ms(45'000));
  EXPECT_EQ(live.view(Reach::whole).profile.wall(), ms(45'000));
}

TEST(Live, TheWholeIsWhatAttachWouldSay) {
  Live live{std::chrono::seconds{10}};
  fight(live, 5000);
  ProfileBuilder attach;
  fight(attach, 5000);
  expect_same_figures(live.view(Reach::whole).profile, attach.profile());
}

TEST(Live, TheWindowIsWhatItsRecordingSays) {
  Live live{std::chrono::seconds{3}};
  fight(live, 20'000);
  ProfileBuilder replayed;
  live.recording().replay_into(replayed);
  const Profile of_recording = replayed.profile();
  EXPECT_LE(of_recording.wall(), ms(3700));
  EXPECT_EQ(of_recording.end_reason, EndReason::requested);
  // Both clocks still agree on when that was.
  EXPECT_EQ(of_recording.process.unix_ns - 1'700'000'000'000'000'000,
            (of_recording.begin - at_ms(0)).count());
  expect_same_figures(live.view(Reach::window).profile, of_recording);
}

// By the workload's design: each holds half of the time and waits for the other half.
TEST(Live, FiguresOfAWindowInTheMiddleOfAWait) {
  Live live{std::chrono::seconds{2}};
  fight(live, 7000);
  const Profile window = live.view(Reach::window).profile;
  EXPECT_EQ(window.gils[0].held, window.wall());
  EXPECT_EQ(window.gils[0].contended, window.wall());
  EXPECT_NEAR(to_seconds(time_in(window.thread(alpha)->times, Activity::waiting)),
              to_seconds(window.wall()) / 2, 0.01);
  EXPECT_EQ(time_in(window.thread(idle)->times, Activity::blocked), window.wall());
  EXPECT_EQ(window.gils[0].longest_wait, ms(5));
  EXPECT_NEAR(static_cast<double>(window.gils[0].handoffs), 200 * to_seconds(window.wall()), 2);
}

TEST(Live, TimePassesForThreadsOfWhichNothingIsSaid) {
  Live live{std::chrono::seconds{10}};
  Stream stream{live};
  stream.thread(0, idle, "idle", sleeping);
  const StackId parked = stream.frame("park", 5);
  for (double t = 0; t <= 3000; t += 10) stream.stack(t, idle, parked);
  const Profile window = live.view(Reach::window).profile;
  EXPECT_EQ(window.wall(), ms(3000));
  EXPECT_EQ(time_in(window.threads.at(0).times, Activity::blocked), ms(3000));
}

TEST(Live, AResetBeginsTheWindowAnewAndNothingElse) {
  Live live{std::chrono::seconds{10}};
  fight(live, 3000);
  live.reset_window();
  EXPECT_EQ(live.view(Reach::window).profile.wall(), Duration{});
  EXPECT_EQ(live.view(Reach::whole).profile.wall(), ms(3000));
  EXPECT_EQ(live.view(Reach::window).profile.threads.size(), 3U);
}

TEST(Live, ARecordingStaysAsItWasTaken) {
  Live live{std::chrono::seconds{10}};
  Stream stream{live};
  stream.thread(0, alpha, "alpha", running);
  stream.state(1000, alpha, sleeping);
  const WindowRecording recording = live.recording();
  stream.state(1500, alpha, running);
  stream.state(2000, alpha, sleeping);
  ProfileBuilder replayed;
  recording.replay_into(replayed);
  EXPECT_EQ(replayed.profile().wall(), ms(1000));
}

TEST(Live, StripsAreWhatTheThreadsDidInEachSlot) {
  Live live{std::chrono::seconds{10}};
  Stream stream{live};
  stream.thread(0, alpha, "alpha", sleeping);
  stream.state(250, alpha, running);
  stream.state(437.5, alpha, sleeping);  // three quarters of the slot
  stream.state(750, alpha, sleeping);
  const auto strip = live.view(Reach::window).threads.at(alpha).strip;
  ASSERT_EQ(strip.size(), 3U);
  EXPECT_EQ(strip[0], (Slot{Activity::blocked, Activity::blocked, 8, true}));
  EXPECT_EQ(strip[1], (Slot{Activity::running, Activity::blocked, 6, true}));
  EXPECT_EQ(strip[2], (Slot{Activity::blocked, Activity::blocked, 8, true}));
}

TEST(Live, HistoryOfTheGil) {
  Live live{std::chrono::seconds{10}};
  Stream stream{live};
  stream.thread(0, alpha, "alpha", sleeping);
  stream.thread(0, beta, "beta", sleeping);
  stream.holder(0, no_thread);
  stream.holder(250, alpha);
  stream.state(375, beta, waiting);
  stream.state(500, alpha, holding);
  const GilHistory history = live.view(Reach::window).gils.at(main_gil);
  EXPECT_EQ(history.held, (std::vector<double>{0, 1}));
  EXPECT_EQ(history.contended, (std::vector<double>{0, 0.5}));
  EXPECT_EQ(history.waiters, 1);
}

TEST(Live, ThreadsThatComeAndGoDoNotPileUp) {
  Live live{std::chrono::seconds{2}};
  Stream stream{live};
  for (int i = 0; i < 20'000; ++i) {
    stream.thread(i, Tid{1000 + i}, "short", running);
    stream.gone(i + 0.5, Tid{1000 + i});
  }
  EXPECT_LE(live.view(Reach::window).profile.threads.size(), 2500U);
  EXPECT_LE(live.view(Reach::whole).profile.threads.size(), 5001U);
  EXPECT_TRUE(live.view(Reach::whole).threads.empty());
}

TEST(Live, AnotherProgramInTheSameProcessIsAnotherRun) {
  Live live{std::chrono::seconds{10}};
  fight(live, 2000);
  Stream again{live};
  again.thread(0, alpha, "other", running);
  const View view = live.view(Reach::whole);
  EXPECT_EQ(view.profile.threads.size(), 1U);
  EXPECT_EQ(view.threads.size(), 1U);
}

TEST(Live, AfterTheEndTheLastViewStays) {
  Live live{std::chrono::seconds{10}};
  {
    Stream stream{live};
    stream.thread(0, alpha, "alpha", holding);
    stream.holder(0, alpha);
    stream.progress(1000);
    stream.end(1000);
  }
  const View view = live.view(Reach::window);
  EXPECT_EQ(view.profile.wall(), ms(1000));
  EXPECT_EQ(view.profile.gils[0].held, ms(1000));
  EXPECT_EQ(view.threads.size(), 1U);
  ProfileBuilder replayed;
  live.recording().replay_into(replayed);
  EXPECT_EQ(replayed.profile().end_reason, EndReason::target_ended);
}

}  // namespace
}  // namespace gilspy::top::testing
