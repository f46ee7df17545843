#include "gilspy/top/render.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "gilspy/base/text.h"
#include "states.h"

namespace gilspy::top::testing {
namespace {

/// A letter for what a cell looks like besides its text: the ink, '_' for reverse, capitals on
/// paper.
char letter_of(const Style& style) {
  constexpr std::string_view inks = " hbwrkqugex";
  if (style.reverse) return '_';
  const char ink = inks[static_cast<std::size_t>(style.ink)];
  return style.paper == Ink::plain ? ink : static_cast<char>(std::toupper(ink));
}

std::string dump(const Screen& screen, bool styles) {
  std::string text;
  for (const std::string& line : lines_of(screen)) text += line + "\n";
  if (!styles) return text;
  for (int row = 0; row < screen.size().rows; ++row) {
    std::string line;
    for (int column = 0; column < screen.size().columns; ++column) {
      line += letter_of(screen.at(row, column).style);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += "|" + line + "\n";
  }
  return text;
}

/// Compares with tests/unit/top/golden/NAME.txt. With GILSPY_WRITE_GOLDEN set it writes that file
/// instead, to be read by whoever changed the screen.
void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(GOLDEN_FOLDER) + "/" + name + ".txt";
  if (std::getenv("GILSPY_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::stringstream wanted;
  wanted << file.rdbuf();
  EXPECT_EQ(text, wanted.str());
}

void expect_fits(const Screen& screen) {
  for (const std::string& line : lines_of(screen)) {
    EXPECT_LE(display_width(line), static_cast<std::size_t>(screen.size().columns)) << line;
  }
}

State with_threads(int count) {
  Live live{std::chrono::seconds{10}};
  Stream stream{live};
  for (int i = 0; i < count; ++i) {
    stream.thread(0, Tid{1000 + i}, "worker-" + std::to_string(i), i == 7 ? holding : waiting);
  }
  stream.holder(0, Tid{1007});
  stream.progress(1000);
  State state;
  state.view = live.view(Reach::window);
  return state;
}

TEST(Golden, Narrow) {
  const Screen screen = render(fight_state(), {60, 20});
  expect_fits(screen);
  expect_golden("narrow", dump(screen, true));
}

TEST(Golden, Usual) { expect_golden("usual", dump(render(fight_state(), {80, 24}), true)); }

TEST(Golden, Wide) {
  State state = fight_state();
  state.controls.pane = Pane::blame;
  expect_golden("wide", dump(render(state, {200, 24}), false));
}

TEST(Golden, NoColour) {
  State state = fight_state({.color = false, .unicode = true});
  state.controls.pane = Pane::stack;
  expect_golden("no_colour", dump(render(state, {100, 20}), false));
}

TEST(Golden, Ascii) {
  Live live{std::chrono::seconds{10}};
  fight(live, 2000, "W\xc3\xb6rker", "\xe4\xb8\xad\xe6\x96\x87");
  State state;
  state.view = live.view(Reach::window);
  state.look = {.color = false, .unicode = false};
  const std::string text = dump(render(state, {80, 20}), false);
  EXPECT_TRUE(
      std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  expect_golden("ascii", text);
}

TEST(Golden, WideCharactersAndLongNames) {
  Live live{std::chrono::seconds{10}};
  fight(live, 2000, "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x81\xae\xe5\x90\x8d\xe5\x89\x8d",
        "long-" + std::string(300, 'x'));
  State state;
  state.view = live.view(Reach::window);
  for (const int columns : {60, 80, 120}) {
    const Screen screen = render(state, {columns, 20});
    expect_fits(screen);
    expect_golden("names_" + std::to_string(columns), dump(screen, false));
  }
}

TEST(Golden, Text) {
  expect_golden("text", render_text(fight_state({.color = false, .unicode = true}), 100));
}

TEST(Golden, Help) {
  State state = fight_state();
  state.controls.help = true;
  expect_golden("help", dump(render(state, {80, 32}), false));
}

TEST(Render, OfThreeHundredThreadsTheSelectedOneIsInSight) {
  State state = with_threads(300);
  for (const int number : {0, 7, 150, 299}) {
    state.controls.selected = Tid{1000 + number};
    const std::string text = dump(render(state, {80, 24}), false);
    EXPECT_NE(text.find("\xe2\x96\xb6worker-" + std::to_string(number) + " "), std::string::npos)
        << text;
  }
  // The holder comes first, and the panes below keep their room.
  state.controls.selected = no_thread;
  const auto lines = lines_of(render(state, {80, 24}));
  EXPECT_NE(dump(render(state, {80, 24}), false).find("\xe2\x96\xb6worker-7 "), std::string::npos);
  EXPECT_TRUE(std::ranges::any_of(
      lines, [](const std::string& line) { return line.starts_with(" 1 functions"); }));
  EXPECT_EQ(with_threads(300).view.gils.at(main_gil).waiters, 299);
}

TEST(Render, NothingIsTooSmallOrTooLarge) {
  const State state = with_threads(30);
  for (const Size size : {Size{1, 1}, Size{5, 3}, Size{20, 5}, Size{40, 10}, Size{500, 200}}) {
    const Screen screen = render(state, size);
    EXPECT_EQ(screen.size(), size);
    expect_fits(screen);
  }
}

TEST(Render, LongNamesKeepBothEnds) {
  Live live{std::chrono::seconds{10}};
  fight(live, 1000, "ThreadPoolExecutor-0_1", "ThreadPoolExecutor-0_2");
  State state;
  state.view = live.view(Reach::window);
  const std::string text = dump(render(state, {60, 24}), false);
  EXPECT_NE(text.find("or-0_1 "), std::string::npos) << text;
  EXPECT_NE(text.find("or-0_2 "), std::string::npos) << text;
}

TEST(Render, BeforeAnythingIsKnown) {
  State state;
  state.command = "python app.py";
  const std::string text = dump(render(state, {80, 24}), false);
  EXPECT_NE(text.find("Waiting for Python to start in: python app.py"), std::string::npos) << text;
}

TEST(Render, SaysThatItIsPausedOrOver) {
  State state = fight_state();
  state.controls.paused = true;
  state.ended = "the process has ended";
  const auto lines = lines_of(render(state, {120, 24}));
  EXPECT_NE(lines.front().find("PAUSED"), std::string::npos);
  EXPECT_NE(lines.front().find("ENDED"), std::string::npos);
  EXPECT_EQ(lines.back(), "q quits; the process has ended");
}

TEST(Render, AThreadThatIsGoneKeepsItsFigures) {
  Live live{std::chrono::seconds{10}};
  fight(live, 1000);
  live.accept(ThreadGone{at_ms(1000), alpha});
  State state;
  state.view = live.view(Reach::window);
  EXPECT_NE(dump(render(state, {80, 24}), false).find("gone"), std::string::npos);
}

TEST(Render, NamesDoNotSteerTheTerminal) {
  Live live{std::chrono::seconds{10}};
  fight(live, 1000, "\x1b[31mred\n", "\xe2\x80\xae");
  State state;
  state.view = live.view(Reach::window);
  for (const Pane pane : {Pane::functions, Pane::blame, Pane::stack}) {
    state.controls.pane = pane;
    const std::string text = dump(render(state, {120, 24}), false);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
  }
}

}  // namespace
}  // namespace gilspy::top::testing
