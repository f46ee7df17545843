#include "trace_records.h"

#include <gtest/gtest.h>
#include <linux/futex.h>

#include <cstring>
#include <random>
#include <vector>

namespace gilspy {
namespace {

using Kind = TraceRecord::Kind;

constexpr Pid process{100};
const FutexPoint point{522, 16, 24};

/// A record's body, field after field.
class Body {
 public:
  template <class T>
  Body& put(T value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof(value));
    return *this;
  }
  Body& identity(std::int32_t pid, std::int32_t tid, std::int64_t time) {
    return put(pid).put(tid).put(time);
  }
  [[nodiscard]] PerfRecord record(std::uint32_t type, std::uint16_t misc = 0) const {
    return {type, misc, bytes_};
  }
  [[nodiscard]] std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

std::optional<TraceRecord> parse(const PerfRecord& record) {
  return parse_trace_record(record, process, point);
}

Body futex_call(std::uint64_t address, std::uint64_t operation, std::uint16_t id = 522) {
  Body body;
  body.identity(100, 101, 5000).put(std::uint32_t{64});
  body.put(id).put(std::uint16_t{0}).put(std::int32_t{101}).put(std::uint64_t{202});
  body.put(address).put(operation);
  for (int i = 0; i < 4; ++i) body.put(std::uint64_t{0});
  return body;
}

TEST(ParseTraceRecord, ContextSwitches) {
  const Body body = Body{}.identity(100, 101, 7);
  EXPECT_EQ(parse(body.record(PERF_RECORD_SWITCH)),
            (TraceRecord{Kind::given_cpu, time_from_ns(7), Tid{101}}));
  EXPECT_EQ(parse(body.record(PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT))->kind,
            Kind::blocked);
  EXPECT_EQ(parse(body.record(PERF_RECORD_SWITCH,
                              PERF_RECORD_MISC_SWITCH_OUT | PERF_RECORD_MISC_SWITCH_OUT_PREEMPT))
                ->kind,
            Kind::preempted);
}

TEST(ParseTraceRecord, FutexCalls) {
  const auto wait = parse(futex_call(0x7f00, FUTEX_WAIT_BITSET_PRIVATE).record(PERF_RECORD_SAMPLE));
  ASSERT_TRUE(wait);
  EXPECT_EQ(wait->kind, Kind::futex_wait);
  EXPECT_EQ(wait->address, 0x7f00U);
  EXPECT_EQ(wait->tid, Tid{101});
  EXPECT_EQ(wait->at, time_from_ns(5000));
  EXPECT_TRUE(wait->until);
  const auto plain = parse(futex_call(1, FUTEX_WAIT).record(PERF_RECORD_SAMPLE));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->kind, Kind::futex_wait);
  EXPECT_FALSE(plain->until);
  EXPECT_EQ(parse(futex_call(1, FUTEX_WAKE_PRIVATE).record(PERF_RECORD_SAMPLE))->kind,
            Kind::futex_wake);
  EXPECT_FALSE(parse(futex_call(1, FUTEX_LOCK_PI).record(PERF_RECORD_SAMPLE)));
}

TEST(ParseTraceRecord, OtherTracepointsAreOfNoInterest) {
  EXPECT_FALSE(parse(futex_call(1, 0, 520).record(PERF_RECORD_SAMPLE)));
}

TEST(ParseTraceRecord, ThreadsThatComeAndGo) {
  Body body;
  body.put(std::int32_t{100}).put(std::int32_t{100}).put(std::int32_t{105}).put(std::int32_t{101});
  body.put(std::int64_t{9}).identity(100, 101, 9);
  EXPECT_EQ(parse(body.record(PERF_RECORD_FORK)),
            (TraceRecord{Kind::forked, time_from_ns(9), Tid{105}}));
  EXPECT_EQ(parse(body.record(PERF_RECORD_EXIT))->kind, Kind::exited);
}

TEST(ParseTraceRecord, LostOnesWhateverProcessTheyWereOf) {
  const auto lost = parse(Body{}
                              .put(std::uint64_t{3})
                              .put(std::uint64_t{17})
                              .identity(0, 0, 9)
                              .record(PERF_RECORD_LOST));
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->count, 17U);
  EXPECT_EQ(lost->at, time_from_ns(9));
  EXPECT_EQ(
      parse(Body{}.put(std::uint64_t{4}).identity(0, 0, 9).record(PERF_RECORD_LOST_SAMPLES))->count,
      4U);
}

TEST(ParseTraceRecord, OtherProcessesAreLeftOut) {
  EXPECT_FALSE(parse(Body{}.identity(99, 101, 7).record(PERF_RECORD_SWITCH)));
  Body call = futex_call(1, 0);
  const std::int32_t other = 99;
  std::memcpy(call.bytes().data(), &other, sizeof(other));
  EXPECT_FALSE(parse(call.record(PERF_RECORD_SAMPLE)));
}

TEST(ParseTraceRecord, ATruncatedOneIsNone) {
  const Body whole = futex_call(1, FUTEX_WAIT);
  const std::size_t needed = 20 + 32;
  for (std::size_t size = 0; size < 20 + 64; ++size) {
    std::vector<std::byte> bytes = Body{whole}.bytes();
    bytes.resize(size);
    const auto parsed = parse({PERF_RECORD_SAMPLE, 0, bytes});
    EXPECT_FALSE(parsed) << size;
    // Nor one that says itself that it is shorter than its arguments are.
    bytes = Body{whole}.bytes();
    const auto raw = static_cast<std::uint32_t>(size);
    std::memcpy(bytes.data() + 16, &raw, sizeof(raw));
    EXPECT_EQ(parse({PERF_RECORD_SAMPLE, 0, bytes}).has_value(), size >= needed - 20 && size <= 64)
        << size;
  }
  for (const std::uint32_t type : {PERF_RECORD_SWITCH, PERF_RECORD_FORK, PERF_RECORD_EXIT,
                                   PERF_RECORD_LOST, PERF_RECORD_LOST_SAMPLES}) {
    for (std::size_t size = 0; size < 15; ++size) {
      const std::vector<std::byte> bytes(size);
      EXPECT_FALSE(parse({type, 0, bytes})) << type << " " << size;
    }
  }
}

TEST(ParseTraceRecord, RandomBytesDoNoHarm) {
  std::minstd_rand random{3};
  for (int round = 0; round < 50000; ++round) {
    std::vector<std::byte> bytes(random() % 96);
    for (std::byte& byte : bytes) byte = std::byte(random() % 4 == 0 ? random() % 256 : 0);
    static_cast<void>(parse({static_cast<std::uint32_t>(random() % 20),
                             static_cast<std::uint16_t>(random() % 65536), bytes}));
  }
}

}  // namespace
}  // namespace gilspy
