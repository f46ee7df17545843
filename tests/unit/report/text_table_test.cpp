#include "../../../src/report/text_table.h"

#include <gtest/gtest.h>

namespace gilspy {
namespace {

TEST(TextTable, AlignByWidth) {
  TextTable table;
  table.column("name", TextTable::Align::left);
  table.column("n", TextTable::Align::right);
  table.row({"\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad", "1"});
  table.row({"b", "100"});
  const auto lines = table.lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "name      n");
  EXPECT_EQ(lines[1], "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad    1");
  EXPECT_EQ(lines[2], "b       100");
}

}  // namespace
}  // namespace gilspy
