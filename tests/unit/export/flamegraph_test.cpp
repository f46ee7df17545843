#include <regex>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_profile.h"

namespace gilspy {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

std::string drawn(const Profile& profile, Weight weight = Weight::hold) {
  return written(flamegraph_exporter(), profile, weight);
}

/// Why a text is not well-formed XML, of the kind we write; "" when it is.
std::string xml_fault(std::string text) {
  const std::string declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  if (!text.starts_with(declaration)) return "no declaration";
  text.erase(0, declaration.size());
  std::vector<std::string> open;
  const std::regex tag(R"(^<(/?)([a-z]+)((?: [a-z][a-z-]*="[^"<]*")*)(/?)>)");
  const std::regex entity("^&(amp|lt|gt|quot);");
  for (std::size_t i = 0; i < text.size();) {
    const std::string rest = text.substr(i, 400);
    std::smatch match;
    const auto c = static_cast<unsigned char>(text[i]);
    if (rest.starts_with("<![CDATA[")) {
      i = text.find("]]>", i) + 3;
    } else if (c == '<') {
      if (!std::regex_search(rest, match, tag)) return "bad tag: " + rest;
      if (match[1].length() == 0 && match[4].length() == 0) open.push_back(match[2]);
      if (match[1].length() != 0) {
        if (open.empty() || open.back() != match[2]) return "closes nothing: " + rest;
        open.pop_back();
      }
      i += static_cast<std::size_t>(match.length());
    } else if (c == '&') {
      if (!std::regex_search(rest, match, entity)) return "bad entity: " + rest;
      i += static_cast<std::size_t>(match.length());
    } else if (c == '>' || (c < 0x20 && c != '\n') || c == 0x7F) {
      return "bad character before: " + rest;
    } else {
      ++i;
    }
  }
  return open.empty() ? "" : "left open: " + open.back();
}

TEST(Flamegraph, IsOneWellFormedFileThatFetchesNothing) {
  const std::string svg = drawn(SampleProfile().profile);
  EXPECT_EQ(xml_fault(svg), "");
  EXPECT_THAT(svg, Not(HasSubstr("href")));
  EXPECT_THAT(svg, Not(HasSubstr("url(")));
  EXPECT_THAT(svg, Not(HasSubstr("@import")));
  EXPECT_THAT(svg, Not(HasSubstr("src=")));
}

TEST(Flamegraph, TitleSaysWhatWidthMeans) {
  EXPECT_THAT(drawn(SampleProfile().profile),
              HasSubstr(">gilspy: hold (time holding the GIL) — python app.py</text>"));
  EXPECT_THAT(drawn(SampleProfile().profile), HasSubstr("10 ticks, 2 missed"));
}

TEST(Flamegraph, FramesSayWhereAndHowLong) {
  const std::string svg = drawn(SampleProfile().profile);
  EXPECT_THAT(svg, HasSubstr("<title>all threads\n0.008000 s, 100.00%</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>MainThread (1000)\n0.004000 s, 50.00%</title>"));
  EXPECT_THAT(svg, HasSubstr("<title>work (/srv/app.py:20)\n0.002000 s, 25.00%</title>"));
  EXPECT_THAT(svg, HasSubstr(">work (app.py:20)</text>"));
}

TEST(Flamegraph, TheRootLiesAtTheBottomAndCalleesInsideTheirCallers) {
  SampleProfile sample;
  sample.profile.stacks[static_cast<std::size_t>(Weight::hold)] = {
      {main_tid, sample.in_inner, ms(1)}, {worker_tid, sample.in_main, ms(3)}};
  const std::string svg = drawn(sample.profile);
  EXPECT_THAT(svg, HasSubstr("x=\"0.00000%\" y=\"68\" width=\"100.00000%\" height=\"17\" "
                             "data-begin=\"0\" data-time=\"4000000\"><title>all threads"));
  EXPECT_THAT(svg, HasSubstr("x=\"0.00000%\" y=\"0\" width=\"25.00000%\" height=\"17\" "
                             "data-begin=\"0\" data-time=\"1000000\"><title>inner"));
  EXPECT_THAT(svg, HasSubstr("x=\"25.00000%\" y=\"51\" width=\"75.00000%\" height=\"17\" "
                             "data-begin=\"1000000\" data-time=\"3000000\"><title>worker"));
}

TEST(Flamegraph, FramesNobodyCouldSeeAreNotDrawnButCounted) {
  SampleProfile sample;
  sample.profile.stacks[static_cast<std::size_t>(Weight::hold)] = {
      {main_tid, sample.in_inner, Duration{1}}, {main_tid, sample.in_main, ms(1)}};
  const std::string svg = drawn(sample.profile);
  EXPECT_THAT(svg, Not(HasSubstr("<title>inner")));
  EXPECT_THAT(svg, HasSubstr("data-time=\"1000001\"><title>main (/srv/main.py:5)"));
}

TEST(Flamegraph, IsTheSameEveryTime) {
  EXPECT_EQ(drawn(SampleProfile().profile), drawn(SampleProfile().profile));
}

TEST(Flamegraph, HostileNamesStayText) {
  SampleProfile sample(hostile, hostile, hostile);
  sample.profile.process.command = hostile;
  const std::string svg = drawn(sample.profile);
  EXPECT_EQ(xml_fault(svg), "");
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;&quot;'&amp;amp;]]&gt;&lt;/script&gt;"));
}

TEST(Flamegraph, OfNothingSaysSo) {
  EXPECT_EQ(xml_fault(drawn(empty_profile())), "");
  EXPECT_THAT(drawn(empty_profile()), HasSubstr("No time holding the GIL was seen."));
}

}  // namespace
}  // namespace gilspy
