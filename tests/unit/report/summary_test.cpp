#include "gilspy/report/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "event_helpers.h"
#include "gilspy/profile/profile_builder.h"

namespace gilspy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string summary(const Profile& profile, bool color = false) {
  std::ostringstream out;
  summary_exporter().write(profile, {.color = color}, out);
  return out.str();
}

ProcessStarted started() {
  ProcessStarted process;
  process.at = at_ms(0);
  process.pid = Pid{4242};
  process.command = "python app.py";
  process.python = "3.12.1";
  process.gil_enabled = true;
  process.cores = 2;
  process.requested_hz = 1000;
  process.switch_interval = std::chrono::milliseconds{5};
  return process;
}

/// The worker holds for 600 ms, the main thread waits for them; then the other way round for 300
/// ms.
class Summary : public ::testing::Test {
 protected:
  void feed(const ProcessStarted& process) {
    const GilId gil{0};
    const Pid pid{4242};
    builder.accept(process);
    builder.accept(GilDefined{gil, pid, names.string("main")});
    builder.accept(ThreadSeen{at_ms(0), pid, main_thread, names.string("MainThread"), true, gil});
    builder.accept(ThreadSeen{at_ms(0), pid, worker, names.string("worker"), true, gil});
    builder.accept(ThreadSeen{at_ms(0), pid, idle, names.string("idle"), true, gil});
    builder.accept(GilChanged{at_ms(0), gil, worker, true, 1});
    builder.accept(StateChanged{at_ms(0), worker, holding});
    builder.accept(StateChanged{at_ms(0), main_thread, waiting});
    builder.accept(StateChanged{at_ms(0), idle, sleeping});
    builder.accept(StackSampled{at_ms(300), worker, frame("crunch", 31)});
    builder.accept(GilChanged{at_ms(600), gil, main_thread, true, 1});
    builder.accept(StateChanged{at_ms(600), worker, waiting});
    builder.accept(StateChanged{at_ms(600), main_thread, holding});
    builder.accept(StackSampled{at_ms(700), main_thread, frame("main", 7)});
    builder.accept(Noted{at_ms(800), pid, "the target was stopped"});
    builder.accept(GilChanged{at_ms(900), gil, no_thread, true, 0});
    builder.accept(StateChanged{at_ms(900), worker, sleeping});
    builder.accept(StateChanged{at_ms(900), main_thread, sleeping});
    builder.accept(Progress{at_ms(1000), 998, 2, 1, 3, 100, 4, std::chrono::milliseconds{12},
                            StackTrouble{12, 30, {3, 0, 0, 1, 0}}});
  }
  StackId frame(std::string_view function, std::uint32_t line) {
    return names.stack(empty_stack, names.code(function, "/app/worker.py", 1), line);
  }

  static constexpr Tid main_thread{4242};
  static constexpr Tid worker{4243};
  static constexpr Tid idle{4244};
  ProfileBuilder builder;
  Interner names{builder};
};

TEST_F(Summary, Plain) {
  feed(started());
  builder.accept(ProcessEnded{at_ms(1000), Pid{4242}, EndReason::target_ended});
  EXPECT_EQ(
      summary(builder.profile()),
      R"(GIL-bound: the GIL was held 90 % of the time, and for 90 % of the time at least one thread waited for it. Without the GIL this could run up to 2.0 times as fast on 2 cores.

Process 4242, Python 3.12.1: python app.py
Watched for 1.00 s, to the end of the process
GIL      held 90.0 %   contended 90.0 %   waits 900 ms in all
         hand-offs 2.0/s (2 forced)   longest hold 600 ms   longest wait 600 ms
         without it up to 2.0 times as fast on 2 cores

Threads, in per cent of each one's own time
  thread       tid   alive  hold %  wait %  run %  blocked %
  MainThread  4242  1.00 s    30.0    60.0    0.0       10.0
  worker      4243  1.00 s    60.0    30.0    0.0       10.0
  idle        4244  1.00 s     0.0     0.0    0.0      100.0

Worst blockers
  worker.py:31 crunch  kept others waiting 600 ms (67 % of all waiting)
  worker.py:7 main     kept others waiting 300 ms (33 % of all waiting)

Notes
  +0.80 s  the target was stopped

Sampling: 1000 Hz asked, 998 achieved, 998 ticks, 2 missed, 1 unstable, 100 stacks (4 dropped: 3 changed meanwhile, 1 thread gone; 12 read again, 30 times in all), gilspy used 1.2 % of a core
          holds and waits below 1.00 ms are not seen one by one
)");
}

TEST_F(Summary, ColourOnlyWhereWanted) {
  feed(started());
  EXPECT_THAT(summary(builder.profile(), true), StartsWith("\x1b[1;31mGIL-bound: "));
  EXPECT_THAT(summary(builder.profile(), true), HasSubstr("waiting)\n\n\x1b[1mNotes\x1b[0m\n"));
  EXPECT_THAT(summary(builder.profile(), false), Not(HasSubstr("\x1b")));
}

TEST_F(Summary, ARecordingCutShortSaysSo) {
  feed(started());
  EXPECT_THAT(summary(builder.profile()), HasSubstr("Watched for 1.00 s, cut short"));
}

TEST_F(Summary, HostileNamesCannotSteerTheTerminal) {
  ProcessStarted process = started();
  process.command = "python \x1b]0;owned\x07";
  process.python = "3\x1b.1";
  feed(process);
  builder.accept(ThreadSeen{at_ms(1000), Pid{1}, worker, names.string("\x1b[2J"), true, GilId{0}});
  builder.accept(Noted{at_ms(1000), Pid{1}, "\x1b[2J"});
  const std::string text = summary(builder.profile());
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\x07")));
  EXPECT_THAT(text, HasSubstr("\n  \\x1b[2J     4243"));
}

TEST_F(Summary, TimeThatIsNobodysIsShown) {
  feed(started());
  builder.accept(GilChanged{at_ms(1000), GilId{0}, no_thread, false, 0});
  builder.accept(StateChanged{at_ms(1000), worker, waiting});
  builder.accept(StateChanged{at_ms(1000), idle, unknown_state});
  builder.accept(Progress{at_ms(1100), 1098});
  const std::string text = summary(builder.profile());
  EXPECT_THAT(text, HasSubstr("waits 1.00 s in all   unknown 9.1 %\n"));
  EXPECT_THAT(text, HasSubstr("blocked %  unknown %\n"));
  EXPECT_THAT(text, HasSubstr("  (nobody held it, or unknown)  kept others waiting 100 ms (10 % "));
}

TEST_F(Summary, ManyThreadsEndInOneRow) {
  builder.accept(started());
  for (int i = 0; i < 300; ++i) {
    const Tid tid{5000 + i};
    builder.accept(ThreadSeen{at_ms(0), Pid{4242}, tid, names.string("t"), true, std::nullopt});
    builder.accept(StateChanged{at_ms(0), tid, i < 20 ? running : sleeping});
  }
  builder.accept(StateChanged{at_ms(500), Tid{5299}, running});
  builder.accept(StateChanged{at_ms(600), Tid{5299}, sleeping});
  builder.accept(Progress{at_ms(1000), 1000});
  const std::string text = summary(builder.profile());
  EXPECT_THAT(
      text,
      HasSubstr("\n  t                     5019    1.00 s     0.0     0.0  100.0        0.0\n"));
  // 0.1 of 280 seconds: 0.036 %, which rounds to nothing.
  EXPECT_THAT(
      text,
      HasSubstr("\n  and 280 more threads        280.00 s     0.0     0.0    0.0      100.0\n"));
  EXPECT_THAT(text, Not(HasSubstr("5020")));
}

TEST_F(Summary, SharesOfARowAddUp) {
  builder.accept(started());
  builder.accept(ThreadSeen{at_ms(0), Pid{4242}, worker, names.string("t"), true, std::nullopt});
  builder.accept(StateChanged{at_ms(0), worker, running});
  builder.accept(StateChanged{at_ms(100), worker, sleeping});
  builder.accept(StateChanged{at_ms(200), worker, waiting});
  builder.accept(Progress{at_ms(300), 300});
  EXPECT_THAT(summary(builder.profile()), HasSubstr("0.0    33.4   33.3       33.3\n"));
}

TEST_F(Summary, SaysWhatTheKernelsRecordsTold) {
  builder.accept(started());
  builder.accept(Traced{at_ms(500), Pid{4242}, TraceSource::exact, 1});
  EXPECT_THAT(
      summary(builder.profile()),
      HasSubstr("waits and time on CPUs exact from the kernel (1 record lost), gilspy used"));
  builder.accept(Traced{at_ms(600), Pid{4242}, TraceSource::switches, 7});
  EXPECT_THAT(summary(builder.profile()),
              HasSubstr("time on CPUs exact from the kernel (7 records lost), waits sampled"));
  builder.accept(Traced{at_ms(700), Pid{4242}, TraceSource::sampled, 0});
  EXPECT_THAT(summary(builder.profile()),
              HasSubstr("waits sampled, as the kernel's records may not be had"));
}

TEST_F(Summary, SaysHowLateTheTicksWere) {
  builder.accept(started());
  builder.accept(Progress{at_ms(1000), 100, 9});
  EXPECT_THAT(summary(builder.profile()), AllOf(HasSubstr("9 missed, "), Not(HasSubstr("late"))));
  builder.accept(
      LatenessCounted{at_ms(1000), {0, 0, 0, 0, 0, 100}, std::chrono::milliseconds{3}, 5});
  const std::string text = summary(builder.profile());
  EXPECT_THAT(text, HasSubstr("9 missed (5 as the recording could not be written as fast), "));
  // That bucket is from 2.048 us to 2.56.
  EXPECT_THAT(text, HasSubstr("half of the ticks were no more than 2.30 us late, 99 % 2.55 us, "
                              "the worst 3.00 ms\n"));
}

TEST_F(Summary, WithoutAGil) {
  ProcessStarted process = started();
  process.free_threaded = true;
  process.gil_enabled = false;
  process.requested_hz = 0;
  builder.accept(process);
  const std::string text = summary(builder.profile());
  EXPECT_THAT(text, HasSubstr("Python 3.12.1 free-threaded: python app.py\n"));
  EXPECT_THAT(text, HasSubstr("GIL      off\n"));
  EXPECT_THAT(text, HasSubstr("Sampling: as many Hz as go asked, 0 achieved"));
}

}  // namespace
}  // namespace gilspy::testing
