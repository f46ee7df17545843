#include "power_watch.h"

#include <gtest/gtest.h>

namespace gilspy {
namespace {

using Power = GilMoment::Power;
using std::chrono::milliseconds;

class PowerWatchTest : public testing::Test {
 protected:
  std::optional<std::string> look(Power power, Duration after = milliseconds{1}) {
    at_ += after;
    return watch_.follow(at_, power, [this] { return importing_; });
  }

  std::optional<std::string> importing_;

 private:
  PowerWatch watch_;
  Time at_{std::chrono::seconds{100}};
};

TEST_F(PowerWatchTest, SaysForWhichImportTheGilCameOnForGood) {
  EXPECT_EQ(look(Power::off), std::nullopt);
  importing_ = "needs_it";
  EXPECT_EQ(look(Power::importing), std::nullopt);
  importing_.reset();  // the import is over by the time it is on for good
  EXPECT_EQ(look(Power::on), "the GIL was switched on (import of needs_it)");
  EXPECT_EQ(look(Power::on), std::nullopt);
}

TEST_F(PowerWatchTest, SaysItWithoutAnImportWhenNoneWasSeen) {
  EXPECT_EQ(look(Power::off), std::nullopt);
  EXPECT_EQ(look(Power::on), "the GIL was switched on");
}

TEST_F(PowerWatchTest, WhatTheFirstLookFindsIsNoChange) {
  EXPECT_EQ(look(Power::on), std::nullopt);
}

TEST_F(PowerWatchTest, AnImportThatKeptTheGilForLongIsTold) {
  EXPECT_EQ(look(Power::off), std::nullopt);
  importing_ = "huge";
  EXPECT_EQ(look(Power::importing), std::nullopt);
  EXPECT_EQ(look(Power::importing, milliseconds{400}), std::nullopt);
  EXPECT_EQ(look(Power::off, milliseconds{400}), "the GIL was on for 800 ms (import of huge)");
}

TEST_F(PowerWatchTest, TheMomentsOfEveryImportAreNot) {
  EXPECT_EQ(look(Power::off), std::nullopt);
  importing_ = "small";
  EXPECT_EQ(look(Power::importing), std::nullopt);
  EXPECT_EQ(look(Power::off, milliseconds{2}), std::nullopt);
  // Nor is that import blamed for what comes later.
  importing_.reset();
  EXPECT_EQ(look(Power::on), "the GIL was switched on");
}

}  // namespace
}  // namespace gilspy
