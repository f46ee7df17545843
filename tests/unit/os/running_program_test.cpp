#include "gilspy/os/running_program.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "os/waiting_process.h"

namespace gilspy {
namespace {

TEST(RunningProgram, StaysWhileItRuns) {
  const auto self = ProcDir::open(Pid{::getpid()});
  ASSERT_TRUE(self);
  const auto program = RunningProgram::of(*self);
  ASSERT_TRUE(program);
  EXPECT_TRUE(program->runs_still());
}

TEST(RunningProgram, IsNoneOnceTheProcessHasEnded) {
  testing::WaitingProcess child;
  const auto process = ProcDir::open(child.pid());
  ASSERT_TRUE(process);
  const auto program = RunningProgram::of(*process);
  ASSERT_TRUE(program);
  EXPECT_TRUE(program->runs_still());
  child.end();
  EXPECT_FALSE(program->runs_still());
  EXPECT_FALSE(RunningProgram::of(*process));
  child.reap();
  EXPECT_FALSE(program->runs_still());
  EXPECT_FALSE(RunningProgram::of(*process));
}

/// A shell that says "one", waits for a line, and becomes the same shell with the same arguments
/// and environment, all of it at the same addresses, which says "two" and waits.
class ExecingShell {
 public:
  explicit ExecingShell(unsigned long more_personality) {
    if (::pipe2(input_.data(), O_CLOEXEC) != 0 || ::pipe2(output_.data(), O_CLOEXEC) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::personality(static_cast<unsigned long>(::personality(0xffffffff)) | more_personality);
      ::dup2(input_[0], STDIN_FILENO);
      ::dup2(output_[1], STDOUT_FILENO);
      static constexpr const char* script =
          "read line; echo $line; read line; exec sh -c \"$SCRIPT\"";
      ::setenv("SCRIPT", script, 1);
      ::execlp("sh", "sh", "-c", script, nullptr);
      ::_exit(127);
    }
    ::close(input_[0]);
    ::close(output_[1]);
  }
  ExecingShell(const ExecingShell&) = delete;
  ExecingShell& operator=(const ExecingShell&) = delete;
  ~ExecingShell() {
    ::close(input_[1]);
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(output_[0]);
  }

  [[nodiscard]] Pid pid() const { return Pid{pid_}; }
  /// What it says to a line, once it waits for the next one.
  [[nodiscard]] std::string ask(const std::string& line) const {
    tell(line);
    std::array<char, 16> text{};
    const ssize_t size = ::read(output_[0], text.data(), text.size());
    return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }
  void tell(const std::string& line) const {
    EXPECT_EQ(::write(input_[1], line.data(), line.size()), static_cast<ssize_t>(line.size()));
  }

 private:
  std::array<int, 2> input_{-1, -1};
  std::array<int, 2> output_{-1, -1};
  pid_t pid_ = -1;
};

TEST(RunningProgram, IsAnotherAfterAnExec) {
  const ExecingShell shell{0};
  const auto process = ProcDir::open(shell.pid());
  ASSERT_TRUE(process);
  EXPECT_EQ(shell.ask("one\n"), "one\n");
  const auto program = RunningProgram::of(*process);
  ASSERT_TRUE(program);
  EXPECT_TRUE(program->runs_still());
  shell.tell("go on\n");
  EXPECT_EQ(shell.ask("two\n"), "two\n");
  EXPECT_FALSE(program->runs_still());
  EXPECT_TRUE(RunningProgram::of(*process)->runs_still());
}

TEST(RunningProgram, IsAnotherAfterAnExecToTheSamePlace) {
  const ExecingShell shell{ADDR_NO_RANDOMIZE};
  const auto process = ProcDir::open(shell.pid());
  ASSERT_TRUE(process);
  // The shell adds to its environment once, so the first exec moves the stack.
  EXPECT_EQ(shell.ask("one\n"), "one\n");
  shell.tell("go on\n");
  EXPECT_EQ(shell.ask("two\n"), "two\n");
  const auto program = RunningProgram::of(*process);
  const auto place = process->stat()->start_stack;
  ASSERT_TRUE(program);
  shell.tell("go on\n");
  EXPECT_EQ(shell.ask("three\n"), "three\n");
  EXPECT_EQ(process->stat()->start_stack, place);
  EXPECT_FALSE(program->runs_still());
}

}  // namespace
}  // namespace gilspy
