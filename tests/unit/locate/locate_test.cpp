#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "fake_memory.h"
#include "gilspy/locate/target.h"
#include "gilspy/python_offsets/debug_offsets.h"
#include "gilspy/os/process_memory.h"
#include "os/waiting_process.h"

namespace gilspy {
namespace {

using Kind = LocateFailure::Kind;

TEST(LocatePython, FindsNoneInAProgramWithoutOne) {
  const auto self = ProcDir::open(Pid{::getpid()});
  ASSERT_TRUE(self);
  ProcessMemory memory{self->pid()};
  const auto target = locate_python(*self, memory);
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().kind, Kind::not_python);
  EXPECT_FALSE(target.error().what.empty());
}

TEST(LocatePython, SaysThatAProcessIsGone) {
  testing::WaitingProcess child;
  const auto process = ProcDir::open(child.pid());
  ASSERT_TRUE(process);
  ProcessMemory memory{child.pid()};
  child.end();
  EXPECT_EQ(locate_python(*process, memory).error().kind, Kind::gone);
  child.reap();
  EXPECT_EQ(locate_python(*process, memory).error().kind, Kind::gone);
}

/// This process with a library mapped that claims to be a CPython. The library is real, and what
/// its memory says is the test's.
class FakeLibpython : public ::testing::Test {
 protected:
  void load(const char* path) {
    library_.reset(::dlopen(path, RTLD_NOW | RTLD_LOCAL));
    ASSERT_TRUE(library_) << ::dlerror();
    const auto address =
        reinterpret_cast<char* (*)()>(::dlsym(library_.get(), "fake_runtime_address"));
    ASSERT_NE(address, nullptr);
    runtime = RemoteAddress{reinterpret_cast<std::uintptr_t>(address())};
  }

  /// An interpreter and its thread, as the layout of this version has them.
  void put_interpreter(const Layout& layout) {
    memory.put(layout.at.runtime.interpreters_main.in(runtime), interpreter);
    memory.put(layout.at.interpreter.threads_head.in(interpreter), thread);
    memory.put(layout.at.thread.interp.in(thread), interpreter);
  }
  void put_debug_head(std::uint64_t version, std::uint64_t free_threaded) {
    memory.put(runtime, std::string_view{"xdebugpy"});
    memory.put(runtime + 8, version);
    memory.put(runtime + 16, free_threaded);
  }

  [[nodiscard]] tl::expected<Target, LocateFailure> locate() { return locate_python(self, memory); }
  [[nodiscard]] Kind failure() {
    const auto target = locate();
    EXPECT_FALSE(target);
    if (target) return Kind{};
    EXPECT_FALSE(target.error().what.empty());
    return target.error().kind;
  }

  static const Layout& layout_of(std::uint8_t minor) { return *layout_for({3, minor, 0}, false); }

  const ProcDir self = ProcDir::open(Pid{::getpid()}).value();
  FakeMemory memory;
  RemoteAddress runtime;
  RemoteAddress interpreter{0x7f1000000000};
  RemoteAddress thread{0x7f2000000000};

 private:
  struct Close {
    void operator()(void* library) const { ::dlclose(library); }
  };
  std::unique_ptr<void, Close> library_;
};

TEST_F(FakeLibpython, IsFoundBySymbol) {
  load(FAKE_LIBPYTHON_3_11);
  put_interpreter(layout_of(11));
  const auto target = locate();
  ASSERT_TRUE(target) << target.error().what;
  EXPECT_EQ(target->pid, self.pid());
  EXPECT_EQ(target->version, (Version{3, 11, 2}));
  EXPECT_EQ(layout_rows(*target->layout), layout_rows(layout_of(11)));
  EXPECT_EQ(target->runtime, runtime);
  EXPECT_EQ(target->binary, std::filesystem::canonical(FAKE_LIBPYTHON_3_11).string());
  EXPECT_EQ(target->how, "symbol _PyRuntime");
}

TEST_F(FakeLibpython, WithoutSymbolsIsFoundBySectionAndAskedForItsVersion) {
  load(FAKE_LIBPYTHON_STRIPPED);
  put_debug_head(0x030d02f0, 0);
  put_interpreter(layout_of(13));
  const auto target = locate();
  ASSERT_TRUE(target) << target.error().what;
  EXPECT_EQ(target->version, (Version{3, 13, 2}));
  EXPECT_EQ(layout_rows(*target->layout), layout_rows(layout_of(13)));
  EXPECT_EQ(target->runtime, runtime);
  EXPECT_EQ(target->how, "section .PyRuntime");
}

TEST_F(FakeLibpython, ThatTellsNoVersionIsUnsupported) {
  load(FAKE_LIBPYTHON_STRIPPED);
  put_interpreter(layout_of(13));
  EXPECT_EQ(failure(), Kind::unsupported);
}

TEST_F(FakeLibpython, OfAnUnknownVersionIsUnsupported) {
  load(FAKE_LIBPYTHON_STRIPPED);
  put_interpreter(layout_of(13));
  for (const std::uint64_t version : {0x030600f0U, 0x036300f0U, 0x040d00f0U}) {
    put_debug_head(version, 0);
    EXPECT_EQ(failure(), Kind::unsupported) << version;
  }
}

TEST_F(FakeLibpython, BelievesItsMemoryMoreThanItsFile) {
  load(FAKE_LIBPYTHON_3_11);
  put_debug_head(0x036300f0, 0);
  EXPECT_EQ(failure(), Kind::unsupported);
}

TEST_F(FakeLibpython, WithoutAnInterpreterIsNotReady) {
  load(FAKE_LIBPYTHON_3_11);
  EXPECT_EQ(failure(), Kind::not_ready);  // unreadable
  memory.put(layout_of(11).at.runtime.interpreters_main.in(runtime), RemoteAddress{});
  EXPECT_EQ(failure(), Kind::not_ready);
}

TEST_F(FakeLibpython, WithoutAThreadIsNotReady) {
  load(FAKE_LIBPYTHON_3_11);
  put_interpreter(layout_of(11));
  memory.put(layout_of(11).at.interpreter.threads_head.in(interpreter), RemoteAddress{});
  EXPECT_EQ(failure(), Kind::not_ready);
  memory.put(layout_of(11).at.interpreter.threads_head.in(interpreter), RemoteAddress{0xdead});
  EXPECT_EQ(failure(), Kind::not_ready);
}

TEST_F(FakeLibpython, WhoseThreadDoesNotPointBackIsNotReady) {
  load(FAKE_LIBPYTHON_3_11);
  put_interpreter(layout_of(11));
  memory.put(layout_of(11).at.thread.interp.in(thread), interpreter + 8);
  EXPECT_EQ(failure(), Kind::not_ready);
}

}  // namespace
}  // namespace gilspy
