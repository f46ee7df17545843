#include "gilspy/os/alarm.h"

#include <gtest/gtest.h>

#include "gilspy/os/move_to_cpu.h"

namespace gilspy::testing {
namespace {

constexpr Duration step = std::chrono::milliseconds{2};

/// Waits for moments so far from each other, saying each time that the next one is a step away.
template <class Between>
void expect_no_early_wakeup(Duration gap, Between between) {
  Alarm alarm;
  Time moment = now() + step;
  for (int i = 0; i < 20; ++i, moment += gap) {
    alarm.wait(moment, moment + step);
    EXPECT_GE(now(), moment);
    between();
  }
}

TEST(Alarm, WakesAtOneMomentAfterTheOther) {
  expect_no_early_wakeup(step, [] {});
}

/// The one that was set ahead must not wake it for a moment that it was not set for.
TEST(Alarm, MayBeToldOfAnotherMomentThanBefore) {
  expect_no_early_wakeup(2 * step, [] {});
}

TEST(Alarm, AnExpectedMomentThatIsNotWaitedForWakesNobody) {
  Alarm alarm;
  const Time start = now();
  alarm.wait(start + step, start + 2 * step);
  alarm.wait(start - step, start + step);
  alarm.wait(start + 4 * step, start + 5 * step);
  EXPECT_GE(now(), start + 4 * step);
}

TEST(Alarm, DoesNotWaitForWhatIsOver) {
  Alarm alarm;
  const Time start = now();
  alarm.wait(start - step, start + std::chrono::hours{1});
  EXPECT_LT(now() - start, std::chrono::minutes{1});
}

TEST(Alarm, WakesAfterAMoveToAnotherCpu) {
  expect_no_early_wakeup(step, [] { leave_cpu(); });
}

}  // namespace
}  // namespace gilspy::testing
