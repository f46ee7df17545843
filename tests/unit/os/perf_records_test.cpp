#include "gilspy/os/perf_records.h"

#include <gtest/gtest.h>
#include <linux/perf_event.h>

#include <array>
#include <cstring>
#include <random>

namespace gilspy {
namespace {

constexpr std::size_t ring_size = 64;

/// A ring of 64 bytes, written from any position on.
class Ring {
 public:
  explicit Ring(std::uint64_t start) : tail(start), head(start) {}

  void put(std::uint32_t type, std::uint16_t size, std::uint8_t fill) {
    const perf_event_header header{type, 7, size};
    std::vector<std::byte> record(std::max<std::size_t>(size, sizeof(header)), std::byte{fill});
    std::memcpy(record.data(), &header, sizeof(header));
    for (const std::byte byte : record) bytes[head++ % ring_size] = byte;
  }
  [[nodiscard]] PerfRecordWalk walk() const { return {bytes, tail, head}; }

  std::vector<std::byte> bytes = std::vector<std::byte>(ring_size);
  std::uint64_t tail;
  std::uint64_t head;
};

TEST(PerfRecordWalk, AnEmptyRingHasNone) {
  PerfRecordWalk walk = Ring{5 * ring_size}.walk();
  EXPECT_FALSE(walk.next());
  EXPECT_FALSE(walk.damaged());
}

TEST(PerfRecordWalk, GivesEachRecordWithItsBody) {
  Ring ring{0};
  ring.put(9, 24, 0xAA);
  ring.put(14, 8, 0);
  PerfRecordWalk walk = ring.walk();
  auto record = walk.next();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->type, 9U);
  EXPECT_EQ(record->misc, 7);
  ASSERT_EQ(record->body.size(), 16U);
  EXPECT_EQ(record->body[15], std::byte{0xAA});
  record = walk.next();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->type, 14U);
  EXPECT_TRUE(record->body.empty());
  EXPECT_FALSE(walk.next());
  EXPECT_FALSE(walk.damaged());
}

TEST(PerfRecordWalk, ARecordMayWrapAroundTheEndAnywhere) {
  for (std::uint64_t start = 1000 * ring_size; start < 1001 * ring_size; ++start) {
    Ring ring{start};
    ring.put(9, 40, 0x5C);
    ring.put(2, 24, 0x11);
    PerfRecordWalk walk = ring.walk();
    const auto first = walk.next();
    ASSERT_TRUE(first) << start;
    ASSERT_EQ(first->body.size(), 32U);
    for (const std::byte byte : first->body) EXPECT_EQ(byte, std::byte{0x5C});
    const auto second = walk.next();
    ASSERT_TRUE(second) << start;
    EXPECT_EQ(second->type, 2U);
    EXPECT_EQ(second->body.size(), 16U);
    EXPECT_FALSE(walk.next());
  }
}

TEST(PerfRecordWalk, SizesThatCannotBeRightEndIt) {
  for (const auto size : std::to_array<std::uint16_t>({0, 1, 7, 33, 64, 65535})) {
    Ring ring{ring_size};
    ring.put(9, 8, 0);
    ring.put(9, 24, 0);
    std::memcpy(ring.bytes.data() + 8 + offsetof(perf_event_header, size), &size, sizeof(size));
    PerfRecordWalk walk = ring.walk();
    EXPECT_TRUE(walk.next());
    EXPECT_FALSE(walk.next()) << size;
    EXPECT_TRUE(walk.damaged()) << size;
    EXPECT_FALSE(walk.next()) << size;
  }
}

TEST(PerfRecordWalk, PositionsThatCannotBeRightEndIt) {
  const std::vector<std::byte> bytes(ring_size);
  for (const auto& [tail, head] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 4}, {8, 0}, {0, ring_size + 8}, {0, UINT64_MAX}, {UINT64_MAX - 7, 0}}) {
    PerfRecordWalk walk{bytes, tail, head};
    EXPECT_FALSE(walk.next());
    EXPECT_TRUE(walk.damaged());
  }
}

TEST(PerfRecordWalk, RandomBytesNeverLeadOutOfTheRing) {
  std::minstd_rand random{1};
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::byte> bytes(ring_size);
    for (std::byte& byte : bytes) byte = std::byte(random() % 3 == 0 ? random() % 32 : 0);
    const std::uint64_t tail = random() % 256;
    PerfRecordWalk walk{bytes, tail, tail + random() % (ring_size + 1)};
    std::size_t taken = 0;
    while (const auto record = walk.next())
      taken += sizeof(perf_event_header) + record->body.size();
    EXPECT_LE(taken, ring_size);
  }
}

}  // namespace
}  // namespace gilspy
