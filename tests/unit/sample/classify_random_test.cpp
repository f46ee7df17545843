#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "classify.h"
#include "sample/sights.h"

namespace gilspy {
namespace {

using namespace gilspy::testing;  // NOLINT(google-build-using-namespace): the words of these tests

/// What a tick might see, sensible or not: each thread state belongs to one thread.
struct Scene {
  std::vector<LaneSight> lanes;
  std::vector<GilSight> gils;
};

class Director {
 public:
  explicit Director(std::uint32_t seed) : random_(seed) {}

  Scene scene() {
    Scene scene;
    const std::size_t threads = below(9);
    for (std::size_t gil = 0; gil < below(4); ++gil) scene.gils.push_back(some_gil(gil, threads));
    for (std::size_t i = 0; i < threads; ++i) scene.lanes.push_back(some_lane(i));
    return scene;
  }

 private:
  std::size_t below(std::size_t end) { return random_() % end; }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }

  RemoteAddress some_state(std::size_t threads) {
    return chance(4) ? RemoteAddress{} : state(below(threads + 2));
  }

  GilSight some_gil(std::size_t index, std::size_t threads) {
    GilSight gil = held_by(some_state(threads), index);
    gil.stable = !chance(4);
    if (!gil.stable) gil.after = held_by(some_state(threads), index).moment;
    gil.moment.power = chance(8) ? GilMoment::Power::off : GilMoment::Power::on;
    if (!chance(3)) gil.cond_waiters = static_cast<std::uint32_t>(chance(9) ? random_() : below(6));
    return gil;
  }

  LaneSight some_lane(std::size_t number) {
    const RemoteAddress own = chance(5) ? RemoteAddress{} : state(number);
    const std::size_t gil = below(3);
    LaneSight lane = on_queue(own, gil);
    switch (below(8)) {
      case 0: lane = in_cond(own, gil); break;
      case 1: lane = in_switch_cond(own, gil); break;
      case 2: lane = in_mutex(own, gil); break;
      case 3: lane = in_futex(own, RemoteAddress{random_()}, gil); break;
      case 4: lane = in_call(own, static_cast<std::int16_t>(below(470)), random_(), gil); break;
      case 5: lane.syscall.kind = static_cast<SyscallNow::Kind>(below(5)); break;
      default: break;
    }
    lane.lacks_cpu = chance(3);
    lane.handing_over = chance(6);
    lane.stopped = chance(8);
    lane.waited_before = chance(2);
    lane.waits_since = chance(4);
    lane.worked_since = chance(3);
    return lane;
  }

  std::mt19937_64 random_;
};

class RandomScenes : public ::testing::Test {
 protected:
  static void for_each(const std::function<void(const Scene&)>& look) {
    Director director{42};
    for (int round = 0; round < 5000 && !HasFailure(); ++round) look(director.scene());
  }
};

TEST_F(RandomScenes, GiveEachThreadOneState) {
  for_each([](const Scene& scene) {
    EXPECT_EQ(classify(scene.lanes, scene.gils).size(), scene.lanes.size());
  });
}

TEST_F(RandomScenes, HaveNoMoreThanOneHolderOfAGilAndOnlyTheRightOne) {
  for_each([](const Scene& scene) {
    const auto states = classify(scene.lanes, scene.gils);
    std::vector<int> holders(scene.gils.size());
    for (std::size_t i = 0; i < states.size(); ++i) {
      if (states[i].gil != GilState::holding) continue;
      const LaneSight& lane = scene.lanes[i];
      ASSERT_LT(lane.gil, scene.gils.size());
      EXPECT_TRUE(scene.gils[lane.gil].moment.enabled());
      EXPECT_EQ(lane.thread_state, scene.gils[lane.gil].moment.holder());
      EXPECT_EQ(++holders[lane.gil], 1);
    }
  });
}

TEST_F(RandomScenes, HaveAGilStateExactlyForThreadsThatHaveAGil) {
  for_each([](const Scene& scene) {
    const auto states = classify(scene.lanes, scene.gils);
    for (std::size_t i = 0; i < states.size(); ++i) {
      const LaneSight& lane = scene.lanes[i];
      const bool has_gil = !lane.thread_state.is_null() && lane.gil < scene.gils.size() &&
                           scene.gils[lane.gil].moment.enabled();
      EXPECT_EQ(states[i].gil != GilState::none, has_gil);
    }
  });
}

TEST_F(RandomScenes, TellASystemCallExactlyOfBlockedThreads) {
  for_each([](const Scene& scene) {
    const auto states = classify(scene.lanes, scene.gils);
    for (std::size_t i = 0; i < states.size(); ++i) {
      const bool in_call = scene.lanes[i].syscall.kind == SyscallNow::Kind::in_syscall;
      EXPECT_EQ(states[i].cpu == CpuState::stopped, scene.lanes[i].stopped);
      if (states[i].cpu != CpuState::blocked) {
        EXPECT_EQ(states[i].syscall, -1);
        EXPECT_EQ(states[i].kind, BlockKind::none);
      } else if (in_call) {
        EXPECT_EQ(states[i].syscall, scene.lanes[i].syscall.number);
      }
    }
  });
}

TEST_F(RandomScenes, NeverHaveMoreUncountedWaitersThanTheCountLeaves) {
  for_each([](const Scene& scene) {
    const auto states = classify(scene.lanes, scene.gils);
    for (std::size_t gil = 0; gil < scene.gils.size(); ++gil) {
      const auto blocked = blocked_in_wait(scene.lanes, gil, scene.gils[gil]);
      std::uint32_t on_run_queue = 0;
      for (std::size_t i = 0; i < states.size(); ++i) {
        const LaneSight& lane = scene.lanes[i];
        const GilSight& sight = scene.gils[gil];
        // Told by the hand-off itself.
        const bool took_it = !sight.stable && lane.thread_state == sight.after.holder();
        if (lane.gil == gil && states[i].gil == GilState::waiting && !lane.handing_over &&
            !took_it && lane.syscall.kind == SyscallNow::Kind::running) {
          ++on_run_queue;
        }
      }
      const auto counted = scene.gils[gil].cond_waiters.value_or(0);
      EXPECT_LE(on_run_queue, counted - std::min(counted, blocked.count));
    }
  });
}

TEST_F(RandomScenes, KeepEachGilsThreadsApart) {
  for_each([](const Scene& scene) {
    const auto together = classify(scene.lanes, scene.gils);
    for (std::size_t gil = 0; gil < scene.gils.size(); ++gil) {
      std::vector<LaneSight> lanes;
      std::vector<ThreadState> expected;
      for (std::size_t i = 0; i < scene.lanes.size(); ++i) {
        if (scene.lanes[i].gil != gil) continue;
        lanes.push_back(scene.lanes[i]);
        expected.push_back(together[i]);
      }
      EXPECT_EQ(classify(lanes, scene.gils), expected);
    }
  });
}

}  // namespace
}  // namespace gilspy
