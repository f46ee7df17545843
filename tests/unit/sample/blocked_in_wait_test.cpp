#include "classify.h"

#include <gtest/gtest.h>

#include <vector>

#include "sample/sights.h"

namespace gilspy {
namespace {

using namespace gilspy::testing;  // NOLINT(google-build-using-namespace): the words of these tests
using Kind = SyscallNow::Kind;

TEST(BlockedInWaitTest, CountsThreadsOnBothConditionVariables) {
  const Lanes lanes{in_cond(state(1)), in_switch_cond(state(2)), in_cond(state(4), 1),
                    in_futex(state(5), RemoteAddress{0x1234})};
  const auto blocked = blocked_in_wait(lanes, 0, held_by({}));
  EXPECT_EQ(blocked.count, 2U);
  EXPECT_TRUE(blocked.certain);
  EXPECT_EQ(blocked_in_wait(lanes, 1, held_by({}, 1)).count, 1U);
  EXPECT_EQ(blocked_in_wait(lanes, 2, held_by({}, 2)).count, 0U);
}

TEST(BlockedInWaitTest, IsCertainWhileOnlyTheHolderRuns) {
  EXPECT_TRUE(blocked_in_wait(Lanes{on_queue(state(1)), in_cond(state(2)), on_queue({}),
                                    in_call(state(3), SYS_read), on_queue(state(4), 1)},
                              0, held_by(state(1)))
                  .certain);
}

TEST(BlockedInWaitTest, IsUncertainWhileAThreadIsOnTheMutex) {
  const auto blocked =
      blocked_in_wait(Lanes{in_cond(state(1)), in_mutex(state(2))}, 0, held_by({}));
  EXPECT_EQ(blocked.count, 2U);
  EXPECT_FALSE(blocked.certain);
}

TEST(BlockedInWaitTest, LeavesOutTheHolderThatWasHandingOver) {
  EXPECT_EQ(blocked_in_wait(Lanes{in_switch_cond(state(1)), in_cond(state(3))}, 0,
                            handed_over(state(1), state(2)))
                .count,
            1U);
}

TEST(BlockedInWaitTest, IsUncertainWhileAnotherThreadRuns) {
  const auto blocked =
      blocked_in_wait(Lanes{in_cond(state(1)), on_queue(state(2))}, 0, held_by(state(9)));
  EXPECT_EQ(blocked.count, 1U);
  EXPECT_FALSE(blocked.certain);
  EXPECT_FALSE(blocked_in_wait(Lanes{on_queue(state(2))}, 0, held_by({})).certain);
}

TEST(BlockedInWaitTest, IsUncertainWhileAThreadCannotBeRead) {
  const Lanes lanes{elsewhere(on_queue(state(1)), Kind::unreadable)};
  EXPECT_FALSE(blocked_in_wait(lanes, 0, held_by({})).certain);
}

TEST(BlockedInWaitTest, IsCertainAboutAThreadThatHandsOver) {
  LaneSight lane = on_queue(state(2));
  lane.handing_over = true;
  EXPECT_TRUE(blocked_in_wait(Lanes{lane}, 0, held_by(state(1))).certain);
}

}  // namespace
}  // namespace gilspy
