#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "fake_memory.h"
#include "gilspy/locate/target.h"
#include "gilspy/os/process_memory.h"
#include "gilspy/python_offsets/debug_offsets.h"
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
    libraries_.emplace_back(::dlopen(path, RTLD_NOW | RTLD_LOCAL));
    ASSERT_TRUE(libraries_.back()) << ::dlerror();
    const auto address =
        reinterpret_cast<char* (*)()>(::dlsym(libraries_.back().get(), "fake_runtime_address"));
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
  std::vector<std::unique_ptr<void, Close>> libraries_;
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

TEST_F(FakeLibpython, StrippedIsFoundByItsDebugLink) {
  load(FAKE_LIBPYTHON_LINKED);
  put_interpreter(layout_of(10));
  const auto target = locate();
  ASSERT_TRUE(target) << target.error().what;
  EXPECT_EQ(target->version, (Version{3, 10, 2}));
  EXPECT_EQ(target->runtime, runtime);
  EXPECT_EQ(target->kind, "shared, stripped");
  EXPECT_TRUE(target->how.starts_with("symbol _PyRuntime of /")) << target->how;
  EXPECT_TRUE(target->how.ends_with(".debug, by debug link")) << target->how;
}

/// A copy of a file, as libpython3.13.so.
class CopiedLibpython : public FakeLibpython {
 protected:
  ~CopiedLibpython() override { std::filesystem::remove_all(folder_); }
  std::string template_ = std::filesystem::temp_directory_path() / "gilspy-locate-XXXXXX";
  const std::filesystem::path folder_ = ::mkdtemp(template_.data());
  const std::filesystem::path copy = folder_ / "libpython3.13.so";
};

TEST_F(CopiedLibpython, WithoutEvenSectionsIsFoundByItsCookie) {
  std::filesystem::copy_file(FAKE_LIBPYTHON_LINKED, copy);
  {
    // e_shoff, and e_shnum with e_shstrndx behind it: no section header table (elf.h).
    std::fstream file{copy, std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(0x28).write("\0\0\0\0\0\0\0", 8);
    file.seekp(0x3c).write("\0\0\0", 4);
  }
  load(copy.c_str());
  for (const Mapping& mapping : self.maps()) {
    if (mapping.path == copy.string() && mapping.writable) {
      memory.put_zeros(mapping.range.begin, mapping.range.size());
    }
  }
  memory.put(runtime - 100, std::string_view{"xdebugpy"});  // compared with, somewhere; not aligned
  memory.put(runtime - 64, std::string_view{"xdebugpy"});   // aligned, but nothing behind it
  put_debug_head(0x030d02f0, 0);
  EXPECT_EQ(failure(), Kind::not_ready);
  put_interpreter(layout_of(13));
  const auto target = locate();
  ASSERT_TRUE(target) << target.error().what;
  EXPECT_EQ(target->runtime, runtime);
  EXPECT_EQ(target->version, (Version{3, 13, 2}));
  EXPECT_EQ(target->how, "cookie xdebugpy");
}

TEST_F(CopiedLibpython, ThatWasDeletedIsFound) {
  std::filesystem::copy_file(FAKE_LIBPYTHON_3_11, copy);
  load(copy.c_str());
  std::filesystem::remove(copy);
  for (const Mapping& mapping : self.maps()) {
    if (!mapping.path.starts_with(copy.string()) || !mapping.readable) continue;
    memory.put(mapping.range.begin,
               std::as_bytes(std::span{reinterpret_cast<const char*>(mapping.range.begin.value()),
                                       mapping.range.size()}));
  }
  put_interpreter(layout_of(11));
  const auto target = locate();
  ASSERT_TRUE(target) << target.error().what;
  EXPECT_EQ(target->runtime, runtime);
  EXPECT_EQ(target->version, (Version{3, 11, 2}));
}

TEST_F(CopiedLibpython, ReplacedByAFifoIsNotOpenedByItsName) {
  std::filesystem::copy_file(FAKE_LIBPYTHON_3_11, copy);
  load(copy.c_str());
  std::filesystem::remove(copy);
  ASSERT_EQ(::mkfifo(copy.c_str(), 0600), 0);
  put_interpreter(layout_of(11));
  (void)locate();  // returns
}

/// Several CPythons in one process.
class TwoLibpythons : public FakeLibpython {
 protected:
  void SetUp() override {
    load(FAKE_LIBPYTHON_STRIPPED);
    put_debug_head(0x030d02f0, 0);
    first_ = runtime;
    load(FAKE_LIBPYTHON_3_11);
    second_ = runtime;
  }
  /// The interpreter of one of them, with so many threads.
  void put(RemoteAddress of, const Layout& layout, RemoteAddress interpreter_at, int threads) {
    const auto& at = layout.at;
    memory.put(at.runtime.interpreters_main.in(of), interpreter_at);
    RemoteAddress next;
    for (int i = 1; i <= threads; ++i) {
      const RemoteAddress state = interpreter_at + 0x10000 * static_cast<std::uint64_t>(i);
      memory.put(at.thread.interp.in(state), interpreter_at);
      memory.put(at.thread.next.in(state), next);
      next = state;
    }
    memory.put(at.interpreter.threads_head.in(interpreter_at), next);
  }
  RemoteAddress first_;
  RemoteAddress second_;
};

TEST_F(TwoLibpythons, OfWhichOneRunsAreNoQuestion) {
  put(first_, layout_of(13), RemoteAddress{0x7f1000000000}, 1);
  auto target = locate();
  ASSERT_TRUE(target) << target.error().what;
  EXPECT_EQ(target->runtime, first_);
  EXPECT_TRUE(target->others.empty());

  memory.put(layout_of(13).at.runtime.interpreters_main.in(first_), RemoteAddress{});
  put(second_, layout_of(11), RemoteAddress{0x7f2000000000}, 1);
  target = locate();
  ASSERT_TRUE(target) << target.error().what;
  EXPECT_EQ(target->runtime, second_);
  EXPECT_TRUE(target->others.empty());
}

TEST_F(TwoLibpythons, ThatRunGiveTheOneWithMoreThreadsAndNameTheOther) {
  put(first_, layout_of(13), RemoteAddress{0x7f1000000000}, 2);
  put(second_, layout_of(11), RemoteAddress{0x7f2000000000}, 3);
  auto target = locate();
  ASSERT_TRUE(target) << target.error().what;
  EXPECT_EQ(target->runtime, second_);
  EXPECT_EQ(target->others,
            std::vector{"CPython 3.13.2 in " +
                        std::filesystem::canonical(FAKE_LIBPYTHON_STRIPPED).string()});

  put(first_, layout_of(13), RemoteAddress{0x7f1000000000}, 4);
  EXPECT_EQ(locate()->runtime, first_);
}

}  // namespace
}  // namespace gilspy
