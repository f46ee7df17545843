#include "jit_names.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <future>

namespace gilspy {
namespace {

constexpr RemoteAddress code{0x1008};

/// A file of lines for perf, in memory.
class JitNamesTest : public testing::Test {
 protected:
  void write(std::string_view text) const {
    ASSERT_EQ(::write(map_.get(), text.data(), text.size()), std::ssize(text));
  }
  [[nodiscard]] std::string name_at(RemoteAddress at) {
    const JitFunction* function = names_.at(at);
    return function == nullptr ? "not known yet" : function->name;
  }
  [[nodiscard]] std::vector<RemoteRange> take() {
    loader_.finish();
    return names_.take();
  }
  /// The file is not looked at again at once.
  [[nodiscard]] std::vector<RemoteRange> look_again() {
    std::vector<RemoteRange> changed;
    const Time end = now() + std::chrono::seconds{20};
    while (changed.empty() && now() < end) {
      names_.look_again();
      changed = take();
    }
    return changed;
  }

  UniqueFd map_{::memfd_create("map", MFD_CLOEXEC)};
  NameLoader loader_{[](const Binary&) { return ModuleNames{}; }};
  JitNames names_{loader_, [this] { return UniqueFd{::dup(map_.get())}; }};
};

TEST_F(JitNamesTest, AreKnownOnceTheFileWasRead) {
  write("1000 10 f\n");
  EXPECT_EQ(name_at(code), "not known yet");
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(name_at(code), "f");
  // All of the function, by one question.
  EXPECT_EQ(name_at(RemoteAddress{0x1000}), "f");
  EXPECT_EQ(name_at(RemoteAddress{0x1010}), "not known yet");
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(name_at(RemoteAddress{0x1010}), "");
}

TEST_F(JitNamesTest, MayComeLate) {
  EXPECT_EQ(name_at(code), "not known yet");
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(name_at(code), "");
  write("1000 10 f\n");
  EXPECT_EQ(look_again(), std::vector({RemoteRange{code, code + 1}}));
  EXPECT_EQ(name_at(code), "f");
}

TEST_F(JitNamesTest, MayChange) {
  write("1000 10 f\n");
  EXPECT_EQ(name_at(code), "not known yet");
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(name_at(code), "f");
  write("1004 8 g\n");
  EXPECT_EQ(look_again(), std::vector({RemoteRange{RemoteAddress{0x1000}, RemoteAddress{0x1010}}}));
  EXPECT_EQ(name_at(code), "g");
  EXPECT_EQ(name_at(RemoteAddress{0x1000}), "not known yet");
}

TEST_F(JitNamesTest, AreForgottenWithTheirCode) {
  write("1000 10 f\n");
  EXPECT_EQ(name_at(code), "not known yet");
  names_.forget();
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(name_at(code), "not known yet");
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(name_at(code), "f");
}

TEST_F(JitNamesTest, AreAskedForAgainWhenTooMuchWasToBeDone) {
  write("1000 10 f\n");
  std::promise<void> go;
  loader_.later([may = go.get_future().share()] { may.wait(); });
  while (loader_.later([] {})) {
  }
  EXPECT_EQ(name_at(code), "not known yet");
  go.set_value();
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(name_at(code), "not known yet");
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(name_at(code), "f");
}

}  // namespace
}  // namespace gilspy
