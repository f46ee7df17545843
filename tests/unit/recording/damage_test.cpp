#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "gilspy/base/failure.h"
#include "raw_recording.h"
#include "recording_helpers.h"

namespace gilspy {
namespace {

using testing::compressed;
using ::testing::HasSubstr;
using testing::is_prefix;
using testing::little_endian;
using testing::raw_frame;
using testing::raw_frame_with_sizes;
using testing::raw_header;
using testing::replay_bytes;

constexpr std::size_t header_size = 10;

std::string failure_of(const std::string& bytes) {
  try {
    static_cast<void>(replay_bytes(bytes));
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::other);
    return failure.what();
  }
  return "";
}

TEST(DamagedRecording, CutAnywhereGivesThePartBeforeTheCut) {
  const auto events = testing::small_stream();
  const std::string bytes = testing::record(events);
  std::size_t most = 0;
  for (std::size_t size = header_size; size < bytes.size(); ++size) {
    const auto back = replay_bytes(bytes.substr(0, size));
    EXPECT_TRUE(is_prefix(back.events, events)) << "cut at " << size;
    EXPECT_GE(back.events.size(), most) << "cut at " << size;
    EXPECT_FALSE(back.result.whole) << "cut at " << size;
    EXPECT_NE(back.result.problem, "") << "cut at " << size;
    most = back.events.size();
  }
  EXPECT_GT(most, 0U);
}

TEST(DamagedRecording, CutInItsHeaderIsNoRecording) {
  const std::string bytes = raw_header();
  for (std::size_t size = 0; size < header_size; ++size) {
    EXPECT_THAT(failure_of(bytes.substr(0, size)), HasSubstr("not a gilspy recording"));
  }
}

TEST(DamagedRecording, AnyBitFlippedIsNoticed) {
  const auto events = testing::small_stream();
  const std::string bytes = testing::record(events);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    if (bit / 8 < header_size) {
      EXPECT_NE(failure_of(damaged), "") << "bit " << bit;
      continue;
    }
    const auto back = replay_bytes(damaged);
    EXPECT_TRUE(is_prefix(back.events, events)) << "bit " << bit;
    EXPECT_LT(back.events.size(), events.size()) << "bit " << bit;
    EXPECT_FALSE(back.result.whole) << "bit " << bit;
  }
}

TEST(DamagedRecording, RandomBytesGiveNoEvents) {
  std::mt19937 random{7};
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = raw_header();
    const std::size_t size = random() % 200;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
    EXPECT_TRUE(replay_bytes(bytes).events.empty());
  }
}

TEST(DamagedRecording, RandomPayloadsBehindAGoodChecksumDoNotCrash) {
  std::mt19937 random{8};
  for (int round = 0; round < 5000; ++round) {
    std::string payload;
    const std::size_t size = 1 + random() % 60;
    // Small numbers are kinds and counts, and so lead further into the decoder.
    for (std::size_t i = 0; i < size; ++i) {
      payload += static_cast<char>(random() % (round % 2 == 0 ? 26 : 256));
    }
    const auto back = replay_bytes(raw_header() + raw_frame(payload));
    EXPECT_FALSE(back.result.frames == 0 && !back.events.empty());
  }
}

TEST(DamagedRecording, ForeignFilesAreRefused) {
  EXPECT_THAT(failure_of(""), HasSubstr("not a gilspy recording"));
  EXPECT_THAT(failure_of("{\"traceEvents\": []}"), HasSubstr("not a gilspy recording"));
  EXPECT_THAT(failure_of(raw_header(0)), HasSubstr("not a gilspy recording"));
  // What a text-mode copy makes of it.
  EXPECT_THAT(failure_of(std::string{"GILSPY\n\x01\0\0\0", 11}),
              HasSubstr("not a gilspy recording"));
}

TEST(DamagedRecording, ANewerVersionIsNamed) {
  const std::string failure = failure_of(raw_header(2) + "whatever");
  EXPECT_THAT(failure, HasSubstr("version 2"));
  EXPECT_THAT(failure, HasSubstr("newer gilspy"));
}

std::string problem_of_frame(const std::string& frame) {
  const auto back = replay_bytes(raw_header() + frame);
  EXPECT_TRUE(back.events.empty());
  EXPECT_EQ(back.result.frames, 0U);
  EXPECT_FALSE(back.result.whole);
  return back.result.problem;
}

TEST(HostileFrame, SizesAreBounded) {
  constexpr std::size_t mib = std::size_t{1} << 20;
  const std::string stored = compressed("");
  EXPECT_THAT(problem_of_frame(raw_frame_with_sizes(stored, 0xFFFFFFFF, 0)), HasSubstr("size"));
  EXPECT_THAT(problem_of_frame(raw_frame_with_sizes(stored, stored.size(), mib + 1)),
              HasSubstr("size"));
  EXPECT_THAT(problem_of_frame(raw_frame(std::string(mib + 1, '\1'))), HasSubstr("size"));
}

TEST(HostileFrame, MustDecompressToTheSizeItSays) {
  const std::string payload(500, '\2');
  const std::string stored = compressed(payload);
  for (const std::size_t size : {0, 499, 501}) {
    EXPECT_THAT(problem_of_frame(raw_frame_with_sizes(stored, stored.size(), size)),
                HasSubstr("decompress"));
  }
  EXPECT_THAT(problem_of_frame(raw_frame_with_sizes("no zstd", 7, 100)), HasSubstr("decompress"));
}

/// Kind, size and body of an event that carries its size.
std::string sized(int kind, const std::string& body) {
  return little_endian(static_cast<std::uint64_t>(kind), 1) + little_endian(body.size(), 1) + body;
}

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text += static_cast<char>(value);
  return text;
}

TEST(HostileFrame, ValuesAreChecked) {
  constexpr int state_changed = 1, gil_changed = 2, string_defined = 18, code_defined = 19,
                thread_seen = 22, thread_gone = 23, process_ended = 17, progress = 25;
  const std::string too_long = bytes({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02});
  const std::string over_u32 = bytes({0x80, 0x80, 0x80, 0x80, 0x10});
  const std::vector<std::pair<std::string, std::string>> cases{
      {"GilState 5", bytes({state_changed, 0, 0, 2, 0, 5, 0, 0, 1})},
      {"CpuState 5", bytes({state_changed, 0, 0, 2, 0, 0, 5, 0, 1})},
      {"BlockKind 7", bytes({state_changed, 0, 0, 2, 0, 0, 0, 7, 1})},
      {"syscall 32768", bytes({state_changed, 0, 0, 2, 0, 0, 0, 0, 0x80, 0x80, 0x04})},
      {"EndReason 4", sized(process_ended, bytes({0, 2, 4}))},
      {"bool 2", bytes({gil_changed, 0, 0, 0, 2, 2, 0})},
      {"a thread not named yet", bytes({state_changed, 0, 1, 2, 0, 0, 0, 0, 1})},
      {"a state not named yet", bytes({state_changed, 0, 0, 2, 1, 0, 0, 0, 1})},
      {"an endless number", sized(string_defined, too_long + bytes({0}))},
      {"a number beyond 64 bits", sized(progress, bytes({0}) + too_long + std::string(6, '\0'))},
      {"an id beyond 32 bits", sized(code_defined, over_u32 + bytes({0, 0, 0}))},
      {"a GIL beyond 32 bits",
       sized(thread_seen, bytes({0, 2, 0, 2, 0, 1, 0x81, 0x80, 0x80, 0x80, 0x10}))},
      {"a text longer than the event", sized(string_defined, bytes({0, 5, 'a', 'b'}))},
      {"a text beyond the limit", sized(string_defined, bytes({0, 0x81, 0x80, 0x04}))},
      {"an event longer than the frame", bytes({string_defined, 9, 0, 1, 'a'})},
      {"an event longer than 64 bits", bytes({string_defined}) + too_long},
      {"an event cut short", bytes({state_changed, 0, 0})},
      {"bytes left in an event", sized(thread_gone, bytes({0, 0, 2, 0}))},
      {"a time beyond 63 bits", sized(thread_gone, bytes({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                                          0x80, 0x80, 0x01, 0, 2}))},
      {"an unknown frequent kind", bytes({4, 0, 0, 0})},
      {"kind 0", bytes({0})},
  };
  for (const auto& [name, payload] : cases) {
    EXPECT_NE(problem_of_frame(raw_frame(payload)), "") << name;
    // A good event in front of it must not get out either.
    EXPECT_NE(problem_of_frame(raw_frame(sized(string_defined, bytes({0, 1, 'a'})) + payload)), "")
        << name;
  }
}

TEST(HostileFrame, RatesAreNumbers) {
  constexpr int process_started = 16;
  const std::string before = bytes({0, 2, 0, 0, 0, 0, 0, 0});
  const std::string zero(8, '\0');
  const std::string after = bytes({0});
  const auto frame_with = [&](const std::string& requested, const std::string& stack) {
    return raw_frame(sized(process_started, before + requested + stack + after));
  };
  ASSERT_EQ(replay_bytes(raw_header() + frame_with(zero, zero)).events.size(), 1U);
  for (const std::uint64_t bits : {0x7FF0000000000000ULL, 0x7FF8000000000001ULL}) {
    const std::string bad = little_endian(bits, 8);
    EXPECT_THAT(problem_of_frame(frame_with(bad, zero)), HasSubstr("rate"));
    EXPECT_THAT(problem_of_frame(frame_with(zero, bad)), HasSubstr("rate"));
  }
}

TEST(HostileFrame, TimeCannotGoBackFromFrameToFrame) {
  const std::string late = raw_frame(sized(23, bytes({9, 0, 2})));
  const std::string early = raw_frame(sized(23, bytes({8, 0, 2})));
  const auto back = replay_bytes(raw_header() + late + early);
  EXPECT_EQ(back.events.size(), 1U);
  EXPECT_EQ(back.result.frames, 1U);
  EXPECT_THAT(back.result.problem, HasSubstr("back in time"));
  EXPECT_EQ(replay_bytes(raw_header() + early + late).events.size(), 2U);
}

TEST(NewerRecording, UnknownSizedEventsAreSkipped) {
  const std::string payload = sized(23, bytes({9, 0, 2})) + sized(200, "from the future") +
                              sized(255, "") + sized(23, bytes({1, 0}));
  const auto back = replay_bytes(raw_header() + raw_frame(payload));
  const std::vector<Event> expected{ThreadGone{time_from_ns(9), Tid{1}},
                                    ThreadGone{time_from_ns(10), Tid{1}}};
  EXPECT_EQ(back.events, expected);
  EXPECT_EQ(back.result.frames, 1U);
}

}  // namespace
}  // namespace gilspy
