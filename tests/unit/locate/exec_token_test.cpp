#include <gtest/gtest.h>
#include <sys/personality.h>
#include <unistd.h>

#include <array>

#include "gilspy/locate/target.h"
#include "os/waiting_process.h"

namespace gilspy {
namespace {

TEST(ExecToken, StaysWhileTheProgramRuns) {
  const auto self = ProcDir::open(Pid{::getpid()});
  ASSERT_TRUE(self);
  const auto token = exec_token(*self);
  ASSERT_TRUE(token);
  EXPECT_EQ(exec_token(*self), token);
}

TEST(ExecToken, SurvivesAFork) {
  const testing::WaitingProcess child;
  const auto self = ProcDir::open(Pid{::getpid()});
  const auto process = ProcDir::open(child.pid());
  ASSERT_TRUE(self && process);
  EXPECT_EQ(exec_token(*process), exec_token(*self));
}

TEST(ExecToken, IsNoneOnceTheProcessHasEnded) {
  testing::WaitingProcess child;
  const auto process = ProcDir::open(child.pid());
  ASSERT_TRUE(process);
  EXPECT_TRUE(exec_token(*process));
  child.end();
  EXPECT_FALSE(exec_token(*process));
  child.reap();
  EXPECT_FALSE(exec_token(*process));
}

TEST(ExecToken, ChangesWithAnExec) {
  if ((::personality(0xffffffff) & ADDR_NO_RANDOMIZE) != 0) {
    GTEST_SKIP() << "without address space randomisation every stack lies at the same place";
  }
  // The child waits for a line in the shell, then in the program the shell becomes.
  std::array<int, 2> input{-1, -1};
  std::array<int, 2> output{-1, -1};
  ASSERT_EQ(::pipe2(input.data(), O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(output.data(), O_CLOEXEC), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(input[0], STDIN_FILENO);
    ::dup2(output[1], STDOUT_FILENO);
    ::execlp("sh", "sh", "-c", "echo one; read line; exec cat", nullptr);
    ::_exit(127);
  }
  ::close(input[0]);
  ::close(output[1]);
  const auto answer = [&] {
    std::array<char, 16> text{};
    const ssize_t size = ::read(output[0], text.data(), text.size());
    return std::string(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  };
  const auto process = ProcDir::open(Pid{pid});
  ASSERT_TRUE(process);
  EXPECT_EQ(answer(), "one\n");
  const auto shell = exec_token(*process);
  EXPECT_EQ(::write(input[1], "\n", 1), 1);
  EXPECT_EQ(::write(input[1], "two\n", 4), 4);
  EXPECT_EQ(answer(), "two\n");
  const auto cat = exec_token(*process);
  ::close(input[1]);
  ::waitpid(pid, nullptr, 0);
  ::close(output[0]);
  ASSERT_TRUE(shell && cat);
  EXPECT_NE(*shell, *cat);
}

}  // namespace
}  // namespace gilspy
