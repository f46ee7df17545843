#include <gtest/gtest.h>

#include "gilspy/top/actions.h"
#include "states.h"

namespace gilspy::top::testing {
namespace {

Key character(std::string text) { return {KeyName::text, std::move(text)}; }

TEST(Keys, AreReadFromWhatTerminalsSend) {
  using enum KeyName;
  const auto names = [](std::string_view bytes) {
    std::vector<KeyName> list;
    for (const Key& key : keys_of(bytes)) list.push_back(key.name);
    return list;
  };
  EXPECT_EQ(names("\x1b[A\x1b[B\x1bOC\x1b[D"), (std::vector{up, down, right, left}));
  EXPECT_EQ(names("\x1b[5~\x1b[6~\x1b[H\x1b[4~\x1b[Z"),
            (std::vector{page_up, page_down, home, end, back_tab}));
  EXPECT_EQ(names("\r\t\x7f\x1b"), (std::vector{enter, tab, backspace, escape}));
  EXPECT_EQ(keys_of("q\xe4\xb8\xad"),
            (std::vector<Key>{character("q"), character("\xe4\xb8\xad")}));
}

TEST(Keys, UnknownAndBrokenSequencesAreLeftOut) {
  EXPECT_EQ(keys_of("\x1b[1;5Aq"), (std::vector<Key>{character("q")}));
  EXPECT_TRUE(keys_of("\x1b[").empty());
  EXPECT_TRUE(keys_of("\x01\x02").empty());
}

class Pressing : public ::testing::Test {
 protected:
  Action on(const Key& key) { return press(state, key, {80, 24}); }
  Action type(std::string_view text) {
    Action last = Action::none;
    for (const char c : text) last = on(character({c}));
    return last;
  }
  State state = fight_state();
};

TEST_F(Pressing, LettersThatAskForSomething) {
  EXPECT_EQ(type("q"), Action::quit);
  EXPECT_EQ(type("r"), Action::reset);
  EXPECT_EQ(type("p"), Action::record);
  EXPECT_EQ(type("x"), Action::none);
}

TEST_F(Pressing, ArrowsMoveAlongTheListAndStopAtItsEnds) {
  const auto threads = listed_threads(state);
  ASSERT_EQ(threads.size(), 3U);
  on({KeyName::down, ""});
  EXPECT_EQ(state.controls.selected, threads[1]);
  on({KeyName::page_down, ""});
  EXPECT_EQ(state.controls.selected, threads[2]);
  on({KeyName::up, ""});
  EXPECT_EQ(state.controls.selected, threads[1]);
  on({KeyName::home, ""});
  on({KeyName::up, ""});
  EXPECT_EQ(state.controls.selected, threads[0]);
}

TEST_F(Pressing, EnterShowsTheStackAndGoesBack) {
  on({KeyName::enter, ""});
  EXPECT_EQ(state.controls.pane, Pane::stack);
  on({KeyName::enter, ""});
  EXPECT_EQ(state.controls.pane, Pane::functions);
  on({KeyName::left, ""});
  EXPECT_EQ(state.controls.pane, Pane::stack);
  type("2");
  EXPECT_EQ(state.controls.pane, Pane::blame);
}

TEST_F(Pressing, TheSortColumnGoesRoundAndTurns) {
  type("<<<<");
  EXPECT_EQ(state.controls.sort, Column::handoffs);
  type("s>");
  EXPECT_EQ(state.controls.sort, Column::tid);
  EXPECT_EQ(listed_threads(state), (std::vector{alpha, beta, idle}));
  type("i");
  EXPECT_EQ(listed_threads(state), (std::vector{idle, beta, alpha}));
}

TEST_F(Pressing, AFilterTakesLettersUntilEnter) {
  EXPECT_EQ(type("/BETAq"), Action::none);
  on({KeyName::backspace, ""});
  on({KeyName::enter, ""});
  EXPECT_EQ(state.controls.filter, "BETA");
  EXPECT_EQ(listed_threads(state), (std::vector{beta}));
  EXPECT_EQ(type("q"), Action::quit);
  on({KeyName::escape, ""});
  EXPECT_EQ(listed_threads(state).size(), 3U);
}

TEST_F(Pressing, HelpGoesWithAnyKeyAndQStillQuits) {
  type("h");
  EXPECT_TRUE(state.controls.help);
  EXPECT_EQ(type("r"), Action::none);
  EXPECT_FALSE(state.controls.help);
  type("?");
  EXPECT_EQ(type("q"), Action::quit);
}

}  // namespace
}  // namespace gilspy::top::testing
