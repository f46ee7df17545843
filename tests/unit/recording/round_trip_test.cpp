#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>

#include "gilspy/model/lateness.h"
#include "recording_helpers.h"

namespace gilspy {
namespace {

using testing::at_ms;
using testing::record;
using testing::replay_bytes;

constexpr std::uint32_t u32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t u64_max = std::numeric_limits<std::uint64_t>::max();
constexpr std::int32_t i32_max = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t i32_min = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t i64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t i64_min = std::numeric_limits<std::int64_t>::min();
constexpr std::size_t longest_text = 65536;
constexpr Time end_of_time = time_from_ns(i64_max);

TEST(Recording, GivesBackEveryKindOfEvent) {
  const auto events = testing::small_stream();
  const auto back = replay_bytes(record(events));
  EXPECT_EQ(back.events, events);
  EXPECT_TRUE(back.result.whole);
  EXPECT_EQ(back.result.problem, "");
  EXPECT_EQ(back.result.frames, 3U);
}

TEST(Recording, GivesBackTheExtremesOfEveryField) {
  ProcessStarted least{};
  ProcessStarted most{end_of_time,
                      Pid{i32_max},
                      std::string(longest_text, 'c'),
                      std::string(longest_text, 'p'),
                      true,
                      false,
                      i64_min,
                      u32_max,
                      std::numeric_limits<double>::max(),
                      std::numeric_limits<double>::denorm_min(),
                      Duration::max()};
  const ThreadState last_state{GilState::holding, CpuState::stopped, BlockKind::other, 32767};
  const ThreadState odd_state{GilState::none, CpuState::blocked, BlockKind::poll, -32768};
  const std::vector<Event> events{
      least,
      StringDefined{},
      CodeDefined{},
      StackDefined{},
      GilDefined{},
      ThreadSeen{},
      ThreadGone{},
      StateChanged{},
      GilChanged{},
      StackSampled{},
      Noted{},
      Progress{},
      NativeMarked{},
      NativeSource{},
      NativeCounted{},
      LatenessCounted{},
      ProcessEnded{},
      most,
      StringDefined{StringId{u32_max}, std::string(longest_text, 's')},
      CodeDefined{CodeId{u32_max}, StringId{u32_max}, StringId{u32_max}, u32_max},
      StackDefined{StackId{u32_max}, StackId{u32_max}, CodeId{u32_max}, u32_max},
      GilDefined{GilId{u32_max}, Pid{i32_min}, StringId{u32_max}},
      ThreadSeen{end_of_time, Pid{i32_min}, Tid{i32_min}, StringId{u32_max}, true, GilId{u32_max}},
      ThreadGone{end_of_time, Tid{i32_max}},
      StateChanged{end_of_time, Tid{i32_max}, last_state},
      StateChanged{end_of_time, Tid{i32_min}, odd_state},
      GilChanged{end_of_time, GilId{u32_max}, Tid{i32_max}, false, u32_max},
      StackSampled{end_of_time, Tid{i32_max}, StackId{u32_max}},
      Noted{end_of_time, Pid{i32_max}, std::string(longest_text, 'n')},
      Progress{end_of_time, u64_max, u64_max, u64_max, u64_max, u64_max, u64_max, Duration::min(),
               StackTrouble{u64_max, u64_max, {u64_max, u64_max, u64_max, u64_max, u64_max}}},
      NativeMarked{CodeId{u32_max}},
      NativeSource{CodeId{u32_max}, StringId{u32_max}, u32_max},
      NativeCounted{end_of_time, u64_max, u64_max, u64_max},
      LatenessCounted{end_of_time, std::vector<std::uint64_t>(Lateness::buckets, u64_max),
                      Duration::max(), u64_max},
      ProcessEnded{end_of_time, Pid{i32_max}, EndReason::lost}};
  const auto back = replay_bytes(record(events));
  EXPECT_EQ(back.events, events);
  EXPECT_TRUE(back.result.whole) << back.result.problem;
}

TEST(Recording, GivesBackEveryThreadState) {
  std::vector<Event> events;
  for (int code = 0; code < 5 * 5 * 7; ++code) {
    const ThreadState state{static_cast<GilState>(code % 5), static_cast<CpuState>(code / 5 % 5),
                            static_cast<BlockKind>(code / 25), static_cast<std::int16_t>(code - 1)};
    events.emplace_back(StateChanged{at_ms(code), Tid{7000 + code % 9}, state});
    events.emplace_back(StateChanged{at_ms(code), Tid{7000 + code % 4}, state});
  }
  EXPECT_EQ(replay_bytes(record(events)).events, events);
}

TEST(Recording, GivesBackUnicodeAndControlCharacters) {
  using std::string_literals::operator""s;
  std::vector<Event> events;
  for (const std::string& text :
       {""s, "größe"s, "計算"s, "🐍"s, "a\0b\r\n\t\x7F"s, "\u07FF\uFFFD\U0010FFFF"s}) {
    events.emplace_back(StringDefined{StringId{static_cast<std::uint32_t>(events.size())}, text});
  }
  EXPECT_EQ(replay_bytes(record(events)).events, events);
}

TEST(Recording, ReplacesWhatIsNotUtf8) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"caf\xE9", "caf\uFFFD"},  // Latin-1
      {"\xE9"
       "abc",
       "\uFFFDabc"},                                     // a lead byte without its followers
      {"\xC0\xAF", "\uFFFD\uFFFD"},                      // overlong
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},            // a surrogate
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},  // beyond U+10FFFF
      {"x\xF0\x9F\x90", "x\uFFFD\uFFFD\uFFFD"},          // cut short
  };
  for (const auto& [written, read] : cases) {
    const auto back = replay_bytes(record({StringDefined{StringId{0}, written}}));
    ASSERT_EQ(back.events.size(), 1U);
    EXPECT_EQ(std::get<StringDefined>(back.events[0]).text, read);
  }
}

TEST(Recording, CutsTextThatIsTooLongBetweenTwoCharacters) {
  std::string text(longest_text - 1, 'x');
  const std::string kept = text;
  text += "é and more";
  const auto back = replay_bytes(record({Noted{at_ms(0), Pid{1}, text}}));
  ASSERT_EQ(back.events.size(), 1U) << back.result.problem;
  EXPECT_EQ(std::get<Noted>(back.events[0]).text, kept);
}

TEST(Recording, AClockThatGoesBackLeavesARecordingThatReads) {
  const std::vector<Event> events{ThreadGone{time_from_ns(-5), Tid{1}},
                                  ThreadGone{at_ms(2000), Tid{1}}, ThreadGone{at_ms(1), Tid{2}},
                                  ThreadGone{at_ms(2001), Tid{3}}};
  const std::vector<Event> expected{
      ThreadGone{time_from_ns(0), Tid{1}}, ThreadGone{at_ms(2000), Tid{1}},
      ThreadGone{at_ms(2000), Tid{2}}, ThreadGone{at_ms(2001), Tid{3}}};
  EXPECT_EQ(replay_bytes(record(events)).events, expected);
}

TEST(Recording, GivesBackManyEventsOfManyFrames) {
  std::mt19937_64 random{1};
  const std::array states{testing::holding, testing::waiting, testing::running, testing::sleeping};
  std::vector<Event> events{testing::process_started(0, Pid{1})};
  std::int64_t ns = to_ns(at_ms(0));
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    ns += static_cast<std::int64_t>(random() % 50'000);
    const Tid tid{static_cast<std::int32_t>(5000 + random() % 300)};
    if (i % 3 == 0) {
      events.emplace_back(StringDefined{StringId{i / 3}, "function_" + std::to_string(random())});
    }
    events.emplace_back(StateChanged{time_from_ns(ns), tid, states[random() % states.size()]});
    events.emplace_back(StackSampled{time_from_ns(ns), tid, StackId{i}});
  }
  events.emplace_back(ProcessEnded{time_from_ns(ns), Pid{1}, EndReason::requested});
  const auto back = replay_bytes(record(events));
  EXPECT_TRUE(back.events == events);
  EXPECT_TRUE(back.result.whole) << back.result.problem;
  EXPECT_GT(back.result.frames, 4U);
}

TEST(Recording, IsWholeOnlyWhenEveryProcessEnded) {
  const auto started = [](int pid) { return testing::process_started(0, Pid{pid}); };
  const auto ended = [](int pid) { return ProcessEnded{at_ms(1), Pid{pid}, EndReason::requested}; };
  const auto whole = [](const std::vector<Event>& events) {
    const auto back = replay_bytes(record(events));
    EXPECT_EQ(back.result.problem.empty(), back.result.whole);
    return back.result.whole;
  };
  EXPECT_FALSE(whole({}));
  EXPECT_FALSE(whole({started(1)}));
  EXPECT_FALSE(whole({started(1), started(2), ended(1)}));
  EXPECT_TRUE(whole({started(1), started(2), ended(1), ended(2)}));
  // An exec of another Python starts the same pid again.
  EXPECT_FALSE(whole({started(1), ended(1), started(1)}));
}

}  // namespace
}  // namespace gilspy
