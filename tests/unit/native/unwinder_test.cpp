#include "gilspy/native/unwinder.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>

#include "gilspy/native/native_names.h"
#include "gilspy/os/process_memory.h"
#include "gilspy/os/thread_files.h"

// A chain of calls that ends in a read of a pipe. Exported, so that their names are found in a
// stripped build too.
extern "C" {
[[gnu::noinline]] ssize_t gilspy_test_inner(int pipe) {
  char byte = 0;
  const ssize_t got = ::read(pipe, &byte, 1);
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
}

namespace gilspy {
namespace {

/// Without optimisation each function finds its caller by %rbp, which the kernel does not tell of a
/// thread that blocks: there its stack cannot be followed.
#ifdef __OPTIMIZE__
constexpr bool found_by_rbp = false;
#else
constexpr bool found_by_rbp = true;
#endif

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
 protected:
  BlockedThread() {
    EXPECT_EQ(::pipe(pipe_.data()), 0);
    thread_ = std::thread([this] {
      tid_ = static_cast<std::int32_t>(::syscall(SYS_gettid));
      gilspy_test_outer(pipe_[0]);
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
  ~BlockedThread() override {
    EXPECT_EQ(::write(pipe_[1], "x", 1), 1);
    thread_.join();
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }

  /// All that comes out lies in code, whatever went in.
  void expect_sane(const Unwound& found) {
    EXPECT_LE(found.frames.size(), 512U);
    for (const NativeFrame& frame : found.frames) EXPECT_NE(code_.module_at(frame.at), nullptr);
  }

  ProcDir process_ = *ProcDir::open(Pid{::getpid()});
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
  if (found_by_rbp) GTEST_SKIP() << "built without optimisation: %rbp would be needed";
  const Unwound found = unwinder_.unwind(image_);
  EXPECT_TRUE(found.whole);
  NativeNames names{process_, code_};
  names.prepare();
  names.finish();
  std::vector<std::string> functions;
  for (const NativeFrame& frame : found.frames) {
    const NativeFunction* function = names.at(frame.at);
    ASSERT_NE(function, nullptr);
    functions.push_back(function->name);
  }
  const auto at = std::ranges::find(functions, "gilspy_test_inner");
  ASSERT_GE(functions.end() - at, 3) << testing::PrintToString(functions);
  EXPECT_EQ(at[1], "gilspy_test_middle");
  EXPECT_EQ(at[2], "gilspy_test_outer");
  EXPECT_LE(at - functions.begin(), 2);  // read(), and what it may use
}

TEST_F(BlockedThread, CutShortKeepsWhatIsSure) {
  if (found_by_rbp) GTEST_SKIP() << "built without optimisation: %rbp would be needed";
  const Unwound whole = unwinder_.unwind(image_);
  const std::vector<std::byte> stack = image_.stack;
  for (std::size_t size = 0; size < std::min<std::size_t>(stack.size(), 2048); size += 8) {
    image_.stack.assign(stack.begin(), stack.begin() + static_cast<std::ptrdiff_t>(size));
    const Unwound found = unwinder_.unwind(image_);
    ASSERT_LE(found.frames.size(), whole.frames.size());
    ASSERT_FALSE(found.frames.empty());
    EXPECT_TRUE(
        std::ranges::equal(found.frames, std::span{whole.frames}.first(found.frames.size())));
    EXPECT_EQ(found.whole, found.frames.size() == whole.frames.size()) << size;
  }
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
