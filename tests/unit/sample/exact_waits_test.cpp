#include "exact_waits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace gilspy {
namespace {

using Record = TraceRecord::Kind;
using Kind = Transition::Kind;
using Takes = Transition::Takes;

constexpr RemoteAddress gil{0x1000};
constexpr RemoteAddress other_gil{0x2000};
constexpr std::uint64_t cond = 0x1010;
constexpr std::uint64_t cond_references = 0x1018;  // a word of cond on which nobody waits for long
constexpr std::uint64_t mutex = 0x1040;
constexpr std::uint64_t switch_cond = 0x1080;
constexpr std::uint64_t switch_mutex = 0x10C0;
constexpr Tid a{11};
constexpr Tid b{12};

/// A time in microseconds, or parts of one.
Time us(double microseconds) {
  return time_from_ns(1'000'000'000 + static_cast<std::int64_t>(microseconds * 1000));
}

class ExactWaitsTest : public ::testing::Test {
 protected:
  static std::optional<std::pair<RemoteAddress, GilFutex>> locate(std::uint64_t futex) {
    const RemoteAddress owner{futex & ~std::uint64_t{0xFFF}};
    if (owner != gil && owner != other_gil) return std::nullopt;
    const std::uint64_t offset = futex & 0xFFF;
    if (offset < 0x40) return std::pair{owner, GilFutex::cond};
    if (offset < 0x80) return std::pair{owner, GilFutex::mutex};
    return std::pair{owner, offset < 0xC0 ? GilFutex::switch_cond : GilFutex::switch_mutex};
  }

  void take(Record kind, double at, Tid tid, std::uint64_t address = 0, bool until = false) {
    TraceRecord record{kind, us(at), tid};
    record.address = address;
    record.until = until;
    waits.take(record);
  }
  void wait(double at, Tid tid, std::uint64_t address = cond) {
    take(Record::futex_wait, at, tid, address, address == cond || address == cond + 0x1000);
  }
  void wake(double at, Tid tid, std::uint64_t address) {
    take(Record::futex_wake, at, tid, address);
  }
  /// Sleeps in the call and comes back from it.
  void sleep(double from, double to, Tid tid) {
    take(Record::blocked, from, tid);
    take(Record::given_cpu, to, tid);
  }
  /// Inside drop_gil, from 12 to 43.
  void hand_over(Tid tid) {
    wait(12, tid, switch_cond);
    sleep(13, 40, tid);
    wake(43, tid, switch_mutex);
  }
  /// What is told until then, without the comings and goings on CPUs.
  std::vector<Transition> told(double at) {
    waits.settle(us(at));
    std::vector<Transition> steps = waits.take_until(us(at));
    std::erase_if(steps, [](const Transition& step) {
      return step.kind == Kind::given_cpu || step.kind == Kind::preempted ||
             step.kind == Kind::blocked;
    });
    return steps;
  }
  static Transition began(double at, Tid tid, RemoteAddress of = gil) {
    return {Kind::wait_began, Takes::no, us(at), tid, of};
  }
  static Transition ended(double at, Tid tid, Takes takes = Takes::yes, RemoteAddress of = gil) {
    return {Kind::wait_ended, takes, us(at), tid, of};
  }
  static Transition gave_up(double at, Tid tid) {
    return {Kind::gave_up, Takes::no, us(at), tid, gil};
  }

  ExactWaits waits{locate};
};

TEST_F(ExactWaitsTest, AWaitLastsFromTheCallToWhereTheMutexIsUnlocked) {
  wait(10, a);
  sleep(13, 5000, a);
  wake(5003, a, mutex);
  EXPECT_THAT(told(6000), ::testing::ElementsAre(began(10, a), ended(5003, a)));
}

TEST_F(ExactWaitsTest, OneThatTimesOutAndWaitsOnIsOneWait) {
  wait(0, a);
  sleep(3, 5000, a);
  wake(5003, a, mutex);
  wait(5006, a);
  sleep(5008, 10000, a);
  wake(10003, a, mutex);
  wait(10009, a);
  sleep(10012, 10500, a);
  wake(10503, a, mutex);
  EXPECT_THAT(told(20000), ::testing::ElementsAre(began(0, a), ended(10503, a)));
}

TEST_F(ExactWaitsTest, NothingOfItsEndIsToldBeforeItIsSure) {
  wait(0, a);
  sleep(3, 5000, a);
  EXPECT_THAT(told(5002), ::testing::ElementsAre(began(0, a)));
  wake(5003, a, mutex);
  EXPECT_THAT(told(5010), ::testing::IsEmpty());
  EXPECT_THAT(told(5024), ::testing::ElementsAre(ended(5003, a)));
}

TEST_F(ExactWaitsTest, AThreadThatWorksInBetweenWaitsTwice) {
  wait(0, a);
  sleep(3, 100, a);
  wake(103, a, mutex);
  wait(151, a);
  sleep(153, 200, a);
  wake(203, a, mutex);
  EXPECT_THAT(told(300),
              ::testing::ElementsAre(began(0, a), ended(103, a), began(151, a), ended(203, a)));
}

TEST_F(ExactWaitsTest, OneThatBlocksElsewhereHasGoneOn) {
  wait(0, a);
  sleep(3, 100, a);
  wake(103, a, mutex);
  take(Record::blocked, 106, a);
  take(Record::given_cpu, 900, a);
  EXPECT_THAT(told(1000), ::testing::ElementsAre(began(0, a), ended(103, a)));
}

TEST_F(ExactWaitsTest, WakingTheOldHolderIsTheMomentOfTaking) {
  wait(0, a);
  sleep(3, 100, a);
  wake(104, a, switch_cond);
  EXPECT_THAT(told(105), ::testing::ElementsAre(began(0, a), ended(104, a)));
}

TEST_F(ExactWaitsTest, TakingWithoutAWaitIsToldWhereTheOldHolderIsWoken) {
  wake(50, a, switch_cond);
  EXPECT_THAT(told(60), ::testing::ElementsAre(Transition{Kind::took, Takes::no, us(50), a, gil}));
}

TEST_F(ExactWaitsTest, TheWordsWithinAConditionVariableEndNoWait) {
  wait(0, a);
  sleep(3, 100, a);
  wake(103, a, cond_references);
  wait(106, a, mutex);
  sleep(108, 200, a);
  wake(203, a, mutex);
  EXPECT_THAT(told(300), ::testing::ElementsAre(began(0, a), ended(203, a)));
}

TEST_F(ExactWaitsTest, AHandOverGoesOverIntoTheNextWait) {
  wait(0, b);  // so that the words of cond are known
  take(Record::blocked, 1, b);
  wake(10, a, cond);
  hand_over(a);
  wait(47, a);
  sleep(49, 5000, a);
  wake(5003, a, mutex);
  EXPECT_THAT(told(6000),
              ::testing::ElementsAre(began(0, b), gave_up(10, a), began(12, a), ended(5003, a)));
}

TEST_F(ExactWaitsTest, AHandOverAloneEndsWithoutTheGil) {
  hand_over(a);
  take(Record::blocked, 50, a);
  EXPECT_THAT(told(60), ::testing::ElementsAre(began(12, a), ended(43, a, Takes::no)));
}

/// Where it loses its CPU on the way to take_gil, the way's middle tells whether it was there.
TEST_F(ExactWaitsTest, OneThatLosesItsCpuAfterTheHandOverWaitsIfItWasInTakeGilAgain) {
  for (const double before : {3.0, 8.0}) {
    waits = ExactWaits{locate};
    hand_over(a);
    take(Record::preempted, 44 + before, a);
    take(Record::given_cpu, 500, a);
    wait(505, a);
    sleep(506, 900, a);
    wake(903, a, mutex);
    if (before > 5) {
      EXPECT_THAT(told(1000), ::testing::ElementsAre(began(12, a), ended(903, a)));
    } else {
      EXPECT_THAT(told(1000), ::testing::ElementsAre(began(12, a), ended(43, a, Takes::no),
                                                     began(500, a), ended(903, a)));
    }
  }
}

TEST_F(ExactWaitsTest, OneThatLosesItsCpuToTheThreadThatItWokeInDropGilDoesNotWait) {
  hand_over(a);
  take(Record::preempted, 45, a);
  EXPECT_THAT(told(60), ::testing::ElementsAre(began(12, a), ended(43, a, Takes::no)));
}

/// pthread_cond_signal waits for those who have been woken before to leave.
TEST_F(ExactWaitsTest, WaitingInsideDropGilIsOverWhereItWakes) {
  wait(0, b);
  wait(10, a, cond_references);
  sleep(11, 30, a);
  wake(33, a, cond);
  wake(35, a, mutex);
  wait(40, a);  // in the next take_gil
  sleep(41, 90, a);
  wake(93, a, mutex);
  EXPECT_THAT(told(200), ::testing::ElementsAre(began(0, b), began(10, a), ended(33, a, Takes::no),
                                                gave_up(33, a), began(40, a), ended(93, a)));
}

TEST_F(ExactWaitsTest, AMutexAloneLeavesOpenWhoHasTheGil) {
  wait(0, a, mutex);
  sleep(1, 9, a);
  wake(12, a, mutex);
  EXPECT_THAT(told(100), ::testing::ElementsAre(began(0, a), ended(12, a, Takes::unless_held)));
}

TEST_F(ExactWaitsTest, OnlyTheWordsWaitedOnTellThatTheGilWasGivenUp) {
  wake(5, a, cond);
  wait(10, b);
  wake(20, a, cond_references);
  wake(30, a, cond);
  EXPECT_THAT(told(40), ::testing::ElementsAre(began(10, b), gave_up(30, a)));
}

TEST_F(ExactWaitsTest, OneThatTakesTheGilAndLetsGoOfItAtOnceHadIt) {
  wait(0, a);
  sleep(3, 100, a);
  wake(103, a, mutex);
  wake(107, a, cond);
  EXPECT_THAT(told(110), ::testing::ElementsAre(began(0, a), ended(103, a), gave_up(107, a)));
}

TEST_F(ExactWaitsTest, OneThatLosesItsCpuOnTheWayBackWaitsUntilItHasUnlockedTheMutex) {
  wait(0, a);
  sleep(3, 100, a);
  take(Record::preempted, 102, a);
  take(Record::given_cpu, 400, a);
  wake(402, a, mutex);
  EXPECT_THAT(told(500), ::testing::ElementsAre(began(0, a), ended(402, a)));
}

TEST_F(ExactWaitsTest, OneThatLosesItsCpuLaterIsOpenUntilItRunsOrTheMemoryTells) {
  wait(0, a);
  sleep(3, 100, a);
  wake(103, a, mutex);
  take(Record::preempted, 110, a);
  EXPECT_THAT(told(300), ::testing::ElementsAre(began(0, a)));
  waits.settle_holder(gil, b, us(300));
  waits.settle_holder(other_gil, a, us(300));
  waits.settle_holder(gil, a, us(103));  // as of then it was taking it
  EXPECT_THAT(told(300), ::testing::IsEmpty());
  waits.settle_holder(gil, a, us(300));
  EXPECT_THAT(told(300), ::testing::ElementsAre(ended(103, a)));
}

TEST_F(ExactWaitsTest, OneThatLosesItsCpuAndWaitsOnIsOneWait) {
  wait(0, a);
  sleep(3, 100, a);
  wake(103, a, mutex);
  take(Record::preempted, 110, a);
  take(Record::given_cpu, 400, a);
  wait(402, a);
  sleep(405, 500, a);
  wake(503, a, mutex);
  EXPECT_THAT(told(600), ::testing::ElementsAre(began(0, a), ended(503, a)));
}

/// A libc that unlocks without a call when nobody else wants the mutex.
TEST_F(ExactWaitsTest, WithoutAnUnlockTheReturnIsTheEnd) {
  wait(0, a);
  sleep(3, 100, a);
  EXPECT_THAT(told(600), ::testing::ElementsAre(began(0, a)));
  EXPECT_THAT(told(602), ::testing::ElementsAre(ended(100, a)));
}

TEST_F(ExactWaitsTest, OneThatIsWokenWithoutHavingSleptHasNotLeftItsCpu) {
  wait(0, a);
  wake(3, a, mutex);
  EXPECT_THAT(told(100), ::testing::ElementsAre(began(0, a), ended(3, a)));
}

TEST_F(ExactWaitsTest, OtherFutexesAreOfNoInterest) {
  wait(0, a, 0x777000);
  sleep(3, 100, a);
  wake(110, a, 0x777000);
  EXPECT_THAT(told(200), ::testing::IsEmpty());
}

TEST_F(ExactWaitsTest, EachGilHasItsOwnWaits) {
  wait(0, a);
  sleep(3, 100, a);
  wake(103, a, mutex);
  wait(105, a, cond + 0x1000);
  sleep(107, 200, a);
  wake(203, a, mutex + 0x1000);
  EXPECT_THAT(told(300),
              ::testing::ElementsAre(began(0, a), ended(103, a), began(105, a, other_gil),
                                     ended(203, a, Takes::yes, other_gil)));
}

TEST_F(ExactWaitsTest, AfterALossThreadsStandAsTheyAreAdopted) {
  wait(0, a);
  waits.forget();
  EXPECT_FALSE(waits.knows(a));
  waits.adopt(a, us(100), false, gil);
  EXPECT_TRUE(waits.standing(a).waits);
  take(Record::given_cpu, 200, a);
  wake(203, a, mutex);
  EXPECT_THAT(told(300), ::testing::ElementsAre(began(0, a), ended(203, a)));
}

TEST_F(ExactWaitsTest, TellsCpusAsTheyAreGivenAndLeft) {
  take(Record::given_cpu, 1, a);
  take(Record::preempted, 2, a);
  take(Record::given_cpu, 3, a);
  take(Record::blocked, 4, a);
  std::vector<Kind> kinds;
  for (const Transition& step : waits.take_until(us(10))) kinds.push_back(step.kind);
  EXPECT_THAT(kinds, ::testing::ElementsAre(Kind::given_cpu, Kind::preempted, Kind::given_cpu,
                                            Kind::blocked));
}

/// Whatever comes, in whatever order: the steps are in the order of time, and each thread's waits
/// begin and end by turns.
TEST_F(ExactWaitsTest, AnyRecordsLeadToWaitsThatBeginAndEndByTurns) {
  std::minstd_rand random{7};
  for (int round = 0; round < 300; ++round) {
    ExactWaits any{locate};
    double at = 0;
    for (int i = 0; i < 200; ++i) {
      at += static_cast<double>(random() % 40) / 2;
      TraceRecord record{static_cast<Record>(random() % 8), us(at), random() % 2 == 0 ? a : b};
      record.address = 0x1000 + random() % 0x1100;
      record.until = random() % 2 == 0;
      any.take(record);
      if (random() % 10 == 0) any.settle(us(at));
    }
    any.settle(us(at + 1000));
    const std::vector<Transition> steps = any.take_until(us(at + 1000));
    EXPECT_TRUE(std::ranges::is_sorted(steps, {}, &Transition::at));
    for (const Tid tid : {a, b}) {
      bool waiting = false;
      for (const Transition& step : steps) {
        if (step.tid != tid) continue;
        // A thread that is told to have ended takes its wait along.
        EXPECT_TRUE(waiting || step.kind != Kind::wait_ended);
        if (step.kind == Kind::wait_began) waiting = true;
        if (step.kind == Kind::wait_ended) waiting = false;
      }
    }
  }
}

}  // namespace
}  // namespace gilspy
