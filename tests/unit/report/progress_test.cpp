#include "gilspy/report/progress.h"

#include <gtest/gtest.h>

#include "event_helpers.h"

namespace gilspy::testing {
namespace {

constexpr Tid one{1};
constexpr Tid two{2};
constexpr GilId gil{0};

ProcessStarted process(bool gil_enabled = true) {
  ProcessStarted started;
  started.at = at_ms(0);
  started.pid = Pid{1};
  started.gil_enabled = gil_enabled;
  return started;
}

TEST(RunningFigures, HeldSinceTheLastLineAndWaitersNow) {
  RunningFigures figures;
  figures.accept(process());
  figures.accept(GilChanged{at_ms(0), gil, one, true, 1});
  figures.accept(StateChanged{at_ms(0), two, waiting});
  figures.accept(GilChanged{at_ms(750), gil, no_thread, true, 1});
  figures.accept(Progress{at_ms(1000), 990});
  EXPECT_EQ(figures.line(), "1 s, 990 ticks, GIL held 75 %, 1 thread waiting");

  figures.accept(GilChanged{at_ms(1500), gil, two, true, 1});
  figures.accept(StateChanged{at_ms(1500), two, holding});
  figures.accept(Progress{at_ms(2000), 1980});
  EXPECT_EQ(figures.line(), "2 s, 1980 ticks, GIL held 50 %, 0 threads waiting");
}

TEST(RunningFigures, AnUnknownHolderHoldsNothing) {
  RunningFigures figures;
  figures.accept(process());
  figures.accept(GilChanged{at_ms(0), gil, one, false, 0});
  figures.accept(Progress{at_ms(1000), 1000});
  EXPECT_EQ(figures.line(), "1 s, 1000 ticks, GIL held 0 %, 0 threads waiting");
}

TEST(RunningFigures, OfTwoGilsTheOneHeldMost) {
  RunningFigures figures;
  figures.accept(process());
  figures.accept(GilChanged{at_ms(0), gil, one, true, 1});
  figures.accept(GilChanged{at_ms(600), GilId{1}, two, true, 1});
  figures.accept(Progress{at_ms(1000), 1000});
  EXPECT_EQ(figures.line(), "1 s, 1000 ticks, GIL held 100 %, 0 threads waiting");
}

TEST(RunningFigures, ThreadsThatEndAndProgramsThatExecWaitNoMore) {
  RunningFigures figures;
  figures.accept(process());
  figures.accept(StateChanged{at_ms(0), one, waiting});
  figures.accept(StateChanged{at_ms(0), two, waiting});
  figures.accept(ThreadGone{at_ms(1), one});
  EXPECT_EQ(figures.line(), "0 s, 0 ticks, GIL held 0 %, 1 thread waiting");
  figures.accept(process());
  EXPECT_EQ(figures.line(), "0 s, 0 ticks, GIL held 0 %, 0 threads waiting");
}

TEST(RunningFigures, NoGil) {
  RunningFigures figures;
  figures.accept(process(false));
  figures.accept(Progress{at_ms(3000), 5});
  EXPECT_EQ(figures.line(), "3 s, 5 ticks, no GIL");
  EXPECT_EQ(RunningFigures{}.line(), "0 s, 0 ticks, GIL held 0 %, 0 threads waiting");
}

}  // namespace
}  // namespace gilspy::testing
