#include "gilspy/profile/selection.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream.h"

namespace gilspy {
namespace {

using namespace testing;
using ::testing::ElementsAre;

Selection only_states(std::initializer_list<std::string_view> words) {
  Selection selection;
  for (const std::string_view word : words) EXPECT_TRUE(add_states(selection, word));
  return selection;
}

/// A holds 30 ms in f, 10 of them blocked; B waits 20 in g, then runs 10 in h without the GIL.
Profile two_lives() {
  Stream stream;
  stream.start();
  stream.seen(0, A, "a");
  stream.seen(0, B, "b");
  stream.takes(0, A);
  stream.state(0, B, waiting);
  stream.stack(5, A, stream.frame("f", 1));
  stream.stack(5, B, stream.frame("g", 2));
  stream.state(10, A, {GilState::holding, CpuState::blocked, BlockKind::sleep, 230});
  stream.stack(15, A, stream.frame("f", 1));
  stream.state(20, A, holding);
  stream.state(20, B, running);
  stream.stack(25, B, stream.frame("h", 3));
  stream.ticks(30, 30);
  stream.end(30);
  return stream.profile();
}

TEST(Selection, OnlyAThreadByNameOrTid) {
  for (const std::string wanted : {"b", "102"}) {
    const Profile profile = select(two_lives(), {{wanted}});
    ASSERT_EQ(profile.threads.size(), 1);
    EXPECT_EQ(profile.threads[0].tid, B);
    EXPECT_EQ(profile.timeline.threads.size(), 1);
    EXPECT_EQ(profile.timeline.stacks.count(A), 0);
    for (std::size_t i = 0; i < weight_count; ++i) {
      for (const StackWeight& row : profile.stacks_by(static_cast<Weight>(i))) {
        EXPECT_EQ(row.tid, B);
      }
    }
  }
}

TEST(Selection, WhoHeldTheGilKeepsItsName) {
  const Profile profile = select(two_lives(), {{"b"}});
  EXPECT_EQ(profile.thread(A)->name, "a");
  EXPECT_EQ(blame_between(profile, A, B), ms(20));
  EXPECT_EQ(profile.gils.at(0).held, ms(30));  // the process's, as before
}

TEST(Selection, BlameBetweenOthersGoes) {
  EXPECT_TRUE(select(two_lives(), {{"no such thread"}}).blame.empty());
}

TEST(Selection, OnlyTimeInAState) {
  const Profile profile = select(two_lives(), only_states({"holding-blocked", "running"}));
  EXPECT_EQ(time_of_thread(profile, A, Activity::holding_blocked), ms(10));
  EXPECT_EQ(time_of_thread(profile, A, Activity::holding_running), ms(0));
  EXPECT_EQ(time_of_thread(profile, B, Activity::running), ms(10));
  EXPECT_EQ(profile.timeline.threads.at(A).size(), 1);
  ASSERT_EQ(profile.stacks_by(Weight::wall).size(), 2);
  EXPECT_EQ(profile.stacks_by(Weight::wall)[0].time, ms(10));
  EXPECT_EQ(profile.stacks_by(Weight::wait).size(), 0);
  EXPECT_EQ(profile.stacks_by(Weight::hold).at(0).time, ms(10));
}

TEST(Selection, StacksEndWithTheirState) {
  const Profile profile = select(two_lives(), only_states({"holding-blocked"}));
  const auto& moments = profile.timeline.stacks.at(A);
  ASSERT_EQ(moments.size(), 2);
  EXPECT_EQ(moments[0].at, at_ms(15));
  EXPECT_EQ(moments[1].at, at_ms(20));
  EXPECT_EQ(moments[1].stack, empty_stack);
}

TEST(Selection, BlameIsOfWaitingAndOfHolding) {
  EXPECT_EQ(blame_between(select(two_lives(), only_states({"waiting"})), A, B), ms(20));
  EXPECT_FALSE(select(two_lives(), only_states({"holding"})).stacks_by(Weight::blame).empty());
  const Profile profile = select(two_lives(), only_states({"running"}));
  EXPECT_TRUE(profile.blame.empty());
  EXPECT_TRUE(profile.stacks_by(Weight::blame).empty());
}

TEST(Selection, WordsOfTheCommandLine) {
  Selection selection;
  EXPECT_FALSE(add_states(selection, "sleeping"));
  EXPECT_TRUE(selection.all_states());
  EXPECT_TRUE(add_states(selection, "holding"));
  EXPECT_THAT(selection.states, ElementsAre(true, true, false, false, false, false, false));
  EXPECT_TRUE(add_states(selection, "unknown"));
  EXPECT_THAT(selection.states, ElementsAre(true, true, false, false, false, false, true));
}

TEST(Selection, SaysWhatItLeftOut) {
  Selection selection = only_states({"waiting"});
  selection.threads = {"b"};
  const Profile profile = select(two_lives(), selection);
  ASSERT_EQ(profile.notes.size(), 2);
  EXPECT_EQ(profile.notes[0].text, "only 1 of 2 threads; the GIL's figures are of all");
  EXPECT_EQ(profile.notes[1].text, "of the threads' time only the states 'waiting for the GIL'");
}

/// Each state by itself, added up, has to give what the builder gave: the rule by which time goes
/// to stacks is the same.
TEST(Selection, TheStatesOfRandomRunsAddUpToTheBuildersOwnWeights) {
  std::minstd_rand random{7};
  const auto pick = [&](std::uint32_t below) {
    return static_cast<std::uint32_t>(random() % below);
  };
  const std::array states{holding, waiting, running, sleeping, unknown_state};
  for (int round = 0; round < 50; ++round) {
    Stream stream;
    stream.start();
    for (const Tid tid : {A, B, C}) stream.seen(0, tid, "t");
    for (int t = 1; t < 200; ++t) {
      const Tid tid{A.value + static_cast<std::int32_t>(pick(3))};
      if (pick(2) == 0) {
        stream.state(t, tid, states.at(pick(states.size())));
      } else {
        stream.stack(t, tid, stream.frame("f", 1 + pick(4)));
      }
    }
    stream.end(200);
    const Profile whole = stream.profile();
    for (const Weight weight : {Weight::hold, Weight::wait, Weight::cpu, Weight::wall}) {
      std::map<std::pair<Tid, StackId>, Duration> sums;
      for (const std::string_view word :
           {"holding", "waiting", "running", "blocked", "runnable", "unknown"}) {
        const Profile part = select(whole, only_states({word}));
        for (const StackWeight& row : part.stacks_by(weight))
          sums[{row.tid, row.stack}] += row.time;
      }
      std::map<std::pair<Tid, StackId>, Duration> expected;
      for (const StackWeight& row : whole.stacks_by(weight)) {
        expected[{row.tid, row.stack}] += row.time;
      }
      EXPECT_EQ(sums, expected) << round << ' ' << name_of(weight);
    }
  }
}

}  // namespace
}  // namespace gilspy
