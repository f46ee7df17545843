#include "gilspy/native/unwinder.h"

#include <alloca.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>

#include "gilspy/base/bytes.h"
#include "gilspy/native/native_names.h"
#include "gilspy/os/process_memory.h"
#include "gilspy/os/thread_files.h"

// A chain of calls that ends in a read of a pipe. Exported, so that their names are found in a
// stripped build too.
extern "C" {
[[gnu::noinline]] ssize_t gilspy_test_inner(int pipe) {
  char byte = 0;
  // Not read(): a sanitizer has one of its own, through which no thread is followed.
  const ssize_t got = ::syscall(SYS_read, pipe, &byte, 1);
  asm volatile("");  // no jump instead of the call
  return got;
}
[[gnu::noinline]] ssize_t gilspy_test_middle(int pipe) {
  const ssize_t got = gilspy_test_inner(pipe);
  asm volatile("");
  return got + 1;
}
[[gnu::noinline]] ssize_t gilspy_test_outer(int pipe) {
  const ssize_t got = gilspy_test_middle(pipe);
  asm volatile("");
  return got + 1;
}
// Room of a size that is not known before: such a function finds its frame by %rbp alone.
[[gnu::noinline]] ssize_t gilspy_test_roomy(int pipe) {
  const std::size_t size = 256 + static_cast<std::size_t>(pipe);
  auto* room = static_cast<volatile char*>(::alloca(size));
  // The thread before this one may have left its calls here.
  for (std::size_t i = 0; i < size; ++i) room[i] = 0;
  const ssize_t got = gilspy_test_middle(pipe);
  return got + room[0];
}
[[gnu::noinline]] ssize_t gilspy_test_with_room(int pipe) {
  const ssize_t got = gilspy_test_roomy(pipe);
  asm volatile("");
  return got + 1;
}
}

namespace {

/// A function in memory of no file, which calls what its fourth parameter says.
using Trampoline = ssize_t (*)(long, long, long, ssize_t (*)(int));
template <std::size_t size>
Trampoline make_trampoline(const std::array<std::uint8_t, size>& code) {
  constexpr std::size_t length = 4096;
  void* room = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(room, MAP_FAILED);
  std::memcpy(room, code.data(), size);
  EXPECT_EQ(::mprotect(room, length, PROT_READ | PROT_EXEC), 0);
  return reinterpret_cast<Trampoline>(room);
}

}  // namespace

// CPython's trampolines of 3.12 and of 3.15, and one that works the same way, but is not known.
extern "C" {
[[gnu::noinline]] ssize_t gilspy_test_by_old(int pipe) {
  static const auto trampoline = make_trampoline(std::to_array<std::uint8_t>(
      {0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x83, 0xec, 0x08, 0xff, 0xd1, 0x48, 0x83, 0xc4, 0x08, 0xc3}));
  const ssize_t got = trampoline(pipe, 0, 0, gilspy_test_middle);
  return got + 1;
}
// It finds its own frame by %rbp, which is in the trampoline's.
[[gnu::noinline]] ssize_t gilspy_test_by_new(int pipe) {
  static const auto trampoline = make_trampoline(
      std::to_array<std::uint8_t>({0x55, 0x48, 0x89, 0xe5, 0xff, 0xd1, 0x5d, 0xc3}));
  const std::size_t size = 256 + static_cast<std::size_t>(pipe);
  auto* room = static_cast<volatile char*>(::alloca(size));
  room[0] = 0;
  const ssize_t got = trampoline(pipe, 0, 0, gilspy_test_middle);
  return got + room[0];
}
[[gnu::noinline]] ssize_t gilspy_test_by_other(int pipe) {
  static const auto trampoline = make_trampoline(std::to_array<std::uint8_t>(
      {0x48, 0x83, 0xec, 0x08, 0xff, 0xd1, 0x48, 0x8d, 0x64, 0x24, 0x08, 0xc3}));
  const ssize_t got = trampoline(pipe, 0, 0, gilspy_test_middle);
  return got + 1;
}
}

namespace gilspy {
namespace {

/// Reads a process's memory, and lets a test change what comes out.
class TamperedMemory : public MemoryReader {
 public:
  using Tamper = std::function<void(RemoteAddress, std::span<std::byte>)>;

  explicit TamperedMemory(Pid pid) : memory_(pid) {}
  void tamper(Tamper tamper) { tamper_ = std::move(tamper); }

  Result<std::size_t> read_batch(std::span<const ReadSlot> slots) override {
    const auto done = memory_.read_batch(slots);
    if (tamper_) {
      for (const ReadSlot& slot : slots.first(done.value_or(0))) tamper_(slot.from, slot.into);
    }
    return done;
  }

 private:
  ProcessMemory memory_;
  Tamper tamper_;
};

/// A thread of this process inside of the chain, and a copy of its stack.
class BlockedThread : public testing::Test {
 public:
  BlockedThread(const BlockedThread&) = delete;
  BlockedThread& operator=(const BlockedThread&) = delete;
  ~BlockedThread() override {
    EXPECT_EQ(::write(pipe_[1], "x", 1), 1);
    thread_.join();
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }

 protected:
  explicit BlockedThread(ssize_t (*first)(int) = gilspy_test_outer) {
    EXPECT_EQ(::pipe(pipe_.data()), 0);
    thread_ = std::thread([this, first] {
      tid_ = static_cast<std::int32_t>(::syscall(SYS_gettid));
      first(pipe_[0]);
    });
    while (tid_ == 0) std::this_thread::yield();
    const ThreadFiles files{process_, Tid{tid_}};
    SyscallNow call = files.syscall();
    while (call.kind != SyscallNow::Kind::in_syscall || call.number != SYS_read) {
      std::this_thread::yield();
      call = files.syscall();
    }
    image_.registers.set(Registers::stack_pointer, call.stack_pointer);
    image_.registers.set(Registers::instruction, call.instruction);
    code_.update(process_.maps());
    const Mapping* stack = code_.mapping_at(RemoteAddress{call.stack_pointer});
    EXPECT_NE(stack, nullptr);
    image_.stack.resize(
        std::min<std::uint64_t>(stack->range.end.value() - call.stack_pointer, 16384));
    EXPECT_TRUE(memory_.read(RemoteAddress{call.stack_pointer}, image_.stack));
  }
  [[nodiscard]] std::vector<std::string> names_of(const Unwound& found) {
    NativeNames names{process_, code_};
    names.prepare();
    names.finish();
    std::vector<std::string> functions;
    for (const NativeFrame& frame : found.frames) {
      const NativeFunction* function = names.at(frame.at);
      functions.push_back(function != nullptr ? function->name : "");
    }
    return functions;
  }

  /// All that comes out lies in code, whatever went in.
  void expect_sane(const Unwound& found) {
    EXPECT_LE(found.frames.size(), 512U);
    for (const NativeFrame& frame : found.frames) EXPECT_NE(code_.module_at(frame.at), nullptr);
  }

  /// Of a copy that ends early comes the beginning of what comes of a whole one; and what `more`
  /// says.
  void expect_sure_when_cut_short(
      const std::function<void(const Unwound& found, std::size_t size)>& more) {
    const Unwound whole = unwinder_.unwind(image_);
    const std::vector<std::byte> stack = image_.stack;
    for (std::size_t size = 0; size < std::min<std::size_t>(stack.size(), 2048); size += 8) {
      image_.stack.assign(stack.begin(), stack.begin() + static_cast<std::ptrdiff_t>(size));
      const Unwound found = unwinder_.unwind(image_);
      ASSERT_LE(found.frames.size(), whole.frames.size());
      EXPECT_TRUE(
          std::ranges::equal(found.frames, std::span{whole.frames}.first(found.frames.size())));
      more(found, size);
      if (HasFatalFailure()) return;
    }
  }

  ProcDir process_ = ProcDir::open(Pid{::getpid()}).value();
  TamperedMemory memory_{Pid{::getpid()}};
  CodeMap code_{memory_};
  Unwinder unwinder_{code_};
  ThreadImage image_;

 private:
  std::array<int, 2> pipe_{-1, -1};
  std::atomic<std::int32_t> tid_{0};
  std::thread thread_;
};

TEST_F(BlockedThread, IsFollowedToItsFirstFunction) {
  const Unwound found = unwinder_.unwind(image_);
  EXPECT_TRUE(found.whole);
  const auto functions = names_of(found);
  const auto at = std::ranges::find(functions, "gilspy_test_inner");
  ASSERT_GE(functions.end() - at, 3) << testing::PrintToString(functions);
  EXPECT_EQ(at[1], "gilspy_test_middle");
  EXPECT_EQ(at[2], "gilspy_test_outer");
  EXPECT_LE(at - functions.begin(), 2);  // read(), and what it may use
}

TEST_F(BlockedThread, CutShortKeepsWhatIsSure) {
  const Unwound whole = unwinder_.unwind(image_);
  expect_sure_when_cut_short([&](const Unwound& found, std::size_t size) {
    ASSERT_FALSE(found.frames.empty());
    EXPECT_EQ(found.whole, found.frames.size() == whole.frames.size()) << size;
  });
}

TEST_F(BlockedThread, RandomStacksAndRegistersEnd) {
  std::mt19937_64 random{1};
  const std::vector<std::byte> stack = image_.stack;
  const Unwound whole = unwinder_.unwind(image_);
  for (int round = 0; round < 300; ++round) {
    image_.stack = stack;
    for (std::size_t i = 0; i + 8 <= image_.stack.size(); i += 8) {
      // Noise, addresses of the stack itself, and of code.
      std::uint64_t word = random();
      if (word % 3 == 1) word = image_.registers[Registers::stack_pointer] + word % 16384;
      if (word % 3 == 2) word = whole.frames[word % whole.frames.size()].at.value() + 1;
      std::memcpy(image_.stack.data() + i, &word, sizeof(word));
    }
    image_.registers.set(6, random());
    expect_sane(unwinder_.unwind(image_));
  }
}

TEST_F(BlockedThread, StackThatReturnsToItselfEnds) {
  const Unwound whole = unwinder_.unwind(image_);
  for (const NativeFrame& frame : whole.frames) {
    const std::uint64_t word = frame.at.value() + 1;
    for (std::size_t i = 0; i + 8 <= image_.stack.size(); i += 8) {
      std::memcpy(image_.stack.data() + i, &word, sizeof(word));
    }
    expect_sane(unwinder_.unwind(image_));
  }
}

/// Of a thread that blocks the kernel does not tell %rbp.
class BlockedBelowRoom : public BlockedThread {
 protected:
  BlockedBelowRoom() : BlockedThread(gilspy_test_with_room) {}

  /// Where the copy of the stack holds this word first.
  [[nodiscard]] std::size_t place_of(std::uint64_t word) const {
    std::size_t at = 0;
    while (load<std::uint64_t>(image_.stack, at).value_or(word) != word) at += sizeof(word);
    return at;
  }
};

TEST_F(BlockedBelowRoom, IsFollowedToItsFirstFunction) {
  const Unwound found = unwinder_.unwind(image_);
  EXPECT_TRUE(found.whole);
  const auto functions = names_of(found);
  const auto at = std::ranges::find(functions, "gilspy_test_middle");
  ASSERT_GE(functions.end() - at, 4) << testing::PrintToString(functions);
  EXPECT_EQ(at[1], "gilspy_test_roomy");
  EXPECT_EQ(at[2], "gilspy_test_with_room");
}

TEST_F(BlockedBelowRoom, IsNotGuessedWhereAnEarlierCallLeftItsTrace) {
#ifndef __OPTIMIZE__
  GTEST_SKIP() << "built without optimisation: the function above it needs %rbp first";
#endif
  const Unwound whole = unwinder_.unwind(image_);
  const auto functions = names_of(whole);
  const auto caller = std::ranges::find(functions, "gilspy_test_with_room") - functions.begin();
  ASSERT_LT(caller, std::ssize(functions));
  const std::uint64_t back = whole.frames[static_cast<std::size_t>(caller)].at.value() + 1;
  std::memcpy(image_.stack.data() + place_of(back) - 128, &back, sizeof(back));
  const Unwound found = unwinder_.unwind(image_);
  EXPECT_FALSE(found.whole);
  EXPECT_TRUE(std::ranges::equal(found.frames,
                                 std::span{whole.frames}.first(static_cast<std::size_t>(caller))));
}

TEST_F(BlockedBelowRoom, RandomStacksEnd) {
  std::mt19937_64 random{3};
  const std::vector<std::byte> stack = image_.stack;
  const Unwound whole = unwinder_.unwind(image_);
  for (int round = 0; round < 300; ++round) {
    image_.stack = stack;
    for (std::size_t i = 0; i + 8 <= image_.stack.size(); i += 8) {
      if (random() % 4 != 0) continue;
      // Places to return to, for the most part.
      std::uint64_t word = whole.frames[random() % whole.frames.size()].at.value() + 1;
      if (word % 3 == 0) word = image_.registers[Registers::stack_pointer] + random() % 16384;
      std::memcpy(image_.stack.data() + i, &word, sizeof(word));
    }
    expect_sane(unwinder_.unwind(image_));
  }
}

/// Below a function that has no description.
class BlockedBelowTrampoline : public BlockedThread {
 protected:
  explicit BlockedBelowTrampoline(ssize_t (*first)(int) = gilspy_test_by_old)
      : BlockedThread(first) {}

  /// To its first function, past what called the trampoline.
  void expect_followed(const char* caller) {
    const Unwound found = unwinder_.unwind(image_);
    EXPECT_TRUE(found.whole);
    const auto functions = names_of(found);
    const auto at = std::ranges::find(functions, "gilspy_test_middle");
    ASSERT_GE(functions.end() - at, 3) << testing::PrintToString(functions);
    EXPECT_EQ(at[2], caller);
    NativeNames names{process_, code_};
    const auto number = static_cast<std::size_t>(at - functions.begin()) + 1;
    const NativeFunction* trampoline = names.at(found.frames[number].at);
    ASSERT_NE(trampoline, nullptr);
    EXPECT_EQ(trampoline->role, NativeRole::machinery);
  }
};
class BlockedBelowNewTrampoline : public BlockedBelowTrampoline {
 protected:
  BlockedBelowNewTrampoline() : BlockedBelowTrampoline(gilspy_test_by_new) {}
};
class BlockedBelowOtherTrampoline : public BlockedBelowTrampoline {
 protected:
  BlockedBelowOtherTrampoline() : BlockedBelowTrampoline(gilspy_test_by_other) {}
};

TEST_F(BlockedBelowTrampoline, IsFollowedThroughIt) { expect_followed("gilspy_test_by_old"); }

TEST_F(BlockedBelowNewTrampoline, IsFollowedThroughIt) { expect_followed("gilspy_test_by_new"); }

TEST_F(BlockedBelowOtherTrampoline, IsNotGuessed) {
  const Unwound found = unwinder_.unwind(image_);
  EXPECT_FALSE(found.whole);
  const auto functions = names_of(found);
  EXPECT_EQ(std::ranges::count(functions, "gilspy_test_by_other"), 0);
#ifdef __OPTIMIZE__  // otherwise what is above it needs %rbp, which is found by what is below
  ASSERT_GE(functions.size(), 2U);
  EXPECT_EQ(functions[functions.size() - 2], "gilspy_test_middle");
#endif
}

TEST_F(BlockedBelowTrampoline, CutShortKeepsWhatIsSure) {
  expect_sure_when_cut_short([](const Unwound&, std::size_t) {});
}

TEST_F(BlockedThread, DamagedDescriptionsEnd) {
  std::mt19937_64 random{2};
  for (int round = 0; round < 300; ++round) {
    // Of the pages with descriptions and code; what leads to them stays, so that they are met.
    memory_.tamper([&](RemoteAddress, std::span<std::byte> bytes) {
      if (bytes.size() != 4096) return;
      for (std::uint64_t n = 1 + random() % 40; n > 0; --n) {
        bytes[random() % bytes.size()] = static_cast<std::byte>(random());
      }
    });
    CodeMap code{memory_};
    code.update(process_.maps());
    Unwinder unwinder{code};
    const Unwound found = unwinder.unwind(image_);
    EXPECT_LE(found.frames.size(), 512U);
    for (const Module& module : code.modules()) {
      (void)code.function_begin(module, module.code.front().begin + 100);
    }
  }
}

TEST_F(BlockedThread, CodeThatIsNowhereIsAstray) {
  image_.registers.set(Registers::instruction, 0x1000);
  const Unwound found = unwinder_.unwind(image_);
  EXPECT_TRUE(found.frames.empty());
  EXPECT_TRUE(found.astray);
}

}  // namespace
}  // namespace gilspy
