#include "gilspy/os/process_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <numeric>

#include "os/waiting_process.h"

namespace gilspy {
namespace {

RemoteAddress address_of(const volatile void* pointer) {
  return RemoteAddress{reinterpret_cast<std::uintptr_t>(pointer)};
}

/// A readable page with an unmapped one behind it.
class LonePage {
 public:
  LonePage() {
    void* both =
        ::mmap(nullptr, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bytes_ = static_cast<std::uint8_t*>(both);
    ::munmap(bytes_ + size, size);
    std::iota(bytes_, bytes_ + size, std::uint8_t{0});
  }
  LonePage(const LonePage&) = delete;
  LonePage& operator=(const LonePage&) = delete;
  ~LonePage() { ::munmap(bytes_, size); }

  [[nodiscard]] RemoteAddress begin() const { return address_of(bytes_); }
  [[nodiscard]] RemoteAddress end() const { return begin() + size; }
  static constexpr std::size_t size = 4096;

 private:
  std::uint8_t* bytes_ = nullptr;
};

class ProcessMemoryTest : public ::testing::Test {
 protected:
  LonePage page;
  ProcessMemory memory{Pid{::getpid()}};
};

TEST_F(ProcessMemoryTest, ReadsAllSlotsOfABatch) {
  std::array<std::byte, 3> first{};
  std::array<std::byte, 2> second{};
  const std::array slots{ReadSlot{page.begin() + 5, first}, ReadSlot{page.end() - 2, second}};
  EXPECT_EQ(memory.read_batch(slots), 2U);
  EXPECT_EQ(first, (std::array{std::byte{5}, std::byte{6}, std::byte{7}}));
  EXPECT_EQ(second, (std::array{std::byte{254}, std::byte{255}}));
}

TEST_F(ProcessMemoryTest, ReadsEachSlotByItselfWhereverTheNextOneLies) {
  std::array<std::array<std::byte, 2>, 6> bytes{};
  const std::array<std::size_t, 6> places{7, 9, 300, 301, 40, 4094};
  std::vector<ReadSlot> slots;
  slots.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    slots.push_back({page.begin() + places[i], bytes[i]});
  }
  EXPECT_EQ(memory.read_batch(slots), slots.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(bytes[i], (std::array{std::byte(places[i]), std::byte(places[i] + 1)})) << i;
  }
}

TEST_F(ProcessMemoryTest, ReadsNothingForAnEmptyBatch) { EXPECT_EQ(memory.read_batch({}), 0U); }

TEST_F(ProcessMemoryTest, EndsTheBatchAtASlotThatIsNotMapped) {
  std::array<std::byte, 8> a{};
  std::array<std::byte, 8> b{};
  std::array<std::byte, 8> c{};
  const ReadSlot good{page.begin(), a};
  EXPECT_EQ(memory.read_batch(std::array{good, ReadSlot{page.end(), b}, ReadSlot{page.begin(), c}}),
            1U);
  EXPECT_EQ(memory.read_batch(std::array{ReadSlot{page.end(), b}, good}), 0U);
  EXPECT_EQ(memory.read_batch(std::array{ReadSlot{RemoteAddress{}, b}, good}), 0U);
  EXPECT_EQ(memory.read_batch(std::array{ReadSlot{RemoteAddress{UINT64_MAX - 3}, b}}), 0U);
}

TEST_F(ProcessMemoryTest, CountsASlotBeforeOneOfTheNextPageThatIsNotMapped) {
  std::array<std::byte, 8> a{};
  std::array<std::byte, 8> b{};
  for (const std::uint64_t before : {8U, 9U, 4096U}) {
    const ReadSlot last{page.end() - before, a};
    EXPECT_EQ(memory.read_batch(std::array{last, ReadSlot{page.end(), b}}), 1U);
    EXPECT_EQ(memory.read_batch(std::array{last, ReadSlot{page.end() - 4, b}}), 1U);
  }
}

TEST_F(ProcessMemoryTest, DoesNotCountASlotThatIsMappedInPart) {
  std::array<std::byte, 8> a{};
  std::array<std::byte, 8> b{};
  EXPECT_EQ(memory.read_batch(std::array{ReadSlot{page.begin(), a}, ReadSlot{page.end() - 4, b}}),
            1U);
  EXPECT_EQ(memory.read_batch(std::array{ReadSlot{page.end() - 4, b}, ReadSlot{page.begin(), a}}),
            0U);
}

TEST_F(ProcessMemoryTest, ReadsMoreSlotsThanOneSystemCallTakes) {
  std::vector<std::byte> bytes(3000);
  std::vector<ReadSlot> slots;
  slots.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    slots.push_back({page.begin() + i, std::span{bytes}.subspan(i, 1)});
  }
  EXPECT_EQ(memory.read_batch(slots), 3000U);
  for (std::size_t i = 0; i < bytes.size(); ++i) ASSERT_EQ(bytes[i], std::byte(i & 0xFF)) << i;
  for (const std::size_t bad : {0U, 1023U, 1024U, 1500U, 2999U}) {
    auto broken = slots;
    broken[bad].from = page.end();
    EXPECT_EQ(memory.read_batch(broken), bad);
  }
}

TEST_F(ProcessMemoryTest, ReadsValues) {
  EXPECT_EQ(memory.read_value<std::uint16_t>(page.begin() + 1), 0x0201);
  EXPECT_EQ(memory.read_pointer(page.begin()), RemoteAddress{0x0706050403020100});
  const auto missing = memory.read_value<std::uint16_t>(page.end() - 1);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorClass::retry);
}

TEST_F(ProcessMemoryTest, ReadsAnotherProcess) {
  volatile int secret = 1;
  const testing::WaitingProcess child;
  secret = 2;  // only here: the child has its own copy by now
  ProcessMemory other{child.pid()};
  EXPECT_EQ(other.read_value<int>(address_of(&secret)), 1);
  EXPECT_EQ(secret, 2);
}

TEST_F(ProcessMemoryTest, SaysThatTheTargetIsGone) {
  testing::WaitingProcess child;
  ProcessMemory other{child.pid()};
  EXPECT_TRUE(other.read_value<std::uint8_t>(page.begin()));
  for (const bool reaped : {false, true}) {
    reaped ? child.reap() : child.end();
    const auto value = other.read_value<std::uint8_t>(page.begin());
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().kind, ErrorClass::target_gone);
  }
}

}  // namespace
}  // namespace gilspy
