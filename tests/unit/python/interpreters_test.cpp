#include "gilspy/python/interpreters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "fake_memory.h"
#include "layouts.h"

namespace gilspy {
namespace {

/// A runtime with interpreters and threads, built through the layout of a version.
class InterpretersTest : public testing::TestWithParam<int> {
 protected:
  /// Interpreters are linked newest first, as CPython does.
  RemoteAddress add_interpreter(std::int64_t id, RemoteAddress gil) {
    const RemoteAddress address = next_;
    next_ = next_ + (std::uint64_t{1} << 20);
    memory.put(at.interpreter.next.in(address), head_);
    memory.put(at.interpreter.id.in(address), id);
    memory.put(at.interpreter.threads_head.in(address), RemoteAddress{});
    if (own_gils()) memory.put(at.interpreter.gil.in(address), gil);
    memory.put(at.runtime.interpreters_head.in(runtime), address);
    head_ = address;
    return address;
  }
  /// Threads as well.
  RemoteAddress add_thread(RemoteAddress interpreter, std::uint64_t number) {
    const RemoteAddress address = next_;
    next_ = next_ + 4096;
    memory.put_zeros(address, at.thread.struct_size);
    const auto head =
        memory.read_pointer(at.interpreter.threads_head.in(interpreter)).value_or(RemoteAddress{});
    memory.put(at.thread.next.in(address), head);
    memory.put(at.thread.interp.in(address), interpreter);
    memory.put(at.thread.thread_id.in(address), 0x7f0000000000 + number);
    if (native_ids()) memory.put(at.thread.native_thread_id.in(address), 1000 + number);
    memory.put(at.interpreter.threads_head.in(interpreter), address);
    return address;
  }

  [[nodiscard]] bool own_gils() const {
    return layout.traits.gil_place == Traits::GilPlace::interpreter;
  }
  [[nodiscard]] bool native_ids() const {
    return layout.traits.thread_id == Traits::ThreadId::native;
  }
  /// A GIL of this address where interpreters point at theirs, else the only one there is.
  [[nodiscard]] RemoteAddress gil_of(RemoteAddress own) const {
    return own_gils() ? own : at.runtime.gil.in(runtime);
  }
  [[nodiscard]] PythonThread thread_of(RemoteAddress address, RemoteAddress interpreter,
                                       std::uint64_t number) const {
    return {address, interpreter, 0x7f0000000000 + number, native_ids() ? 1000 + number : 0};
  }

  [[nodiscard]] Result<std::vector<PythonInterpreter>> read() {
    return read_interpreters(memory, layout, runtime);
  }
  [[nodiscard]] std::optional<ErrorClass> error() {
    const auto result = read();
    if (result) return std::nullopt;
    EXPECT_FALSE(result.error().what.empty());
    return result.error().kind;
  }

  const Layout& layout = *layout_for({3, static_cast<std::uint8_t>(GetParam()), 0}, false);
  const Offsets& at = layout.at;
  FakeMemory memory;
  const RemoteAddress runtime{0x555500000000};

 private:
  RemoteAddress head_;
  RemoteAddress next_{0x7e0000000000};
};

INSTANTIATE_TEST_SUITE_P(Versions, InterpretersTest, testing::ValuesIn(all_minors()));

constexpr RemoteAddress gil_a{0x7d0000000000};
constexpr RemoteAddress gil_b{0x7d0000100000};
using Threads = std::vector<PythonThread>;

TEST_P(InterpretersTest, ReadsOneWithItsThreads) {
  const RemoteAddress main = add_interpreter(0, gil_a);
  const RemoteAddress first = add_thread(main, 1);
  const RemoteAddress second = add_thread(main, 2);
  const auto all = read();
  ASSERT_TRUE(all) << all.error().what;
  ASSERT_EQ(all->size(), 1U);
  const PythonInterpreter& only = all->front();
  EXPECT_EQ(only.address, main);
  EXPECT_EQ(only.id, 0);
  EXPECT_EQ(only.gil, gil_of(gil_a));
  EXPECT_EQ(only.threads_head, second);
  EXPECT_EQ(only.threads, (Threads{thread_of(second, main, 2), thread_of(first, main, 1)}));
}

TEST_P(InterpretersTest, ReadsSeveralWithAGilOfTheirOwnOrOneThatTheyShare) {
  const RemoteAddress main = add_interpreter(0, gil_a);
  const RemoteAddress sharing = add_interpreter(1, gil_a);
  const RemoteAddress apart = add_interpreter(2, gil_b);
  const RemoteAddress in_main = add_thread(main, 1);
  const RemoteAddress in_apart = add_thread(apart, 2);
  const auto all = read();
  ASSERT_TRUE(all) << all.error().what;
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ((*all)[0].address, apart);
  EXPECT_EQ((*all)[0].id, 2);
  EXPECT_EQ((*all)[0].gil, gil_of(gil_b));
  EXPECT_EQ((*all)[0].threads, Threads{thread_of(in_apart, apart, 2)});
  EXPECT_EQ((*all)[1].address, sharing);
  EXPECT_EQ((*all)[1].gil, gil_of(gil_a));
  EXPECT_TRUE((*all)[1].threads.empty());
  EXPECT_TRUE((*all)[1].threads_head.is_null());
  EXPECT_EQ((*all)[2].gil, gil_of(gil_a));
  EXPECT_EQ((*all)[2].threads, Threads{thread_of(in_main, main, 1)});
}

TEST_P(InterpretersTest, ReadsNoneOfARuntimeThatIsJustStarting) {
  memory.put(at.runtime.interpreters_head.in(runtime), RemoteAddress{});
  const auto all = read();
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->empty());
}

TEST_P(InterpretersTest, RetriesAThreadListThatRunsInACircle) {
  const RemoteAddress main = add_interpreter(0, gil_a);
  const RemoteAddress first = add_thread(main, 1);
  const RemoteAddress second = add_thread(main, 2);
  memory.put(at.thread.next.in(first), second);
  EXPECT_EQ(error(), ErrorClass::retry);
  memory.put(at.thread.next.in(first), first);
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(InterpretersTest, RetriesAThreadOfAnotherInterpreter) {
  const RemoteAddress main = add_interpreter(0, gil_a);
  const RemoteAddress first = add_thread(main, 1);
  add_thread(main, 2);
  memory.put(at.thread.interp.in(first), main + 16);
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(InterpretersTest, RetriesAListThatLeadsNowhere) {
  const RemoteAddress main = add_interpreter(0, gil_a);
  const RemoteAddress first = add_thread(main, 1);
  memory.put(at.thread.next.in(first), RemoteAddress{0xdead0000});
  EXPECT_EQ(error(), ErrorClass::retry);
  memory.put(at.thread.next.in(first), RemoteAddress{UINT64_MAX - 7});
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(InterpretersTest, RetriesAnInterpreterThatIsGone) {
  const RemoteAddress main = add_interpreter(0, gil_a);
  memory.put(at.interpreter.next.in(main), RemoteAddress{0xdead0000});
  EXPECT_EQ(error(), ErrorClass::retry);
  memory.unmap(runtime, 8192);
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(InterpretersTest, RetriesInterpretersThatRunInACircle) {
  const RemoteAddress main = add_interpreter(0, gil_a);
  const RemoteAddress other = add_interpreter(1, gil_b);
  memory.put(at.interpreter.next.in(main), other);
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(InterpretersTest, RetriesMoreInterpretersThanThereCanBe) {
  for (std::size_t i = 0; i < max_interpreters; ++i) {
    add_interpreter(static_cast<std::int64_t>(i), gil_a);
  }
  const auto all = read();
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), max_interpreters);
  add_interpreter(max_interpreters, gil_a);
  EXPECT_EQ(error(), ErrorClass::retry);
}

TEST_P(InterpretersTest, SaysThatTheTargetIsGone) {
  add_thread(add_interpreter(0, gil_a), 1);
  memory.end_process();
  EXPECT_EQ(error(), ErrorClass::target_gone);
}

TEST_P(InterpretersTest, SaysThatTheTargetIsGoneHalfway) {
  add_thread(add_interpreter(0, gil_a), 1);
  memory.before_batch([this](std::size_t number) {
    if (number == 2) memory.end_process();
  });
  EXPECT_EQ(error(), ErrorClass::target_gone);
}

/// Longer than any real list, and without an end in sight.
TEST_P(InterpretersTest, ThoseThatAreExpectedAreReadAtOnce) {
  const RemoteAddress main = add_interpreter(0, gil_a);
  for (std::uint64_t i = 1; i <= 50; ++i) add_thread(main, i);
  const auto first = read();
  ASSERT_TRUE(first) << first.error().what;
  const std::size_t before = memory.batches();
  const auto again = read_interpreters(memory, layout, runtime, *first);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(again->front().threads, first->front().threads);
  EXPECT_LE(memory.batches() - before, 3U);
}

TEST_P(InterpretersTest, WhatWasExpectedAndIsNotThereIsNotBelieved) {
  const RemoteAddress main = add_interpreter(0, gil_a);
  const RemoteAddress oldest = add_thread(main, 1);
  const RemoteAddress gone = add_thread(main, 2);
  const RemoteAddress other = add_thread(main, 3);
  const auto first = read();
  ASSERT_TRUE(first) << first.error().what;
  memory.put(at.thread.next.in(other), oldest);
  memory.unmap(gone, layout.at.thread.struct_size);
  memory.put(at.thread.thread_id.in(oldest), std::uint64_t{0x7f0000000009});
  const RemoteAddress newest = add_thread(main, 4);
  const auto again = read_interpreters(memory, layout, runtime, *first);
  ASSERT_TRUE(again) << again.error().what;
  PythonThread changed = thread_of(oldest, main, 1);
  changed.ident = 0x7f0000000009;
  EXPECT_EQ(again->front().threads,
            (Threads{thread_of(newest, main, 4), thread_of(other, main, 3), changed}));
}

class EndlessThreads : public MemoryReader {
 public:
  EndlessThreads(const Layout& layout, RemoteAddress interpreter)
      : layout_(layout), interpreter_(interpreter) {}

  [[nodiscard]] Result<std::size_t> read_batch(std::span<const ReadSlot> slots) override {
    ++reads;
    for (const ReadSlot& slot : slots) {
      std::ranges::fill(slot.into, std::byte{0});
      const bool thread = slot.into.size() == layout_.at.thread.struct_size;
      if (thread) {
        put(slot, layout_.at.thread.next.offset, slot.from + 4096);
        put(slot, layout_.at.thread.interp.offset, interpreter_);
      } else if (slot.from == layout_.at.runtime.interpreters_head.in(RemoteAddress{0})) {
        put(slot, 0, interpreter_);
      } else if (slot.from == layout_.at.interpreter.threads_head.in(interpreter_)) {
        put(slot, 0, interpreter_ + (std::uint64_t{1} << 30));
      }
    }
    return slots.size();
  }
  std::size_t reads = 0;

 private:
  static void put(const ReadSlot& slot, std::int32_t offset, RemoteAddress value) {
    std::memcpy(slot.into.data() + offset, &value, sizeof(value));
  }
  const Layout& layout_;
  RemoteAddress interpreter_;
};

TEST_P(InterpretersTest, RetriesMoreThreadsThanThereCanBe) {
  EndlessThreads endless{layout, RemoteAddress{0x7e0000000000}};
  const auto all = read_interpreters(endless, layout, RemoteAddress{0});
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().kind, ErrorClass::retry);
  EXPECT_GE(endless.reads, max_python_threads);
  EXPECT_LE(endless.reads, max_python_threads + 10);
}

}  // namespace
}  // namespace gilspy
