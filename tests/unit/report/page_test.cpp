#include "gilspy/report/page.h"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "export/sample_profile.h"

namespace gilspy {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(const Profile& profile) { return written(html_exporter(), profile); }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Page, FetchesNothing) {
  const std::string page = page_of(SampleProfile().profile);
  EXPECT_THAT(page,
              HasSubstr("content=\"default-src 'none'; base-uri 'none'; form-action 'none'; "));
  EXPECT_THAT(page, Not(HasSubstr("unsafe-inline")));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr(" src=")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
}

TEST(Page, NamesTheHashOfEachOfItsScripts) {
  const std::string page = page_of(SampleProfile().profile);
  const std::size_t scripts = count(page, "<script>");
  EXPECT_GT(scripts, 5U);
  EXPECT_EQ(count(page, "'sha256-"), scripts + 1);  // and the style
}

TEST(Page, EveryElementIsClosedByUsAlone) {
  const std::string plain = page_of(SampleProfile().profile);
  SampleProfile sample(hostile, hostile, hostile);
  sample.profile.process.command = hostile;
  sample.profile.verdict.text = hostile;
  sample.profile.notes.push_back(Noted{at_ms(1), pid, std::string(hostile)});
  const std::string page = page_of(sample.profile);
  EXPECT_EQ(count(page, "</script>"), count(plain, "</script>"));
  EXPECT_EQ(count(page, "<b>"), count(plain, "<b>"));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
}

TEST(Page, ScriptsHoldNothingThatEndsThem) {
  const std::string page = page_of(SampleProfile().profile);
  EXPECT_EQ(count(page, "<script"), count(page, "</script>"));
  EXPECT_EQ(count(page, "<!--"), 0U);
}

TEST(Page, OfNothingIsAPage) { EXPECT_THAT(page_of(empty_profile()), HasSubstr("</html>")); }

TEST(Page, IsTheSameEveryTime) {
  EXPECT_EQ(page_of(SampleProfile().profile), page_of(SampleProfile().profile));
}

}  // namespace
}  // namespace gilspy
