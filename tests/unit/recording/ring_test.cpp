#include "ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace gilspy::recording {
namespace {

TEST(Ring, GivesBackInOrderUntilItIsEmpty) {
  Ring<int, 3> ring;
  EXPECT_EQ(ring.pop(), std::nullopt);
  for (int round = 0; round < 5; ++round) {
    int first = 2 * round;
    int second = first + 1;
    EXPECT_TRUE(ring.push(first));
    EXPECT_TRUE(ring.push(second));
    EXPECT_EQ(ring.size(), 2U);
    EXPECT_EQ(ring.pop(), first);
    EXPECT_EQ(ring.pop(), second);
    EXPECT_EQ(ring.pop(), std::nullopt);
  }
}

TEST(Ring, AFullOneLeavesTheValueWhereItIs) {
  Ring<std::unique_ptr<int>, 2> ring;
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  auto third = std::make_unique<int>(3);
  EXPECT_TRUE(ring.push(first));
  EXPECT_TRUE(ring.push(second));
  EXPECT_FALSE(ring.push(third));
  ASSERT_NE(third, nullptr);
  const auto oldest = ring.pop().value_or(nullptr);
  ASSERT_NE(oldest, nullptr);
  EXPECT_EQ(*oldest, 1);
  EXPECT_TRUE(ring.push(third));
  EXPECT_EQ(third, nullptr);
}

TEST(Ring, TwoThreadsLoseAndMixUpNothing) {
  constexpr int count = 200'000;
  Ring<std::unique_ptr<int>, 4> ring;
  std::thread giving{[&] {
    for (int i = 0; i < count; ++i) {
      auto value = std::make_unique<int>(i);
      while (!ring.push(value)) std::this_thread::yield();
    }
  }};
  int in_order = 0;
  for (int i = 0; i < count; ++i) {
    std::optional<std::unique_ptr<int>> value;
    while (!(value = ring.pop())) std::this_thread::yield();
    in_order += **value == i ? 1 : 0;
  }
  giving.join();
  EXPECT_EQ(in_order, count);
  EXPECT_EQ(ring.size(), 0U);
}

}  // namespace
}  // namespace gilspy::recording
