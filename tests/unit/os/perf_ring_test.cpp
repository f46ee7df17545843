#include "gilspy/os/perf_ring.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "gilspy/base/bytes.h"
#include "gilspy/base/time.h"
#include "gilspy/os/perf_event.h"

namespace gilspy {
namespace {

/// A context switch's record under the sample_type below.
struct Switch {
  std::int32_t pid = 0;
  std::int32_t tid = 0;
  std::int64_t time = 0;
};

perf_event_attr switches() {
  perf_event_attr attributes = perf_attributes(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
  attributes.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
  attributes.sample_id_all = 1;
  attributes.context_switch = 1;
  attributes.exclude_kernel = 1;
  return attributes;
}

UniqueFd event_of(Tid tid) {
  int error = 0;
  UniqueFd event = open_perf_event(switches(), tid, -1, error);
  return event;
}

TEST(PerfRing, HasTheSwitchesOfItsThreadOnTheMonotonicClock) {
  const Tid self{::gettid()};
  const UniqueFd event = event_of(self);
  if (!event) GTEST_SKIP() << "perf events are not allowed here";
  int error = 0;
  auto ring = PerfRing::map(event.get(), 4, error);
  ASSERT_TRUE(ring) << error;
  ASSERT_TRUE(start_perf_event(event.get()));
  const Time before = now();
  for (int i = 0; i < 5; ++i) std::this_thread::sleep_for(std::chrono::microseconds{100});
  const Time after = now();
  std::size_t outs = 0;
  EXPECT_TRUE(ring->drain([&](const PerfRecord& record) {
    if (record.type != PERF_RECORD_SWITCH) return;
    const auto body = load<Switch>(record.body, 0);
    ASSERT_TRUE(body);
    EXPECT_EQ(body->tid, self.value);
    if (body->time < to_ns(before) || body->time > to_ns(after)) return;
    outs += (record.misc & PERF_RECORD_MISC_SWITCH_OUT) != 0 ? 1 : 0;
  }));
  EXPECT_GE(outs, 5U);
  std::size_t again = 0;
  EXPECT_TRUE(ring->drain([&](const PerfRecord& record) {
    const auto body = load<Switch>(record.body, 0);
    if (body && body->time < to_ns(after)) ++again;
  }));
  EXPECT_EQ(again, 0U);
}

/// How often this thread has done so, by the kernel's own count.
std::uint64_t times_off_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::uint64_t>(usage.ru_nvcsw + usage.ru_nivcsw);
}

TEST(PerfRing, RecordsThatFindNoRoomAreCounted) {
  const UniqueFd event = event_of(Tid{::gettid()});
  if (!event) GTEST_SKIP() << "perf events are not allowed here";
  int error = 0;
  auto ring = PerfRing::map(event.get(), 1, error);
  ASSERT_TRUE(ring) << error;
  ASSERT_TRUE(start_perf_event(event.get()));
  // Each time it leaves its CPU gives two records of 24 bytes: a page has room for 170.
  const std::uint64_t before = times_off_cpu();
  for (int i = 0; i < 200; ++i) std::this_thread::sleep_for(std::chrono::microseconds{1});
  const std::uint64_t records = 2 * (times_off_cpu() - before);
  ASSERT_GT(records, 170U);
  EXPECT_TRUE(ring->drain([](const PerfRecord&) {}));
  for (int i = 0; i < 3; ++i) std::this_thread::sleep_for(std::chrono::microseconds{1});
  std::uint64_t lost = 0;
  EXPECT_TRUE(ring->drain([&](const PerfRecord& record) {
    if (record.type == PERF_RECORD_LOST) lost += load<std::uint64_t>(record.body, 8).value_or(0);
  }));
  EXPECT_GE(lost, records - 170U);
}

TEST(PerfRing, CannotBeMappedOfWhatIsNoEvent) {
  int error = 0;
  EXPECT_FALSE(PerfRing::map(-1, 4, error));
  EXPECT_EQ(error, EBADF);
}

TEST(PerfEvent, OfAThreadThatIsGoneSaysSo) {
  int error = 0;
  EXPECT_FALSE(open_perf_event(switches(), Tid{0x3FFFFFF}, -1, error));
  EXPECT_TRUE(error == ESRCH || error == EACCES) << error;
}

TEST(ParseCpuList, TakesNumbersAndRanges) {
  EXPECT_EQ(parse_cpu_list("0-3,8\n"), (std::vector<int>{0, 1, 2, 3, 8}));
  EXPECT_EQ(parse_cpu_list("0\n"), std::vector<int>{0});
}

TEST(ParseCpuList, StopsAtWhatMakesNoSense) {
  EXPECT_TRUE(parse_cpu_list("").empty());
  EXPECT_TRUE(parse_cpu_list("x").empty());
  EXPECT_TRUE(parse_cpu_list("5-2").empty());
  EXPECT_TRUE(parse_cpu_list("0-99999999").empty());
  EXPECT_EQ(parse_cpu_list("1,2-,4"), std::vector<int>{1});
}

TEST(OnlineCpus, HasTheOneThatThisRunsOn) {
  const auto cpus = online_cpus();
  EXPECT_NE(std::ranges::find(cpus, ::sched_getcpu()), cpus.end());
}

}  // namespace
}  // namespace gilspy
