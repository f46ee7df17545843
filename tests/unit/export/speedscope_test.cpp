#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_profile.h"

namespace gilspy {
namespace {

using namespace testing;
using nlohmann::json;
using ::testing::ElementsAre;

json exported(const Profile& profile, Weight weight) {
  return json::parse(written(speedscope_exporter(), profile, weight));
}

/// "main>work" for the sample of this index.
std::string path(const json& file, const json& profile, std::size_t sample) {
  std::string text;
  for (const json& frame : profile["samples"].at(sample)) {
    text += (text.empty() ? "" : ">") +
            file["shared"]["frames"].at(frame.get<std::size_t>())["name"].get<std::string>();
  }
  return text;
}

std::vector<std::string> paths(const json& file, const json& profile) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < profile["samples"].size(); ++i) {
    result.push_back(path(file, profile, i));
  }
  return result;
}

double sum(const json& profile) {
  double seconds = 0;
  for (const json& weight : profile["weights"]) seconds += weight.get<double>();
  return seconds;
}

void expect_consistent(const json& file) {
  EXPECT_EQ(file["$schema"], "https://www.speedscope.app/file-format-schema.json");
  for (const json& profile : file["profiles"]) {
    EXPECT_EQ(profile["type"], "sampled");
    EXPECT_EQ(profile["unit"], "seconds");
    EXPECT_EQ(profile["samples"].size(), profile["weights"].size());
    EXPECT_NEAR(sum(profile),
                profile["endValue"].get<double>() - profile["startValue"].get<double>(), 1e-9);
    for (const json& sample : profile["samples"]) {
      for (const json& frame : sample) {
        EXPECT_LT(frame.get<std::size_t>(), file["shared"]["frames"].size());
      }
    }
  }
}

TEST(Speedscope, WallKeepsTheOrderOfTime) {
  const json file = exported(SampleProfile().profile, Weight::wall);
  expect_consistent(file);
  // The native thread has no Python stack at all and is left out.
  ASSERT_EQ(file["profiles"].size(), 2);
  const json& main = file["profiles"][0];
  EXPECT_EQ(main["name"], "MainThread (1000)");
  EXPECT_THAT(paths(file, main),
              ElementsAre("[no Python stack]", "main>work", "main>work", "main>work>inner", "main",
                          "[no Python stack]", "main>work"));
  EXPECT_DOUBLE_EQ(sum(main), 0.010);
  EXPECT_DOUBLE_EQ(main["startValue"], 1000.0);
  EXPECT_DOUBLE_EQ(sum(file["profiles"][1]), 0.008);
}

TEST(Speedscope, OtherWeightsAreTheSumsPerStack) {
  const json file = exported(SampleProfile().profile, Weight::hold);
  expect_consistent(file);
  ASSERT_EQ(file["profiles"].size(), 2);
  EXPECT_THAT(paths(file, file["profiles"][0]),
              ElementsAre("[no Python stack]", "main>work", "main>work>inner"));
  EXPECT_THAT(file["profiles"][0]["weights"], ElementsAre(0.0005, 0.002, 0.0015));
  EXPECT_DOUBLE_EQ(file["profiles"][0]["startValue"], 0);
}

TEST(Speedscope, FramesCarryFileAndLine) {
  const json file = exported(SampleProfile().profile, Weight::hold);
  const json frame = {{"name", "work"}, {"file", "/srv/app.py"}, {"line", 20}};
  EXPECT_THAT(file["shared"]["frames"], ::testing::Contains(frame));
}

TEST(Speedscope, SaysWhatItIs) {
  const json file = exported(SampleProfile().profile, Weight::hold);
  EXPECT_EQ(file["name"], "gilspy: python app.py (hold)");
  EXPECT_EQ(file["activeProfileIndex"], 0);
  EXPECT_THAT(file["exporter"].get<std::string>(), ::testing::StartsWith("gilspy "));
  EXPECT_EQ(file["gilspy"]["sampling"],
            "1000 Hz asked, 1000.0 Hz achieved; 10 ticks, 2 missed, 0 unstable; "
            "0 stacks, 0 dropped, 0 read again; resolution 1 ms");
}

TEST(Speedscope, ThreadsWithoutWeightAreLeftOut) {
  EXPECT_TRUE(exported(SampleProfile().profile, Weight::wait)["profiles"].empty());
  EXPECT_TRUE(exported(empty_profile(), Weight::wall)["profiles"].empty());
}

TEST(Speedscope, HostileNamesStayInsideTheirStrings) {
  for (const Weight weight : {Weight::hold, Weight::wall}) {
    SampleProfile sample(hostile, hostile, hostile);
    sample.profile.process.command = hostile;
    expect_consistent(exported(sample.profile, weight));
  }
}

}  // namespace
}  // namespace gilspy
