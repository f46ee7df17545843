#include "gilspy/python/gil.h"

#include <gtest/gtest.h>

#include <cstring>

#include "layouts.h"

namespace gilspy {
namespace {

constexpr RemoteAddress gil{0x7f0000001000};
constexpr RemoteAddress some_thread{0x7f0000abcde0};

class GilReaderTest : public testing::TestWithParam<int> {
 protected:
  template <class Value, class T>
  void set(Field<T> field, Value value, std::uint64_t beyond = 0) {
    ASSERT_TRUE(field.present());
    const auto offset = static_cast<std::size_t>(field.offset) + beyond;
    ASSERT_LE(offset + sizeof(Value), layout.at.gil.struct_size);
    std::memcpy(bytes.data() + offset, &value, sizeof(Value));
  }
  [[nodiscard]] GilMoment decoded() const { return GilReader{layout, gil}.decode(bytes); }

  Layout layout = *layout_for({3, static_cast<std::uint8_t>(GetParam()), 0}, false);
  const decltype(Offsets::gil)& at = layout.at.gil;
  GilReader::Buffer bytes{};
};

INSTANTIATE_TEST_SUITE_P(Versions, GilReaderTest, testing::ValuesIn(all_minors()));

TEST_P(GilReaderTest, DecodesAHeldGil) {
  set(at.last_holder, some_thread);
  set(at.locked, std::int32_t{1});
  set(at.switch_number, std::uint64_t{0x123456789a});
  const GilMoment moment = decoded();
  EXPECT_TRUE(moment.enabled());
  EXPECT_TRUE(moment.locked);
  EXPECT_EQ(moment.last_holder, some_thread);
  EXPECT_EQ(moment.holder(), some_thread);
  EXPECT_EQ(moment.switch_number, 0x123456789aU);
}

TEST_P(GilReaderTest, DecodesAFreeGil) {
  set(at.last_holder, some_thread);
  EXPECT_FALSE(decoded().locked);
  EXPECT_TRUE(decoded().holder().is_null());
  EXPECT_EQ(decoded().last_holder, some_thread);
  // Not made yet (gil_created()).
  set(at.locked, std::int32_t{-1});
  EXPECT_FALSE(decoded().locked);
}

TEST_P(GilReaderTest, DecodesTheSwitchInterval) {
  set(at.interval, std::uint64_t{5000});
  EXPECT_EQ((GilReader{layout, gil}.switch_interval(bytes)), std::chrono::milliseconds{5});
  set(at.interval, UINT64_MAX);
  EXPECT_GT((GilReader{layout, gil}.switch_interval(bytes)).count(), 0);
}

TEST_P(GilReaderTest, DecodesTheCandidatesForTheNumberOfWaiters) {
  set(at.cond, std::uint32_t{0x111}, 36);
  set(at.cond, std::uint32_t{0x222}, 28);
  set(at.switch_cond, std::uint32_t{0x333}, 36);
  set(at.switch_cond, std::uint32_t{0x444}, 28);
  EXPECT_EQ(decoded().cond_words, (std::array<std::uint32_t, 2>{0x111, 0x222}));
  EXPECT_EQ(decoded().switch_cond_words, (std::array<std::uint32_t, 2>{0x333, 0x444}));
}

TEST_P(GilReaderTest, DecodesWhoUsesTheMutexes) {
  set(at.mutex, std::uint32_t{4711}, 8);
  set(at.mutex, std::uint32_t{5}, 12);
  set(at.switch_mutex, std::uint32_t{2}, 12);
  EXPECT_EQ(decoded().mutex_owner, 4711U);
  EXPECT_EQ(decoded().mutex_users, 7U);
}

TEST_P(GilReaderTest, DecodesTheSwitchOfAFreeThreadedBuild) {
  // As in Python/ceval_gil.h of a free-threaded build: in front of everything else.
  layout.at.gil.enabled = {static_cast<std::int32_t>(layout.at.gil.struct_size)};
  layout.at.gil.struct_size += 8;
  EXPECT_FALSE(decoded().enabled());
  EXPECT_EQ(decoded().power, GilMoment::Power::off);
  // One import in progress may need it; for good it is on at INT_MAX only.
  set(at.enabled, std::int32_t{1});
  EXPECT_EQ(decoded().power, GilMoment::Power::importing);
  EXPECT_FALSE(decoded().enabled());
  set(at.enabled, std::int32_t{INT32_MAX});
  EXPECT_TRUE(decoded().enabled());
}

TEST_P(GilReaderTest, AsksForTheStructAloneAndNoMoreThanTheBuffer) {
  const GilReader reader{layout, gil};
  EXPECT_EQ(reader.slot(bytes).from, gil);
  EXPECT_EQ(reader.slot(bytes).into.data(), bytes.data());
  EXPECT_EQ(reader.slot(bytes).into.size(), layout.at.gil.struct_size);
  layout.at.gil.struct_size = 100'000;
  EXPECT_EQ(reader.slot(bytes).into.size(), bytes.size());
}

TEST_P(GilReaderTest, KnowsWhichFutexesAreTheGils) {
  const GilReader reader{layout, gil};
  const auto is_wait = [&](RemoteAddress address) {
    return reader.is_wait_address(address.value());
  };
  const auto is_cond = [&](RemoteAddress address) {
    return reader.is_cond_address(address.value());
  };
  const RemoteAddress end = gil + at.struct_size;
  EXPECT_FALSE(is_wait({}));
  EXPECT_FALSE(is_wait(gil));
  EXPECT_FALSE(is_wait(at.cond.in(gil)-1));
  EXPECT_TRUE(is_wait(at.cond.in(gil)));
  EXPECT_TRUE(is_wait(at.mutex.in(gil)));
  EXPECT_TRUE(is_wait(at.switch_cond.in(gil)));
  EXPECT_TRUE(is_wait(end - 4));
  EXPECT_FALSE(is_wait(end));
  EXPECT_FALSE(is_wait(RemoteAddress{UINT64_MAX}));

  EXPECT_FALSE(is_cond(at.cond.in(gil)-1));
  EXPECT_TRUE(is_cond(at.cond.in(gil)));
  EXPECT_TRUE(is_cond(at.mutex.in(gil)-1));
  EXPECT_FALSE(is_cond(at.mutex.in(gil)));
  EXPECT_FALSE(is_cond(at.switch_cond.in(gil)-1));
  EXPECT_TRUE(is_cond(at.switch_cond.in(gil)));
  EXPECT_TRUE(is_cond(at.switch_mutex.in(gil)-1));
  EXPECT_FALSE(is_cond(at.switch_mutex.in(gil)));
}

TEST(GilMomentTest, IsOfTheSameHoldWhileNothingThatDecidesDiffers) {
  GilMoment moment;
  moment.locked = true;
  moment.last_holder = some_thread;
  moment.switch_number = 9;
  GilMoment other = moment;
  other.cond_words = {1, 2};
  EXPECT_TRUE(moment.same_hold(other));
  other.locked = false;
  EXPECT_FALSE(moment.same_hold(other));
  other = moment;
  other.switch_number = 10;
  EXPECT_FALSE(moment.same_hold(other));
  other = moment;
  other.last_holder = some_thread + 8;
  EXPECT_FALSE(moment.same_hold(other));
  other = moment;
  other.power = GilMoment::Power::off;
  EXPECT_FALSE(moment.same_hold(other));
}

/// A moment of a libc that counts `waiters` at one place, and has something else at the other.
GilMoment counting(std::size_t place, std::uint32_t waiters, std::uint32_t in_switch_cond = 0,
                   std::uint32_t elsewhere = 0xABC0) {
  GilMoment moment;
  moment.cond_words.fill(elsewhere);
  // The low three bits are flags.
  moment.cond_words[place] = waiters << 3U | 5U;
  moment.switch_cond_words[place] = in_switch_cond << 3U;
  return moment;
}

TEST(CondWaitersTest, SaysNothingBeforeAPlaceHasProvedItself) {
  CondWaiters waiters;
  EXPECT_FALSE(waiters.count(counting(0, 3)));
  waiters.learn(counting(0, 3), 3);
  EXPECT_FALSE(waiters.count(counting(0, 3)));
}

TEST(CondWaitersTest, LearnsEitherPlace) {
  for (const std::size_t place : {0U, 1U}) {
    CondWaiters waiters;
    for (std::uint32_t i = 0; i < 20; ++i) waiters.learn(counting(place, 1 + i % 4), 1 + i % 4);
    EXPECT_EQ(waiters.count(counting(place, 7)), 7U);
    EXPECT_EQ(waiters.count(counting(place, 0)), 0U);
  }
}

TEST(CondWaitersTest, AddsThoseThatHandOver) {
  CondWaiters waiters;
  for (int i = 0; i < 20; ++i) waiters.learn(counting(1, 2, 1), 3);
  EXPECT_EQ(waiters.count(counting(1, 4, 1)), 5U);
}

TEST(CondWaitersTest, BelievesTheUsersOfTheMutexMoreThanTheWaitersOnTheCondition) {
  CondWaiters waiters;
  GilMoment moment = counting(0, 3);
  moment.mutex_users = 3;
  for (int i = 0; i < 20; ++i) waiters.learn(moment, 3);
  // One of them was woken and has not got the mutex back.
  moment.cond_words[0] = 2U << 3U;
  EXPECT_EQ(waiters.count(moment), 3U);
}

GilMoment counting_both(std::size_t place, std::uint32_t waiters, std::uint32_t users) {
  GilMoment moment = counting(place, waiters);
  moment.mutex_users = users;
  return moment;
}

TEST(CondWaitersTest, TellsWhoHasLeftTheConditionAndWantsTheMutex) {
  CondWaiters waiters;
  GilMoment moment = counting_both(1, 3, 3);
  EXPECT_FALSE(waiters.count_at_mutex(moment));
  for (int i = 0; i < 20; ++i) waiters.learn(moment, 3);
  EXPECT_EQ(waiters.count_at_mutex(moment), 0U);
  moment.cond_words[1] = 1U << 3U;
  EXPECT_EQ(waiters.count_at_mutex(moment), 2U);
  // Some threads came or went while they were looked at.
  for (int i = 0; i < 10; ++i) waiters.learn(counting(0, 9), 3);
  EXPECT_EQ(waiters.count_at_mutex(moment), 2U);
  for (int i = 0; i < 30; ++i) waiters.learn(counting(0, 9), 3);
  EXPECT_FALSE(waiters.count_at_mutex(moment));
  for (int i = 0; i < 80; ++i) waiters.learn(counting_both(1, 3, 3), 3);
  // Torn: more on the condition than use the mutex.
  moment.mutex_users = 0;
  EXPECT_EQ(waiters.count_at_mutex(moment), 0U);
}

/// With the low bits that glibc leaves for a condition variable on CLOCK_MONOTONIC.
GilMoment flagged(std::size_t place, std::uint32_t waiters) {
  GilMoment moment;
  moment.cond_words[place] = waiters << 3U | 2U;
  moment.switch_cond_words[place] = 2;
  return moment;
}

TEST(CondWaitersTest, BelievesAPlaceAtOnceForItsFlags) {
  for (const std::size_t place : {0U, 1U}) {
    EXPECT_EQ(CondWaiters{}.count(flagged(place, 0)), 0U);
    EXPECT_EQ(CondWaiters{}.count(flagged(place, 3)), 3U);
  }
}

TEST(CondWaitersTest, BelievesNeitherWhenBothPlacesHaveTheFlags) {
  GilMoment moment = flagged(0, 3);
  moment.cond_words[1] = 2;
  moment.switch_cond_words[1] = 2;
  EXPECT_FALSE(CondWaiters{}.count(moment));
}

TEST(CondWaitersTest, BelievesWhatItSeesMoreThanTheFlags) {
  CondWaiters waiters;
  for (int i = 0; i < 10; ++i) waiters.learn(flagged(0, 3), 2);
  EXPECT_FALSE(waiters.count(flagged(0, 3)));
}

TEST(CondWaitersTest, LearnsNothingWhileNobodyWaits) {
  CondWaiters waiters;
  for (int i = 0; i < 1000; ++i) waiters.learn(counting(0, 0, 0, 0), 0);
  EXPECT_FALSE(waiters.count(counting(0, 1)));
}

TEST(CondWaitersTest, NeverBelievesALibcThatCountsNowhere) {
  CondWaiters waiters;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    GilMoment moment;
    moment.cond_words = {i * 2654435761U, 1U << 3U};
    waiters.learn(moment, 2 + i % 5);
    EXPECT_FALSE(waiters.count(moment)) << i;
  }
}

TEST(CondWaitersTest, SurvivesSomeDisagreement) {
  CondWaiters waiters;
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    // Now and then a thread leaves the wait between the two reads.
    waiters.learn(counting(0, i % 20 == 0 ? 1 : 2), 2);
  }
  EXPECT_EQ(waiters.count(counting(0, 2)), 2U);
}

TEST(CondWaitersTest, GivesUpAPlaceThatIsWrongTooOften) {
  CondWaiters waiters;
  for (int i = 0; i < 100; ++i) waiters.learn(counting(0, 2), 2);
  ASSERT_TRUE(waiters.count(counting(0, 2)));
  for (int i = 0; i < 100; ++i) waiters.learn(counting(0, 3), 2);
  EXPECT_FALSE(waiters.count(counting(0, 2)));
}

TEST(CondWaitersTest, ForgetsAtLastWhatWasTrueInALongRun) {
  CondWaiters waiters;
  for (int i = 0; i < 1'000'000; ++i) waiters.learn(counting(0, 2), 2);
  for (int i = 0; i < 4096; ++i) waiters.learn(counting(0, 3), 2);
  EXPECT_FALSE(waiters.count(counting(0, 2)));
}

}  // namespace
}  // namespace gilspy
