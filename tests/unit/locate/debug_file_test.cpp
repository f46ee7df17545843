#include "gilspy/locate/debug_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "candidates.h"
#include "gilspy/os/process_memory.h"

namespace gilspy {
namespace {

using Paths = std::vector<std::string>;

TEST(DebugPath, FollowsTheBuildId) {
  EXPECT_EQ(debug_path_of("ab01cdff"), "/usr/lib/debug/.build-id/ab/01cdff.debug");
  EXPECT_FALSE(debug_path_of(""));
  EXPECT_FALSE(debug_path_of("ab"));
}

TEST(DebugPath, FollowsTheDebugLink) {
  EXPECT_EQ(
      debug_paths_of({"x.debug", 1}, "/opt/lib/libpython3.9.so"),
      (Paths{"/opt/lib/x.debug", "/opt/lib/.debug/x.debug", "/usr/lib/debug/opt/lib/x.debug"}));
}

TEST(DebugPath, DoesNotFollowALinkToElsewhere) {
  EXPECT_EQ(debug_paths_of({"../../etc/passwd", 1}, "/opt/lib/a.so"), Paths{});
  EXPECT_EQ(debug_paths_of({"/etc/passwd", 1}, "/opt/lib/a.so"), Paths{});
  EXPECT_EQ(debug_paths_of({"x.debug", 1}, "[vdso]"), Paths{});
}

/// A stripped library, with its symbols in a file beside it (made by objcopy while building).
class LinkedDebugFile : public testing::Test {
 protected:
  LinkedDebugFile() {
    std::filesystem::copy(FAKE_LIBPYTHON_LINKED, folder_);
    std::filesystem::copy(std::string(FAKE_LIBPYTHON_LINKED) + ".debug", folder_);
  }
  ~LinkedDebugFile() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::optional<DebugFile> find() const {
    const auto elf = ElfFile::open(UniqueFd{::open(binary_.path.c_str(), O_RDONLY)});
    EXPECT_TRUE(elf && elf->stripped() && elf->debug_link());
    return find_debug_file(self_, binary_, *elf);
  }

  const ProcDir self_ = ProcDir::open(Pid{::getpid()}).value();
  std::string template_ = std::filesystem::temp_directory_path() / "gilspy-debug-XXXXXX";
  const std::filesystem::path folder_ = ::mkdtemp(template_.data());
  const std::string name_ = std::filesystem::path{FAKE_LIBPYTHON_LINKED}.filename();
  const std::filesystem::path debug_ = folder_ / (name_ + ".debug");
  const Binary binary_{folder_ / name_, false, {}};
};

TEST_F(LinkedDebugFile, HasTheSymbolsThatTheLibraryLacks) {
  const auto found = find();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->path, debug_.string());
  EXPECT_EQ(found->by, "debug link");
  EXPECT_TRUE(found->elf.symbol("_PyRuntime"));
  EXPECT_FALSE(
      ElfFile::open(UniqueFd{::open(binary_.path.c_str(), O_RDONLY)})->symbol("_PyRuntime"));
}

TEST_F(LinkedDebugFile, IsTakenFromTheFolderForThem) {
  std::filesystem::create_directory(folder_ / ".debug");
  std::filesystem::rename(debug_, folder_ / ".debug" / debug_.filename());
  EXPECT_TRUE(find());
}

TEST_F(LinkedDebugFile, IsNotTakenWhenItIsAnotherOne) {
  std::ofstream{debug_, std::ios::app} << "x";  // wrong checksum
  EXPECT_FALSE(find());
  std::filesystem::copy_file("/proc/self/exe", debug_,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(find());
  std::filesystem::remove(debug_);
  EXPECT_FALSE(find());
}

}  // namespace
}  // namespace gilspy
