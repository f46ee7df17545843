#include <map>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_profile.h"

namespace gilspy {
namespace {

using namespace testing;
using nlohmann::json;
using ::testing::ElementsAre;

/// A file taken apart as the viewer does.
struct GeckoRead {
  explicit GeckoRead(const Profile& profile)
      : document(json::parse(written(gecko_exporter(), profile))) {
    for (const json& thread : document["threads"]) threads[thread["name"]] = thread;
  }

  [[nodiscard]] std::string text(const json& index) const {
    return document["shared"]["stringArray"].at(index.get<std::size_t>());
  }
  [[nodiscard]] std::string category(const json& index) const {
    return document["meta"]["categories"].at(index.get<std::size_t>())["name"];
  }
  /// "main:5>work:20 (holding, running)", with the category of the top frame.
  [[nodiscard]] std::string stack(std::size_t index) const {
    const json& stacks = document["shared"]["stackTable"];
    const json& frames = document["shared"]["frameTable"];
    std::string path;
    std::string suffix;
    for (json at = index; !at.is_null(); at = stacks["prefix"].at(at.get<std::size_t>())) {
      const auto frame = stacks["frame"].at(at.get<std::size_t>()).get<std::size_t>();
      const auto function = frames["func"].at(frame).get<std::size_t>();
      if (suffix.empty()) suffix = " (" + category(frames["category"].at(frame)) + ")";
      path = text(document["shared"]["funcTable"]["name"].at(function)) + ":" +
             frames["line"].at(frame).dump() + (path.empty() ? "" : ">") + path;
    }
    return path + suffix;
  }
  /// "0.25+1.75 main:5>work:20 (holding, running)": begin and length in ms.
  [[nodiscard]] std::vector<std::string> samples(const std::string& thread) const {
    const json& table = threads.at(thread)["samples"];
    std::vector<std::string> result;
    for (std::size_t i = 0; i < table["length"]; ++i) {
      std::ostringstream line;
      line << table["time"].at(i).get<double>() << '+' << table["weight"].at(i).get<double>() << ' '
           << stack(table["stack"].at(i));
      result.push_back(line.str());
    }
    return result;
  }

  json document;
  std::map<std::string, json> threads;
};

TEST(Gecko, ATimesPiecesCarryStackAndState) {
  const GeckoRead read(SampleProfile().profile);
  EXPECT_THAT(
      read.samples("MainThread"),
      ElementsAre(
          "0+0.25 [no Python stack]:null (holding, running)",
          "0.25+1.75 main:5>work:20 (holding, running)", "2+1 main:5>work:21 (holding, running)",
          "3+1 main:5>work:21>inner:31 (holding, running)",
          "4+1 main:5>work:21>inner:31 (waiting for the GIL)", "5+1 main:5 (waiting for the GIL)",
          "6+1 [no Python stack]:null (waiting for the GIL)",
          "7+1 main:5>work:20 (waiting for the GIL)", "8+2 main:5>work:20 (blocked)"));
  EXPECT_EQ(read.threads.at("MainThread")["samples"]["weightType"], "tracing-ms");
}

TEST(Gecko, ASampleTellsTheCpuTimeSinceTheOneBefore) {
  const GeckoRead read(SampleProfile().profile);
  EXPECT_THAT(read.threads.at("MainThread")["samples"]["threadCPUDelta"],
              ElementsAre(0, 250, 1750, 1000, 1000, 0, 0, 0, 0));
}

TEST(Gecko, MarkersTellOfWaitsAndHolds) {
  const GeckoRead read(SampleProfile().profile);
  const json& markers = read.threads.at("MainThread")["markers"];
  ASSERT_EQ(markers["length"], 3);
  EXPECT_EQ(read.text(markers["name"][1]), "waiting for the GIL");
  EXPECT_EQ(markers["data"][1], json({{"type", "GilWait"}, {"holder", "worker (1001)"}}));
  EXPECT_EQ(markers["startTime"][1], 4);
  EXPECT_EQ(markers["endTime"][1], 8);
  EXPECT_EQ(markers["data"][2],
            json({{"type", "Blocked"}, {"syscall", "clock_nanosleep"}, {"kind", "sleep"}}));
  std::map<std::string, bool> described;
  for (const json& schema : read.document["meta"]["markerSchema"]) described[schema["name"]] = true;
  for (const auto& [name, thread] : read.threads) {
    for (const json& data : thread["markers"]["data"]) EXPECT_TRUE(described[data["type"]]);
  }
}

TEST(Gecko, TheGilIsATrackOfItsHolders) {
  const GeckoRead read(SampleProfile().profile);
  const json& markers = read.threads.at("GIL")["markers"];
  std::vector<std::string> names;
  for (const json& name : markers["name"]) names.push_back(read.text(name));
  EXPECT_THAT(names, ElementsAre("MainThread (1000)", "worker (1001)", "unknown"));
  EXPECT_DOUBLE_EQ(markers["startTime"][1], 4.0005);
}

TEST(Gecko, TimesBeginAtTheRunsOwnStart) {
  SampleProfile sample;
  sample.profile.process.unix_ns = 1'700'000'000'500'000'000;
  const json meta = GeckoRead(sample.profile).document["meta"];
  EXPECT_DOUBLE_EQ(meta["startTime"], 1'700'000'000'500);
  EXPECT_EQ(meta["startTimeAsClockMonotonicNanosecondsSinceBoot"], to_ns(at_ms(0)));
  EXPECT_EQ(meta["preprocessedProfileVersion"], 60);
}

TEST(Gecko, ColumnsAreAsLongAsTheirTables) {
  const GeckoRead read(SampleProfile().profile);
  const auto expect_whole = [](const json& table) {
    for (const auto& [name, column] : table.items()) {
      if (!column.is_array()) continue;
      EXPECT_EQ(column.size(), table["length"]) << name;
    }
  };
  for (const auto& [name, table] : read.document["shared"].items()) {
    if (table.is_object()) expect_whole(table);
  }
  for (const auto& [name, thread] : read.threads) {
    expect_whole(thread["samples"]);
    expect_whole(thread["markers"]);
  }
}

TEST(Gecko, HostileNamesAndNothingAtAll) {
  SampleProfile sample(hostile, hostile, hostile);
  sample.profile.process.command = hostile;
  EXPECT_EQ(GeckoRead(sample.profile).threads.size(), 4U);
  EXPECT_EQ(GeckoRead(empty_profile()).threads.size(), 0U);
}

}  // namespace
}  // namespace gilspy
