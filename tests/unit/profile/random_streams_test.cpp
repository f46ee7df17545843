#include <array>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "stream.h"

namespace gilspy::testing {
namespace {

/// Draws events without any care for whether they make sense.
class Chaos {
 public:
  explicit Chaos(unsigned seed) : random_(seed) {}

  void feed(ProfileBuilder& builder, int events) {
    ProcessStarted process;
    process.at = time_from_ns(now_);
    process.pid = Pid{100};
    process.cores = 2;
    process.switch_interval = Duration{500};
    builder.accept(process);
    for (std::uint32_t i = 1; i < 6; ++i) {
      builder.accept(StackDefined{StackId{i}, StackId{i - 1}, CodeId{i}, i});
    }
    for (int i = 0; i < events; ++i) builder.accept(event());
  }

 private:
  std::uint32_t below(std::uint32_t end) {
    return std::uniform_int_distribution<std::uint32_t>{0, end - 1}(random_);
  }
  Tid tid() { return Tid{static_cast<std::int32_t>(below(6))}; }
  std::optional<GilId> gil() {
    const std::uint32_t id = below(3);
    return id == 2 ? std::nullopt : std::optional{GilId{id}};
  }
  ThreadState state() {
    return {static_cast<GilState>(below(5)), static_cast<CpuState>(below(5)), BlockKind::none, -1};
  }
  Event event() {
    now_ += static_cast<std::int64_t>(below(4) * below(1000));
    const Time at = time_from_ns(now_);
    switch (below(12)) {
      case 0: return ThreadSeen{at, Pid{100}, tid(), StringId{0}, true, gil()};
      case 1: return below(4) == 0 ? Event{ThreadGone{at, tid()}} : Event{Noted{at, Pid{100}, "n"}};
      case 2:
      case 3:
      case 4: return GilChanged{at, GilId{below(2)}, tid(), below(8) != 0, below(3)};
      case 5:
      case 6: return StackSampled{at, tid(), StackId{below(8)}};
      default: return StateChanged{at, tid(), state()};
    }
  }

  std::mt19937 random_;
  std::int64_t now_ = 1'000'000;
};

Duration total(const Profile& p, Weight weight, Tid tid) {
  Duration sum{};
  for (const StackWeight& row : p.stacks_by(weight)) {
    if (row.tid == tid) sum += row.time;
  }
  return sum;
}

void expect_exact_sums(const Profile& p) {
  std::map<Tid, ActivityTimes> times;
  for (const ThreadProfile& thread : p.threads) {
    Duration sum{};
    for (std::size_t i = 0; i < activity_count; ++i) {
      sum += thread.times[i];
      times[thread.tid][i] += thread.times[i];
    }
    ASSERT_EQ(sum, thread.last - thread.first);
    ASSERT_LE(thread.longest_wait, time_in(thread.times, Activity::waiting));
    ASSERT_LE(thread.longest_hold, thread.last - thread.first);
  }
  for (const auto& [tid, t] : times) {
    const auto in = [&, &own = t](Activity activity) { return time_in(own, activity); };
    const Duration hold = in(Activity::holding_running) + in(Activity::holding_blocked);
    Duration wall{};
    for (const Duration time : t) wall += time;
    ASSERT_EQ(total(p, Weight::hold, tid), hold);
    ASSERT_EQ(total(p, Weight::wait, tid), in(Activity::waiting));
    ASSERT_EQ(total(p, Weight::cpu, tid), in(Activity::holding_running) + in(Activity::running));
    ASSERT_EQ(total(p, Weight::wall, tid), wall);

    Duration blamed{};
    Duration blame_of{};
    for (const Blame& row : p.blame) {
      if (row.waiter == tid) blamed += row.time;
      if (row.holder == tid && tid != no_thread) blame_of += row.time;
    }
    ASSERT_EQ(blamed, in(Activity::waiting));
    ASSERT_EQ(total(p, Weight::blame, tid), blame_of);

    const auto intervals = p.timeline.threads.at(tid);
    Duration drawn{};
    for (std::size_t i = 0; i < intervals.size(); ++i) {
      drawn += intervals[i].end - intervals[i].begin;
      if (i > 0) {
        ASSERT_LE(intervals[i - 1].end, intervals[i].begin);
      }
    }
    ASSERT_EQ(drawn, wall);
  }
  for (const GilProfile& gil : p.gils) {
    Duration held{};
    Duration unknown{};
    for (const HolderInterval& i : p.timeline.gils.at(gil.id)) {
      if (i.holder != no_thread) held += i.end - i.begin;
      if (!i.known) unknown += i.end - i.begin;
    }
    ASSERT_EQ(gil.held, held);
    ASSERT_EQ(gil.unknown, unknown);
    ASSERT_LE(gil.contended, gil.wait);
    ASSERT_LE(gil.contended, p.wall());
  }
}

TEST(RandomStreams, EverythingAddsUpExactly) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    ProfileBuilder builder;
    Chaos chaos{seed};
    chaos.feed(builder, 400);
    ASSERT_NO_FATAL_FAILURE(expect_exact_sums(builder.profile()));
    chaos.feed(builder, 100);  // the same process once more, after a look in mid-stream
    ASSERT_NO_FATAL_FAILURE(expect_exact_sums(builder.profile()));
  }
}

TEST(HostileStreams, NothingAtAll) {
  const Profile p = ProfileBuilder{}.profile();
  EXPECT_EQ(p.wall(), Duration{});
  EXPECT_TRUE(p.threads.empty());
  ASSERT_NE(p.tables, nullptr);
  EXPECT_EQ(p.verdict.kind, VerdictKind::insufficient_data);
}

TEST(HostileStreams, TimesThatLeapAndGoBack) {
  Stream s;
  s.start();
  for (int i = 0; i < 2000; ++i) {
    const Tid tid{1000 + i};
    s.builder.accept(ThreadSeen{time_from_ns(-5), Pid{100}, tid, StringId{9}, true, main_gil});
    s.builder.accept(StateChanged{at_ms(0), tid, waiting});
  }
  s.holder(0, A);
  s.builder.accept(Progress{.at = Time::max(), .ticks = ~0ULL, .missed = ~0ULL});
  s.builder.accept(StateChanged{Time::min(), Tid{1000}, running});
  s.builder.accept(ProcessEnded{at_ms(1), Pid{100}, EndReason::lost});
  const Profile p = s.profile();
  EXPECT_GT(p.wall(), std::chrono::hours{24 * 365});
  EXPECT_LT(p.wall(), std::chrono::hours{24 * 500});
  EXPECT_EQ(p.gils[0].wait, Duration::max());  // 2000 years would not fit
  for (const ThreadProfile& thread : p.threads) {
    EXPECT_EQ(time_in(thread.times, Activity::waiting), p.wall());
  }
}

TEST(HostileStreams, EventsOfNobody) {
  ProfileBuilder builder;
  builder.accept(StateChanged{at_ms(1), A, waiting});
  builder.accept(StackSampled{at_ms(2), A, StackId{7}});
  builder.accept(ThreadGone{at_ms(3), A});
  builder.accept(GilChanged{at_ms(4), GilId{4'000'000'000}, A, true, 3});
  builder.accept(ProcessEnded{at_ms(14), Pid{1}});
  const Profile p = builder.profile();
  EXPECT_TRUE(p.threads.empty());
  ASSERT_EQ(p.gils.size(), 1U);
  EXPECT_EQ(p.gils[0].held, ms(10));
  EXPECT_EQ(p.end_reason, EndReason::requested);
}

}  // namespace
}  // namespace gilspy::testing
