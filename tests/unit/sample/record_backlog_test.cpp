#include "record_backlog.h"

#include <gtest/gtest.h>

namespace gilspy {
namespace {

using Kind = TraceRecord::Kind;
using std::chrono::nanoseconds;

TraceRecord record_at(std::int64_t at, Kind kind = Kind::given_cpu) {
  return {kind, Time{nanoseconds{at}}, Tid{7}};
}

TEST(RecordBacklog, GivesThemInTheOrderOfTime) {
  RecordBacklog backlog;
  for (const int at : {5, 1, 9, 3}) backlog.keep(record_at(at));
  const auto first = backlog.take_until(Time{nanoseconds{5}});
  EXPECT_EQ(first, (std::vector{record_at(1), record_at(3), record_at(5)}));
  EXPECT_EQ(backlog.take_until(Time{nanoseconds{100}}), std::vector{record_at(9)});
  EXPECT_EQ(backlog.lost(), 0U);
}

TEST(RecordBacklog, CountsWhatTheKernelLost) {
  RecordBacklog backlog;
  auto lost = record_at(2, Kind::lost);
  lost.count = 40;
  backlog.keep(lost);
  EXPECT_EQ(backlog.take_until(Time{nanoseconds{2}}), std::vector{lost});
  EXPECT_EQ(backlog.lost(), 40U);
}

TEST(RecordBacklog, KeepsSoManyAndTellsHowManyMoreThereWere) {
  RecordBacklog backlog;
  const auto most = static_cast<std::int64_t>(RecordBacklog::most_kept);
  for (std::int64_t at = 0; at < 2 * most; ++at) backlog.keep(record_at(at));
  EXPECT_EQ(backlog.kept().size(), RecordBacklog::most_kept);
  const auto taken = backlog.take_until(Time{nanoseconds{2 * most}});
  ASSERT_EQ(taken.size(), RecordBacklog::most_kept + 1);
  auto lost = record_at(most, Kind::lost);
  lost.tid = no_thread;
  lost.count = RecordBacklog::most_kept;
  EXPECT_EQ(taken.back(), lost);
  EXPECT_EQ(backlog.lost(), RecordBacklog::most_kept);
  // From there on there is room.
  backlog.keep(record_at(2 * most));
  EXPECT_EQ(backlog.take_until(Time{nanoseconds{2 * most}}), std::vector{record_at(2 * most)});
}

TEST(RecordBacklog, OfATimeOfWhichSomeAreLostKeepsNone) {
  RecordBacklog backlog;
  const auto most = static_cast<std::int64_t>(RecordBacklog::most_kept);
  // One CPU's ring, and then another one's of the same time.
  for (std::int64_t at = 0; at < most; ++at) backlog.keep(record_at(at));
  for (std::int64_t at = 100; at < 110; ++at) backlog.keep(record_at(at));
  const auto taken = backlog.take_until(Time{nanoseconds{most}});
  ASSERT_EQ(taken.size(), 101U);
  EXPECT_EQ(taken[99], record_at(99));
  EXPECT_EQ(taken[100].kind, Kind::lost);
  EXPECT_EQ(taken[100].at, Time{nanoseconds{100}});
  EXPECT_EQ(taken[100].count, RecordBacklog::most_kept - 100 + 10);
}

}  // namespace
}  // namespace gilspy
