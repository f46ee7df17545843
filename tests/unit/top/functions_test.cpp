#include "../../../src/top/functions.h"

#include <gtest/gtest.h>

#include "states.h"

namespace gilspy::top::testing {
namespace {

// main calls parse, which calls itself; parse holds the GIL for 60 ms while beta waits for the last
// 20, and main for 40 ms.
TEST(FunctionFigures, OwnIsOnTopAndTotalCountsRecursionOnce) {
  ProfileBuilder builder;
  Stream stream{builder};
  stream.thread(0, alpha, "alpha", holding);
  stream.thread(0, beta, "beta", sleeping);
  stream.holder(0, alpha);
  const StackId main = stream.frame("main", 12);
  const StackId parse = stream.frame("parse", 20, main);
  const StackId parse_again = stream.frame("parse", 20, parse);
  stream.state(40, beta, waiting);
  stream.stack(60, alpha, parse_again);
  stream.state(60, beta, sleeping);
  stream.stack(100, alpha, main);

  const auto rows = function_figures(builder.profile());
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].function, "parse");
  EXPECT_EQ(rows[0].own_hold, ms(60));
  EXPECT_EQ(rows[0].total_hold, ms(60));
  EXPECT_EQ(rows[0].own_blame, ms(20));
  EXPECT_EQ(rows[0].total_blame, ms(20));
  EXPECT_EQ(rows[1].function, "main");
  EXPECT_EQ(rows[1].own_hold, ms(40));
  EXPECT_EQ(rows[1].total_hold, ms(100));
  EXPECT_EQ(rows[1].own_blame, ms(0));
  EXPECT_EQ(rows[1].total_blame, ms(20));
  EXPECT_EQ(rows[1].total_cpu, ms(100));
  EXPECT_EQ(rows[1].file, "/srv/app/worker.py");
  EXPECT_EQ(rows[1].line, 10U);
}

TEST(FunctionFigures, NoneWithoutStacks) {
  ProfileBuilder builder;
  EXPECT_TRUE(function_figures(builder.profile()).empty());
}

}  // namespace
}  // namespace gilspy::top::testing
