#include "gilspy/python/pthread_waits.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <new>
#include <thread>

#include "fake_memory.h"
#include "layouts.h"

namespace gilspy {
namespace {

const Layout& layout() { return *layout_for({3, 12, 0}, false); }

/// A thread as glibc 2.36 keeps it.
class FakePthread {
 public:
  static constexpr std::uint64_t mark = 0x2f8;

  FakePthread(FakeMemory& memory, std::uint64_t at) : memory_(memory), at_(at) {
    memory.put_zeros(RemoteAddress{at}, 2304);
    memory.put_zeros(stack(), 4096);
  }
  [[nodiscard]] std::uint64_t id() const { return at_; }

  /// In a wait on this condition variable; the handler lies so deep on the stack.
  void waits_on(RemoteAddress condition, std::uint64_t depth = 1024) {
    set_handler(stack() + depth, stack() + depth - 64);
    memory_.put(stack() + depth - 64 + 8, condition.value());
    set_cancellable(true);
  }
  void set_handler(RemoteAddress handler, RemoteAddress argument) {
    memory_.put(RemoteAddress{at_ + mark}, handler.value());
    if (handler.is_null()) return;
    memory_.put(handler, std::uint64_t{0x7f00'1234'5678});
    memory_.put(handler + 8, argument.value());
  }
  void set_cancellable(bool on) {
    memory_.put(RemoteAddress{at_ + mark + 16}, std::uint32_t{on ? 2U : 0U});
  }
  [[nodiscard]] RemoteAddress stack() const { return RemoteAddress{at_ - 8192}; }

 private:
  FakeMemory& memory_;
  std::uint64_t at_;
};

class PthreadWaitsTest : public ::testing::Test {
 protected:
  [[nodiscard]] PthreadPlace place(const FakePthread& thread) {
    std::vector<PthreadWaits::Question> questions{{thread.id(), &gil}};
    waits.look(memory, questions);
    return questions.front().place;
  }
  void learn_from(std::uint64_t pthread) { waits.learn(memory, pthread, gil); }

  FakeMemory memory;
  GilReader gil{layout(), RemoteAddress{0x7f00'0000'1000}};
  RemoteAddress cond = layout().at.gil.cond.in(gil.address());
  RemoteAddress switch_cond = layout().at.gil.switch_cond.in(gil.address());
  RemoteAddress other_cond{0x7f00'0000'9000};
  FakePthread one{memory, 0x7f00'1000'0000};
  FakePthread two{memory, 0x7f00'2000'0000};
  PthreadWaits waits;
};

TEST_F(PthreadWaitsTest, TellsNothingBeforeItHasLearnt) {
  one.waits_on(cond);
  EXPECT_EQ(place(one), PthreadPlace::unknown);
}

TEST_F(PthreadWaitsTest, TellsWhoIsInsideTheWait) {
  one.waits_on(cond);
  learn_from(one.id());
  ASSERT_TRUE(waits.learnt());
  EXPECT_EQ(place(one), PthreadPlace::gil_wait);
  two.waits_on(switch_cond, 2048);
  EXPECT_EQ(place(two), PthreadPlace::gil_wait);
  two.set_handler({}, {});
  two.set_cancellable(false);
  EXPECT_EQ(place(two), PthreadPlace::elsewhere);
}

TEST_F(PthreadWaitsTest, AnotherConditionIsAnotherCall) {
  one.waits_on(cond);
  learn_from(one.id());
  two.waits_on(other_cond);
  EXPECT_EQ(place(two), PthreadPlace::other_call);
}

TEST_F(PthreadWaitsTest, ABlockingCallWithoutAHandlerIsAnotherCall) {
  one.waits_on(cond);
  learn_from(one.id());
  two.set_cancellable(true);
  EXPECT_EQ(place(two), PthreadPlace::other_call);
}

TEST_F(PthreadWaitsTest, WhatAnOlderWaitLeftOnTheStackTellsNothing) {
  one.waits_on(cond);
  learn_from(one.id());
  two.waits_on(cond);
  // Another call's handler has come to lie in the same place.
  two.set_handler(two.stack() + 1024, two.stack() + 1024 + 512);
  EXPECT_EQ(place(two), PthreadPlace::other_call);
}

TEST_F(PthreadWaitsTest, LearnsNothingFromAThreadThatHasLeft) {
  one.waits_on(other_cond);
  learn_from(one.id());
  EXPECT_FALSE(waits.learnt());
  one.waits_on(cond);
  learn_from(one.id());
  EXPECT_TRUE(waits.learnt());
}

TEST_F(PthreadWaitsTest, GivesUpOnALibcThatHasNoSuchThing) {
  for (int i = 0; i < 64; ++i) learn_from(two.id());
  one.waits_on(cond);
  learn_from(one.id());
  EXPECT_FALSE(waits.learnt());
}

TEST_F(PthreadWaitsTest, OfALibcWithoutTheNoteOtherCallsAreNotTold) {
  one.waits_on(cond);
  one.set_cancellable(false);
  learn_from(one.id());
  EXPECT_EQ(place(one), PthreadPlace::gil_wait);
  two.set_cancellable(true);
  EXPECT_EQ(place(two), PthreadPlace::elsewhere);
}

TEST_F(PthreadWaitsTest, UnreadableThreadsAreUnknown) {
  one.waits_on(cond);
  learn_from(one.id());
  std::vector<PthreadWaits::Question> questions{{one.id(), &gil}, {two.id(), &gil}};
  FakePthread three{memory, 0x7f00'3000'0000};
  memory.put(RemoteAddress{two.id() + FakePthread::mark}, std::uint64_t{0xbad0'0000'0000});
  questions.push_back({three.id(), &gil});
  questions.push_back({0x1234, &gil});
  waits.look(memory, questions);
  EXPECT_EQ(questions[0].place, PthreadPlace::gil_wait);
  EXPECT_EQ(questions[1].place, PthreadPlace::unknown);
  EXPECT_EQ(questions[2].place, PthreadPlace::elsewhere);
  EXPECT_EQ(questions[3].place, PthreadPlace::unknown);
}

#ifdef __GLIBC__

/// This process.
class OwnMemory : public MemoryReader {
 public:
  Result<std::size_t> read_batch(std::span<const ReadSlot> slots) override {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const iovec local{slots[i].into.data(), slots[i].into.size()};
      const iovec remote{
          reinterpret_cast<void*>(slots[i].from.value()),  // NOLINT(performance-no-int-to-ptr)
          slots[i].into.size()};
      if (::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) !=
          static_cast<ssize_t>(slots[i].into.size()))
        return i;
    }
    return slots.size();
  }
};

/// A GIL of which only one condition variable is real, and its waiter.
class RealWaiter {
 public:
  explicit RealWaiter(std::byte* condition)
      : condition_(new(condition) pthread_cond_t(PTHREAD_COND_INITIALIZER)), thread_([this] {
          ::pthread_mutex_lock(&mutex_);
          id_ = ::pthread_self();
          while (!over_) ::pthread_cond_wait(condition_, &mutex_);
          ::pthread_mutex_unlock(&mutex_);
        }) {}
  ~RealWaiter() {
    ::pthread_mutex_lock(&mutex_);
    over_ = true;
    ::pthread_cond_signal(condition_);
    ::pthread_mutex_unlock(&mutex_);
    thread_.join();
  }
  RealWaiter(const RealWaiter&) = delete;
  RealWaiter& operator=(const RealWaiter&) = delete;
  [[nodiscard]] std::uint64_t id() const { return id_; }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t* condition_;
  bool over_ = false;
  std::atomic<std::uint64_t> id_{0};
  std::thread thread_;
};

TEST(PthreadWaits, KnowsThisSystemsLibc) {
  OwnMemory memory;
  alignas(16) GilReader::Buffer bytes{};
  alignas(16) std::array<std::byte, sizeof(pthread_cond_t)> elsewhere{};
  const GilReader gil{layout(), RemoteAddress{reinterpret_cast<std::uint64_t>(bytes.data())}};
  const RealWaiter waiter{bytes.data() + layout().at.gil.cond.offset};
  const RealWaiter other{elsewhere.data()};

  // A thread is inside the wait some time after it has begun it.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  std::vector<PthreadWaits::Question> questions;
  PthreadPlace of_this = PthreadPlace::unknown;
  while (std::chrono::steady_clock::now() < deadline) {
    PthreadWaits waits;
    if (waiter.id() != 0 && other.id() != 0) waits.learn(memory, waiter.id(), gil);
    questions = {{waiter.id(), &gil}, {other.id(), &gil}, {::pthread_self(), &gil}};
    waits.look(memory, questions);
    of_this = questions[2].place;
    if (questions[0].place == PthreadPlace::gil_wait) break;
    std::this_thread::yield();
  }
  EXPECT_EQ(questions[0].place, PthreadPlace::gil_wait);
  EXPECT_NE(questions[1].place, PthreadPlace::gil_wait);
  EXPECT_EQ(of_this, PthreadPlace::elsewhere);
}

#endif

}  // namespace
}  // namespace gilspy
