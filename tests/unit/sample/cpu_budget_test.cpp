#include "cpu_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace gilspy {
namespace {

using Rates = CpuBudget::Rates;

/// A sampler whose ticks and stacks each take so long.
class CpuBudgetTest : public ::testing::Test {
 protected:
  /// One period; how large a share of a core it took.
  double pass(CpuBudget& budget) {
    const double tick_us = 1e6 * per_tick;
    const double ticks_per_second = rates.state_hz > 0 ? rates.state_hz : 1e6 / tick_us;
    const double stacks = rates.stack_hz > 0 ? rates.stack_hz : ticks_per_second;
    const double used = std::min(1.0, ticks_per_second * per_tick + stacks * per_stack);
    const double seconds = to_seconds(CpuBudget::period);
    const auto cpu = Duration{static_cast<std::int64_t>(used * seconds * 1e9)};
    const auto ticks = static_cast<std::uint64_t>(ticks_per_second * seconds);
    if (const auto changed = budget.spent(cpu, CpuBudget::period, ticks)) {
      EXPECT_NE(*changed, rates);
      rates = *changed;
      seen.push_back(rates);
    }
    return used;
  }
  double pass(CpuBudget& budget, int periods) {
    double used = 0;
    for (int i = 0; i < periods; ++i) used = pass(budget);
    return used;
  }

  Rates rates{1000, 100};
  double per_tick = 20e-6;
  double per_stack = 20e-6;
  std::vector<Rates> seen;
};

TEST_F(CpuBudgetTest, RatesThatFitStay) {
  CpuBudget budget{0.05, rates};
  pass(budget, 50);
  EXPECT_TRUE(seen.empty());
}

TEST_F(CpuBudgetTest, StacksGoFirstAndStatesOnlyWhenThatIsNotEnough) {
  CpuBudget budget{0.021, rates};
  pass(budget, 20);
  EXPECT_EQ(rates.state_hz, 1000);
  EXPECT_LT(rates.stack_hz, 100);

  CpuBudget smaller{0.005, rates = {1000, 100}};
  seen.clear();
  EXPECT_LE(pass(smaller, 40), 0.005);
  EXPECT_EQ(rates.stack_hz, 1);
  EXPECT_LT(rates.state_hz, 1000);
  for (const Rates& at : seen) {
    EXPECT_TRUE(at.state_hz == 1000 || at.stack_hz == 1);
  }
}

TEST_F(CpuBudgetTest, TheyRiseAgainToWhatWasAskedFor) {
  CpuBudget budget{0.01, rates};
  per_tick = 200e-6;
  EXPECT_LE(pass(budget, 40), 0.01);
  EXPECT_LT(rates.state_hz, 100);
  per_tick = 1e-6;
  per_stack = 1e-6;
  seen.clear();
  pass(budget, 40);
  EXPECT_EQ(rates, (Rates{1000, 100}));
  // The states first.
  for (const Rates& at : seen) {
    EXPECT_TRUE(at.stack_hz == 1 || at.state_hz == 1000);
  }
}

TEST_F(CpuBudgetTest, OnceThingsAreStillTheRatesAreToo) {
  for (const double share : {0.001, 0.003, 0.01, 0.02}) {
    rates = {1000, 100};
    CpuBudget budget{share, rates};
    pass(budget, 100);
    seen.clear();
    pass(budget, 100);
    EXPECT_TRUE(seen.empty()) << share;
  }
}

TEST_F(CpuBudgetTest, AsFastAsItGoesBecomesARate) {
  CpuBudget budget{0.1, rates = {0, 0}};
  EXPECT_LE(pass(budget, 30), 0.1);
  EXPECT_EQ(rates.stack_hz, 1);
  EXPECT_GT(rates.state_hz, 1000);
  EXPECT_LE(rates.state_hz, 5000);
}

TEST_F(CpuBudgetTest, NothingFallsBelowItsLeast) {
  CpuBudget budget{1e-9, rates = {1000, 100}};
  pass(budget, 100);
  EXPECT_EQ(rates, (Rates{10, 1}));
  CpuBudget slow{1e-9, rates = {5, 0.5}};
  pass(slow, 100);
  EXPECT_EQ(rates, (Rates{5, 0.5}));
}

}  // namespace
}  // namespace gilspy
