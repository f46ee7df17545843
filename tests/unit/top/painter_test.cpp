#include "gilspy/top/painter.h"

#include <gtest/gtest.h>

namespace gilspy::top {
namespace {

TEST(Painter, PaintsWhatHasChangedAndNothingElse) {
  Painter painter{true};
  Screen screen{{10, 2}};
  screen.put(0, 0, "abc", {.ink = Ink::waiting});
  EXPECT_EQ(painter.paint(screen), "\x1b[0m\x1b[2J\x1b[1;1H\x1b[0;31mabc\x1b[0m");
  EXPECT_EQ(painter.paint(screen), "");
  screen.put(1, 4, "x");
  EXPECT_EQ(painter.paint(screen), "\x1b[2;5H\x1b[0mx\x1b[0m");
}

TEST(Painter, AnotherSizeIsPaintedWhole) {
  Painter painter{true};
  static_cast<void>(painter.paint(Screen{{10, 2}}));
  EXPECT_EQ(painter.paint(Screen{{11, 2}}), "\x1b[0m\x1b[2J");
  painter.forget();
  EXPECT_EQ(painter.paint(Screen{{11, 2}}), "\x1b[0m\x1b[2J");
}

TEST(Painter, WithoutColourStylesStay) {
  Painter painter{false};
  Screen screen{{4, 1}};
  screen.put(0, 0, "a", {.ink = Ink::bad, .paper = Ink::good, .bold = true});
  EXPECT_EQ(painter.paint(screen), "\x1b[0m\x1b[2J\x1b[1;1H\x1b[0;1ma\x1b[0m");
}

TEST(Painter, TheCursorIsPlacedAnewAfterAWideGlyph) {
  Painter painter{false};
  Screen screen{{6, 1}};
  screen.put(0, 0,
             "\xe4\xb8\xad"
             "b");
  EXPECT_EQ(painter.paint(screen), "\x1b[0m\x1b[2J\x1b[1;1H\x1b[0m\xe4\xb8\xad\x1b[1;3Hb\x1b[0m");
}

TEST(Screen, WideGlyphsTakeTwoCellsAndAreNeverHalved) {
  Screen screen{{6, 1}};
  screen.put(0, 0, "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87");
  EXPECT_EQ(lines_of(screen)[0], "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad");
  screen.put(0, 1, "x");
  EXPECT_EQ(lines_of(screen)[0], " x\xe6\x96\x87\xe4\xb8\xad");
  screen.put(0, 5, "\xe4\xb8\xad");  // no room for its right half
  EXPECT_EQ(lines_of(screen)[0], " x\xe6\x96\x87\xe4\xb8\xad");
}

TEST(Screen, MarksCombineWithWhatStandsBefore) {
  Screen screen{{3, 1}};
  EXPECT_EQ(screen.put(0, 0, "e\xcc\x81x"), 2);
  EXPECT_EQ(screen.at(0, 0).text, "e\xcc\x81");
}

TEST(Screen, WhatIsOutsideIsLeftOut) {
  Screen screen{{3, 1}};
  screen.put(-1, 0, "a");
  screen.put(1, 0, "a");
  screen.put(0, -2, "abcdef");
  EXPECT_EQ(lines_of(screen)[0], "cde");
}

}  // namespace
}  // namespace gilspy::top
