#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_profile.h"

namespace gilspy {
namespace {

using namespace testing;

TEST(Collapsed, WritesALinePerStackWithMicroseconds) {
  EXPECT_EQ(written(collapsed_exporter(), SampleProfile().profile, Weight::hold),
            "MainThread (1000);[no Python stack] 500\n"
            "MainThread (1000);main (main.py:5);work (app.py:20) 2000\n"
            "MainThread (1000);main (main.py:5);work (app.py:21);inner (app.py:31) 1500\n"
            "worker (1001);main (main.py:5);work (app.py:21);inner (app.py:31) 4000\n");
}

TEST(Collapsed, SumsStacksThatReadAlike) {
  SampleProfile sample;
  auto tables = std::make_shared<Tables>();
  Interner names(*tables);
  const StackId one = names.stack(empty_stack, names.code("f", "/a/x.py", 1), 2);
  const StackId other = names.stack(empty_stack, names.code("f", "/b/x.py", 1), 2);
  sample.profile.tables = tables;
  sample.profile.stacks[static_cast<std::size_t>(Weight::cpu)] = {{main_tid, one, ms(1)},
                                                                  {main_tid, other, ms(2)}};
  EXPECT_EQ(written(collapsed_exporter(), sample.profile, Weight::cpu),
            "MainThread (1000);f (x.py:2) 3000\n");
}

TEST(Collapsed, HostileNamesCannotAddFramesOrLines) {
  const SampleProfile sample(hostile, hostile, hostile);
  const std::string text = written(collapsed_exporter(), sample.profile, Weight::hold);
  EXPECT_EQ(std::ranges::count(text, '\n'), 4);
  // Per line: thread; [no stack]. thread; main; work. The two others have inner as well.
  EXPECT_EQ(std::ranges::count(text, ';'), 1 + 2 + 3 + 3);
}

TEST(Collapsed, OfNothingIsEmpty) {
  EXPECT_EQ(written(collapsed_exporter(), empty_profile(), Weight::hold), "");
}

}  // namespace
}  // namespace gilspy
