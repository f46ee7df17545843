#include "gilspy/os/stack_event.h"

#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <random>
#include <thread>

namespace gilspy {
namespace {

std::vector<std::byte> bytes_of(const std::vector<std::uint64_t>& words) {
  std::vector<std::byte> bytes(words.size() * sizeof(std::uint64_t));
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

/// A sample with registers 100, 101, ... in perf's order and a stack of two words in a room of
/// three.
std::vector<std::uint64_t> sample() {
  std::vector<std::uint64_t> words{PERF_SAMPLE_REGS_ABI_64};
  for (std::uint64_t i = 0; i < Registers::count; ++i) words.push_back(100 + i);
  words.insert(words.end(), {24, 7, 8, 9, 16});
  return words;
}

TEST(ParseStackSample, TakesOutRegistersAndTheUsedPartOfTheStack) {
  const auto copy = parse_stack_sample(bytes_of(sample()));
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->registers[3], 101U);  // perf's second one is rbx
  EXPECT_EQ(copy->registers[Registers::stack_pointer], 107U);
  EXPECT_EQ(copy->registers[Registers::instruction], 108U);
  EXPECT_EQ(copy->registers[15], 116U);
  EXPECT_EQ(copy->stack, bytes_of({7, 8}));
}

TEST(ParseStackSample, OfAThreadWithoutUserModeIsNone) {
  EXPECT_FALSE(parse_stack_sample(bytes_of({PERF_SAMPLE_REGS_ABI_NONE, 0})));
}

TEST(ParseStackSample, CutOrSenselessGivesNoMoreThanThereIs) {
  const auto whole = bytes_of(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto copy = parse_stack_sample(std::span{whole}.first(size));
    EXPECT_TRUE(!copy || copy->stack.empty()) << size;
  }
  std::mt19937_64 random{1};
  for (int round = 0; round < 2000; ++round) {
    auto words = sample();
    for (int i = 0; i < 3; ++i) words[random() % words.size()] = random() >> (random() % 64);
    const auto copy = parse_stack_sample(bytes_of(words));
    EXPECT_TRUE(!copy || copy->stack.size() <= 24);
  }
}

TEST(StackEvent, CopiesARunningThreadsRegistersAndStack) {
  std::atomic<bool> ending = false;
  std::atomic<std::int32_t> tid = 0;
  std::atomic<std::uint64_t> place = 0;
  std::thread thread{[&] {
    std::uint64_t here = 0;
    place = reinterpret_cast<std::uint64_t>(&here);
    tid = static_cast<std::int32_t>(::syscall(SYS_gettid));
    while (!ending) {
    }
  }};
  while (tid == 0) std::this_thread::yield();
  int error = 0;
  auto event = StackEvent::open(Tid{tid}, error);
  std::optional<StackCopy> copy;
  if (event) {
    EXPECT_TRUE(event->ask());
    for (int i = 0; !copy && i < 100'000; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds{100});
      copy = event->take();
    }
  }
  ending = true;
  thread.join();
  if (!event) GTEST_SKIP() << "perf events are not allowed here: " << std::strerror(error);
  ASSERT_TRUE(copy);
  const std::uint64_t stack = copy->registers[Registers::stack_pointer];
  EXPECT_LE(stack, place + 4096);
  EXPECT_GE(stack + 65536, place);
  EXPECT_FALSE(copy->stack.empty());
}

}  // namespace
}  // namespace gilspy
