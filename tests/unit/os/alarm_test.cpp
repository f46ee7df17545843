#include "gilspy/os/alarm.h"

#include <gtest/gtest.h>

#include "gilspy/os/move_to_cpu.h"

namespace gilspy::testing {
namespace {

constexpr Duration step = std::chrono::milliseconds{2};

TEST(Alarm, WakesAtOneMomentAfterTheOther) {
  Alarm alarm;
  Time moment = now() + step;
  for (int i = 0; i < 20; ++i, moment += step) {
    alarm.wait(moment, moment + step);
    EXPECT_GE(now(), moment);
  }
}

/// The one that was set ahead must not wake it for a moment that it was not set for.
TEST(Alarm, MayBeToldOfAnotherMomentThanBefore) {
  Alarm alarm;
  Time moment = now() + step;
  for (int i = 0; i < 10; ++i, moment += 2 * step) {
    alarm.wait(moment, moment + step);
    EXPECT_GE(now(), moment);
  }
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
  Alarm alarm;
  Time moment = now() + step;
  for (int i = 0; i < 10; ++i, moment += step) {
    alarm.wait(moment, moment + step);
    EXPECT_GE(now(), moment);
    leave_cpu();
  }
}

}  // namespace
}  // namespace gilspy::testing
