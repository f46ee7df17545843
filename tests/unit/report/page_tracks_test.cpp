#include "page_tracks.h"

#include <array>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "export/sample_profile.h"
#include "page_overview.h"
#include "page_stacks.h"

namespace gilspy {
namespace {

using namespace testing;

PageTracks tracks_of(const Profile& profile) {
  return tracks_of(profile, PageClock{profile}, Lanes{profile});
}

/// Units in which a track has each value, within a window.
std::map<std::uint32_t, std::uint64_t> times_of(const Track& track) {
  std::map<std::uint32_t, std::uint64_t> times;
  for (std::size_t i = 0; i < track.steps.size(); ++i) {
    const auto end = i + 1 < track.steps.size() ? track.steps[i + 1].begin : track.end;
    times[track.steps[i].value] += end - track.steps[i].begin;
  }
  return times;
}

TEST(PageClock, CountsMicrosecondsAndInLongRunsMore) {
  Profile profile = SampleProfile().profile;
  EXPECT_EQ(PageClock{profile}.unit(), Duration{1000});
  EXPECT_EQ(PageClock{profile}.end(), 10'000U);
  EXPECT_EQ(PageClock{profile}.units(at_ms(4)), 4000U);
  EXPECT_EQ(PageClock{profile}.units(at_ms(-4)), 0U);
  EXPECT_EQ(PageClock{profile}.units(at_ms(400)), 10'000U);
  profile.end = profile.begin + std::chrono::hours{24 * 400};
  const PageClock year{profile};
  EXPECT_NEAR(to_seconds(year.unit()) * year.end(), 400 * 86400.0, 0.1);
}

TEST(Tracks, AreTheIntervals) {
  const PageTracks tracks = tracks_of(SampleProfile().profile);
  ASSERT_EQ(tracks.threads.size(), 3U);
  const std::vector<Step> main{{0, 1}, {4000, 2}, {8000, 3}};
  EXPECT_EQ(tracks.threads[0].steps, main);
  EXPECT_EQ(tracks.threads[0].end, 10'000U);
  EXPECT_EQ(tracks.states[1], holding);
  EXPECT_EQ(tracks.states[2], waiting);
  EXPECT_EQ(tracks.threads[1].steps.front().begin, 1000U);
  EXPECT_EQ(tracks.threads[1].end, 9000U);
  const std::vector<Step> gil{
      {0, first_lane}, {4000, free_gil}, {4001, first_lane + 1}, {8000, unknown_holder}};
  EXPECT_EQ(tracks.gils[0].holders.steps, gil);
}

TEST(Tracks, AnIdUsedAgainIsAnotherLane) {
  SampleProfile sample;
  Profile& profile = sample.profile;
  profile.threads[1].last = at_ms(5);
  ThreadProfile again = profile.threads[1];
  again.first = at_ms(6);
  again.last = at_ms(9);
  profile.threads.push_back(again);
  const PageTracks tracks = tracks_of(profile);
  EXPECT_EQ(tracks.threads[1].end, 5000U);
  EXPECT_EQ(tracks.threads[3].steps.front().begin, 6000U);
  EXPECT_EQ(tracks.threads[3].end, 9000U);
}

/// Two threads that take turns with the GIL, in turns of 1 to 9 units.
PageTracks turns() {
  PageTracks tracks;
  tracks.states = {ThreadState{}, holding, waiting};
  tracks.threads.resize(2);
  tracks.gils.resize(1);
  std::uint32_t at = 0;
  std::uint32_t random = 1;
  for (std::uint32_t turn = 0; at < 1'000'000; ++turn) {
    random = random * 1664525 + 1013904223;
    at += 1 + (random >> 16) % 9;
    const std::uint32_t holder = turn % 2;
    tracks.threads[holder].extend(at, 1);
    tracks.threads[1 - holder].extend(at, 2);
    tracks.gils[0].holders.extend(at, first_lane + holder);
    tracks.gils[0].handoffs.push_back({at, 1});
  }
  return tracks;
}

TEST(CoarseTracks, KeepSharesAndEnds) {
  const PageTracks fine = turns();
  const PageTracks coarse = coarsened(fine, 100);
  EXPECT_LT(coarse.size(), fine.size() / 10);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(coarse.threads[i].end, fine.threads[i].end);
    const auto before = times_of(fine.threads[i]);
    // The standard error of a share near one half is 0.5 % at 10,000 looks.
    for (const auto& [value, time] : times_of(coarse.threads[i])) {
      EXPECT_NEAR(static_cast<double>(time) / coarse.threads[i].end,
                  static_cast<double>(before.at(value)) / fine.threads[i].end, 0.02);
    }
  }
}

TEST(CoarseTracks, SeeAllThreadsAtTheSameMoments) {
  const PageTracks coarse = coarsened(turns(), 100);
  const auto& a = coarse.threads[0].steps;
  const auto& b = coarse.threads[1].steps;
  const auto& gil = coarse.gils[0].holders.steps;
  ASSERT_EQ(a.size(), b.size());
  ASSERT_EQ(a.size(), gil.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].begin, b[i].begin);
    EXPECT_EQ(a[i].begin, gil[i].begin);
    EXPECT_NE(a[i].value, b[i].value);
    EXPECT_EQ(gil[i].value == first_lane, a[i].value == 1);
  }
}

TEST(CoarseTracks, CountAllHandoffs) {
  const PageTracks fine = turns();
  const PageTracks coarse = coarsened(fine, 1000);
  std::uint64_t sum = 0;
  for (const HandoffCount& moment : coarse.gils[0].handoffs) sum += moment.count;
  EXPECT_EQ(sum, fine.gils[0].handoffs.size());
  EXPECT_LE(coarse.gils[0].handoffs.size(), 1001U);
}

TEST(Overview, IsForLanesOfManySteps) {
  PageTracks tracks = turns();
  tracks.threads.push_back({});
  EXPECT_EQ(overview_lanes(tracks), (std::vector<std::uint32_t>{0, 1}));
}

TEST(Overview, SaysHowMuchOfACellIsWhat) {
  const PageTracks tracks = turns();
  Packer packer;
  pack_overview(tracks, {0}, tracks.threads[0].end, packer);
  const std::string& bytes = packer.bytes();
  ASSERT_EQ(bytes.size(), activity_count * overview_cells);
  const auto sum = [&](Activity activity) {
    double total = 0;
    for (std::size_t i = 0; i < overview_cells; ++i) {
      total += static_cast<unsigned char>(
          bytes[static_cast<std::size_t>(activity) * overview_cells + i]);
    }
    return total / 255 / overview_cells;
  };
  const auto times = times_of(tracks.threads[0]);
  const double end = tracks.threads[0].end;
  EXPECT_NEAR(sum(Activity::holding_running), static_cast<double>(times.at(1)) / end, 0.002);
  EXPECT_NEAR(sum(Activity::waiting), static_cast<double>(times.at(2)) / end, 0.002);
  EXPECT_EQ(sum(Activity::blocked), 0);
}

TEST(Samples, AreLeftOutWhereTheNextOneOfTheirActivitySaysTheSame) {
  SampleProfile sample;
  Profile& profile = sample.profile;
  // Main holds until 4 ms, waits until 8, sleeps until 10.
  profile.timeline.stacks[main_tid] = {{at_ms(1), sample.in_work}, {at_ms(2), sample.in_work},
                                       {at_ms(3), sample.in_main}, {at_ms(5), sample.in_main},
                                       {at_ms(6), sample.in_main}, {at_ms(9), sample.in_work}};
  const auto samples = samples_of(profile, PageClock{profile});
  const auto& main = samples[0];
  ASSERT_EQ(main.size(), 4U);
  EXPECT_EQ(main[0].at, 2000U);
  EXPECT_EQ(main[0].stack, sample.in_work);
  EXPECT_EQ(main[0].activity, Activity::holding_running);
  EXPECT_EQ(main[1].at, 3000U);
  EXPECT_EQ(main[2].at, 6000U);
  EXPECT_EQ(main[2].activity, Activity::waiting);
  EXPECT_EQ(main[3].at, 9000U);
  EXPECT_EQ(main[3].activity, Activity::blocked);
}

TEST(Samples, ThinnedAreThinnedByActivity) {
  std::vector<PageSample> all;
  for (std::uint32_t i = 0; i < 100; ++i) {
    all.push_back({i, i % 10 == 0 ? Activity::waiting : Activity::running, StackId{i}});
  }
  const auto kept = thinned({all}, 5)[0];
  std::array<int, activity_count> counts{};
  for (const PageSample& sample : kept) ++counts[static_cast<std::size_t>(sample.activity)];
  EXPECT_EQ(counts[static_cast<std::size_t>(Activity::waiting)], 2);
  EXPECT_EQ(counts[static_cast<std::size_t>(Activity::running)], 18);
}

}  // namespace
}  // namespace gilspy
