#include "gilspy/os/target_root.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace gilspy {
namespace {

/// This process, whose root is that of the machine.
class OpenInRoot : public testing::Test {
 protected:
  OpenInRoot() { std::ofstream{folder_ / "file"} << "content"; }
  ~OpenInRoot() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] bool opens(const std::string& name) const {
    return static_cast<bool>(open_in_root(self_, folder_ / name));
  }

  const ProcDir self_ = ProcDir::open(Pid{::getpid()}).value();
  std::string template_ = std::filesystem::temp_directory_path() / "gilspy-root-XXXXXX";
  const std::filesystem::path folder_ = ::mkdtemp(template_.data());
};

TEST_F(OpenInRoot, OpensRegularFiles) {
  EXPECT_TRUE(opens("file"));
  EXPECT_FALSE(opens("no-file"));
  std::filesystem::create_symlink("file", folder_ / "link");
  EXPECT_TRUE(opens("link"));
}

TEST_F(OpenInRoot, OpensNothingElse) {
  // Opening a FIFO without a writer would not return.
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(opens("fifo"));
  EXPECT_FALSE(opens("."));
  std::filesystem::create_symlink("/dev/zero", folder_ / "device");
  EXPECT_FALSE(opens("device"));
  std::filesystem::create_symlink("loop", folder_ / "loop");
  EXPECT_FALSE(opens("loop"));
}

TEST_F(OpenInRoot, DoesNotLeaveTheRootThroughMagicLinks) {
  std::filesystem::create_symlink("/proc/self/exe", folder_ / "magic");
  EXPECT_FALSE(opens("magic"));
}

TEST_F(OpenInRoot, OpensOwnFilesByTheirVeryNames) {
  const auto opens_own = [&](const std::string& name) {
    return static_cast<bool>(open_own_in_root(self_, folder_ / name));
  };
  EXPECT_TRUE(opens_own("file"));
  EXPECT_FALSE(opens_own("no-file"));
  std::filesystem::create_symlink("file", folder_ / "link");
  EXPECT_FALSE(opens_own("link"));
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(opens_own("fifo"));
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown((folder_ / "file").c_str(), 12345, 12345), 0);
  EXPECT_FALSE(opens_own("file"));
  EXPECT_TRUE(opens("file"));
}

TEST_F(OpenInRoot, OpensMappedFiles) {
  EXPECT_TRUE(open_mapped_file(self_, "exe"));
  EXPECT_FALSE(open_mapped_file(self_, "cwd"));
  EXPECT_FALSE(open_mapped_file(self_, "map_files/0-1"));
}

}  // namespace
}  // namespace gilspy
