#include "gilspy/os/open_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

#include "gilspy/os/proc.h"

namespace gilspy {
namespace {

/// Runs it in a child process: limits and tables are of a whole process.
template <class Work>
testing::AssertionResult alone(Work work) {
  EXPECT_EXIT(std::_Exit(work() ? 0 : 1), testing::ExitedWithCode(0), "");
  return testing::AssertionSuccess();
}

std::size_t places() {
  const auto self = ProcDir::open(Pid{::getpid()});
  const auto size = self ? self->status("FDSize") : std::nullopt;
  return size ? std::stoul(*size) : 0;
}

bool limit_to(rlim_t soft, rlim_t hard) {
  const rlimit limit{soft, hard};
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

rlim_t soft_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

TEST(OpenFilesTest, ThereIsRoomForAsManyAsTheLimitAllows) {
  EXPECT_TRUE(alone([] {
    if (!limit_to(1024, 1024) || places() >= 1024) return false;
    make_room_for_files();
    return places() >= 1024 && soft_limit() == 1024;
  }));
}

TEST(OpenFilesTest, TheLimitIsRaisedAsFarAsItMayBe) {
  EXPECT_TRUE(alone([] {
    if (!limit_to(256, 512)) return false;
    allow_many_files();
    return soft_limit() == 512;
  }));
}

}  // namespace
}  // namespace gilspy
