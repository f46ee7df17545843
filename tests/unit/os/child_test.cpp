#include "gilspy/os/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "gilspy/base/failure.h"

namespace gilspy {
namespace {

int status_of(const std::string& script) { return Child::start({"sh", "-c", script}).wait(); }

TEST(ChildTest, GivesTheExitStatus) {
  EXPECT_EQ(Child::start({"true"}).wait(), 0);
  EXPECT_EQ(Child::start({"false"}).wait(), 1);
  EXPECT_EQ(status_of("exit 7"), 7);
  EXPECT_EQ(status_of("exit 255"), 255);
}

TEST(ChildTest, GivesADeathBySignalAsAShellDoes) {
  EXPECT_EQ(status_of("kill -TERM $$"), 128 + SIGTERM);
  EXPECT_EQ(status_of("kill -KILL $$"), 128 + SIGKILL);
}

TEST(ChildTest, PassesArgumentsAsTheyAre) {
  EXPECT_EQ(Child::start(
                {"sh", "-c", "test \"$1\" = 'a  b' && test -z \"$2\" && exit 3", "sh", "a  b", ""})
                .wait(),
            3);
}

TEST(ChildTest, FailsForAProgramThatDoesNotExist) {
  try {
    const Child child = Child::start({"/no/such/program", "argument"});
    FAIL() << "started as " << child.pid().value;
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::other);
    EXPECT_STREQ(failure.what(), "cannot run /no/such/program: No such file or directory");
  }
  // The copy of gilspy that tried is gone.
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(ChildTest, FailsForAFileThatIsNoProgram) {
  EXPECT_THROW((void)Child::start({"/"}), Failure);
  EXPECT_THROW((void)Child::start({"/dev/null"}), Failure);
}

TEST(ChildTest, HasNoStatusWhileItRuns) {
  Child child = Child::start({"tail", "-f", "/dev/null"});
  pollfd ended{child.pidfd(), POLLIN, 0};
  EXPECT_FALSE(child.try_wait());
  EXPECT_EQ(::poll(&ended, 1, 0), 0);
  child.send_signal(SIGTERM);
  EXPECT_EQ(::poll(&ended, 1, -1), 1);
  EXPECT_EQ(child.try_wait(), 128 + SIGTERM);
  EXPECT_EQ(child.try_wait(), 128 + SIGTERM);
  EXPECT_EQ(child.wait(), 128 + SIGTERM);
}

/// No shell in between: some clear the mask.
bool blocks_just(const std::string& mask) {
  return Child::start({"grep", "-q", "^SigBlk:[[:space:]]*0*" + mask + "$", "/proc/self/status"})
             .wait() == 0;
}

TEST(ChildTest, InheritsTheSignalMaskAsItIs) {
  sigset_t mask;
  sigset_t before;
  sigemptyset(&mask);
  ASSERT_EQ(::sigprocmask(SIG_SETMASK, &mask, &before), 0);
  EXPECT_TRUE(blocks_just(""));
  sigaddset(&mask, SIGUSR1);  // signal 10 is bit 9
  ASSERT_EQ(::sigprocmask(SIG_SETMASK, &mask, nullptr), 0);
  EXPECT_TRUE(blocks_just("200"));
  ASSERT_EQ(::sigprocmask(SIG_SETMASK, &before, nullptr), 0);
}

TEST(ChildTest, GetsTheStreamsThatAreSaid) {
  const UniqueFd file{::memfd_create("output", MFD_CLOEXEC)};
  const UniqueFd nothing{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  Child child = Child::start({"sh", "-c", "cat; echo out; echo err >&2"},
                             {nothing.get(), file.get(), file.get()});
  EXPECT_EQ(child.wait(), 0);
  std::array<char, 16> text{};
  ASSERT_EQ(::pread(file.get(), text.data(), text.size(), 0), 8);
  EXPECT_EQ(std::string_view(text.data(), 8), "out\nerr\n");
}

TEST(ChildTest, StaysInTheProcessGroup) {
  Child child = Child::start({"tail", "-f", "/dev/null"});
  EXPECT_EQ(::getpgid(child.pid().value), ::getpgrp());
  child.send_signal(SIGKILL);
  EXPECT_EQ(child.wait(), 128 + SIGKILL);
}

TEST(ChildTest, GetsNoDescriptorOfOurs) {
  int inherited = 0;
  // As many as the shell would have anyway: the standard streams, and ls's own of the folder.
  for (int fd = 0; fd < 1024; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) == 0) ++inherited;
  }
  EXPECT_EQ(status_of("exit $(ls /proc/self/fd | wc -l)"), inherited + 1);
}

TEST(OpenPidfd, GivesNoneForAProcessThatIsNot) {
  EXPECT_TRUE(open_pidfd(Pid{::getpid()}));
  Child child = Child::start({"true"});
  EXPECT_EQ(child.wait(), 0);
  EXPECT_FALSE(open_pidfd(child.pid()));
}

}  // namespace
}  // namespace gilspy
