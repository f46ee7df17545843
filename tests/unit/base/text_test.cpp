#include "gilspy/base/text.h"

#include <gtest/gtest.h>

namespace gilspy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Text, DurationsHaveThreeDigitsAndAUnit) {
  EXPECT_EQ(human(Duration{0}), "0 s");
  EXPECT_EQ(human(Duration{850}), "850 ns");
  EXPECT_EQ(human(Duration{12'340}), "12.3 us");
  EXPECT_EQ(human(milliseconds{5}), "5.00 ms");
  EXPECT_EQ(human(Duration{999'600'000}), "1.00 s");
  EXPECT_EQ(human(milliseconds{4910}), "4.91 s");
  EXPECT_EQ(human(milliseconds{9996}), "10.0 s");
  EXPECT_EQ(human(seconds{100}), "100 s");
  EXPECT_EQ(human(seconds{725}), "12 min 5 s");
  EXPECT_EQ(human(seconds{7200 + 120}), "2 h 2 min");
}

TEST(Text, NothingOfTheTargetSteersTheTerminal) {
  EXPECT_EQ(terminal_text("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  EXPECT_EQ(terminal_text("\xc2\x9b"
                          "1m"),
            "\\u{009b}1m");
  EXPECT_EQ(terminal_text("\xe2\x80\xae"
                          "x"),
            "\\u{202e}x");
  EXPECT_EQ(terminal_text("\xff\xc0\xaf\xed\xa0\x80"), "\\xff\\xc0\\xaf\\xed\\xa0\\x80");
  EXPECT_EQ(terminal_text("\xe4\xb8"), "\\xe4\\xb8");
  EXPECT_EQ(terminal_text("W\xc3\xb6rker \xe4\xb8\xad"), "W\xc3\xb6rker \xe4\xb8\xad");
}

TEST(Text, NothingOfTheTargetIsMarkup) {
  EXPECT_EQ(markup_text("<b title=\"x\">&amp;</b>"),
            "&lt;b title=&quot;x&quot;&gt;&amp;amp;&lt;/b&gt;");
  EXPECT_EQ(markup_text("W\xc3\xb6rker"), "W\xc3\xb6rker");
}

TEST(Text, WidthIsThatOfTheTerminal) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("W\xc3\xb6rker"), 6U);
  EXPECT_EQ(display_width("\xe4\xb8\xad\xe6\x96\x87"), 4U);
  EXPECT_EQ(display_width("\xf0\x9f\x90\x8d"), 2U);
  EXPECT_EQ(display_width("e\xcc\x81"), 1U);
}

TEST(Text, ShorteningLeavesWholeCharacters) {
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdefg", 6), "abc...");
  EXPECT_EQ(shortened("\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87", 6), "\xe4\xb8\xad...");
}

TEST(Text, GlyphsComeWithTheirWidth) {
  const auto first = first_glyph(
      "\xe4\xb8\xad"
      "b");
  EXPECT_EQ(first.bytes, "\xe4\xb8\xad");
  EXPECT_EQ(first.width, 2U);
  EXPECT_EQ(first_glyph("\xcc\x81").width, 0U);
  EXPECT_EQ(first_glyph("\xff").bytes.size(), 1U);
}

TEST(Text, BasenameIsTheLastPart) {
  EXPECT_EQ(basename_of("/app/worker.py"), "worker.py");
  EXPECT_EQ(basename_of("<frozen importlib>"), "<frozen importlib>");
  EXPECT_EQ(basename_of("a/"), "");
}

}  // namespace
}  // namespace gilspy
