#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <latch>
#include <string>
#include <thread>

#include "gilspy/os/access.h"
#include "gilspy/os/proc.h"
#include "os/waiting_process.h"

namespace gilspy {
namespace {

bool contains(const auto& range, const auto& value) {
  return std::ranges::find(range, value) != range.end();
}

Tid own_tid() { return Tid{static_cast<std::int32_t>(::gettid())}; }

class ProcDirTest : public ::testing::Test {
 protected:
  ProcDir self = ProcDir::open(Pid{::getpid()}).value();
};

TEST_F(ProcDirTest, DescribesTheProcess) {
  EXPECT_EQ(self.pid(), Pid{::getpid()});
  EXPECT_TRUE(self.alive());
  EXPECT_EQ(self.user(), ::geteuid());
  EXPECT_EQ(self.status("Tgid"), std::to_string(::getpid()));
  EXPECT_EQ(self.status("No such key"), std::nullopt);
  EXPECT_EQ(self.status("Tgi"), std::nullopt);
  EXPECT_TRUE(self.command_line().find("unit_os") != std::string::npos) << self.command_line();
  const auto stat = self.stat();
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'R');
  EXPECT_EQ(stat->parent, Pid{::getppid()});
  EXPECT_GT(stat->start_stack, 0U);
  EXPECT_EQ(self.id_inside(own_tid()), own_tid().value);
  cpu_set_t set;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(set), &set), 0);
  EXPECT_EQ(self.cores(), static_cast<std::uint32_t>(CPU_COUNT(&set)));
}

TEST_F(ProcDirTest, ShowsItsOwnMemory) {
  const int on_stack = 0;
  const auto maps = self.maps();
  const auto covers = [&](const void* pointer, bool executable) {
    const RemoteAddress address{reinterpret_cast<std::uintptr_t>(pointer)};
    return std::ranges::any_of(maps, [&](const Mapping& m) {
      return m.range.contains(address) && m.readable && m.executable == executable;
    });
  };
  EXPECT_TRUE(covers(&on_stack, false));
  EXPECT_TRUE(covers(reinterpret_cast<const void*>(&own_tid), true));
}

TEST_F(ProcDirTest, ListsItsThreadsWithTheirNames) {
  std::latch named{1};
  std::latch looked{1};
  Tid tid;
  std::thread thread{[&] {
    tid = own_tid();
    ::pthread_setname_np(::pthread_self(), "a b) c");
    named.count_down();
    looked.wait();
  }};
  named.wait();
  const auto threads = self.threads();
  const std::string name = self.thread_name(tid);
  looked.count_down();
  thread.join();
  EXPECT_TRUE(contains(threads, own_tid()));
  EXPECT_TRUE(contains(threads, tid));
  EXPECT_EQ(name, "a b) c");
  EXPECT_EQ(self.thread_name(Tid{-1}), "");
}

TEST_F(ProcDirTest, ReadsFilesWithTheReasonOfAFailure) {
  int error = 0;
  EXPECT_EQ(self.read("comm", error).value_or("?"), self.thread_name(Tid{::getpid()}) + "\n");
  EXPECT_EQ(self.read("no such file", error), std::nullopt);
  EXPECT_EQ(error, ENOENT);
  EXPECT_EQ(self.read("task", error), std::nullopt);
  EXPECT_EQ(error, EISDIR);
  EXPECT_EQ(self.link("no such link"), std::nullopt);
  EXPECT_FALSE(self.open_file("no such file"));
}

TEST_F(ProcDirTest, KnowsItsChildren) {
  const testing::WaitingProcess child;
  EXPECT_TRUE(contains(self.children(), child.pid()));
  EXPECT_TRUE(contains(descendants_of(self.pid()), child.pid()));
  EXPECT_TRUE(descendants_of(child.pid()).empty());
}

TEST_F(ProcDirTest, OpensOnlyProcessesThatAre) {
  EXPECT_FALSE(ProcDir::open(Pid{0}));
  EXPECT_FALSE(ProcDir::open(Pid{-1}));
  testing::WaitingProcess child;
  child.reap();
  EXPECT_FALSE(ProcDir::open(child.pid()));
}

TEST_F(ProcDirTest, AnswersNothingOnceTheProcessHasEnded) {
  testing::WaitingProcess child;
  const auto process = ProcDir::open(child.pid());
  ASSERT_TRUE(process);
  EXPECT_TRUE(process->alive());
  child.end();
  EXPECT_FALSE(process->alive());  // a zombie
  child.reap();
  EXPECT_FALSE(process->alive());
  EXPECT_TRUE(process->maps().empty());
  EXPECT_TRUE(process->threads().empty());
  EXPECT_TRUE(process->children().empty());
  EXPECT_FALSE(process->stat());
  EXPECT_FALSE(process->user());
  EXPECT_FALSE(process->id_inside(child.tid()));
  EXPECT_EQ(process->command_line(), "[]");
  EXPECT_EQ(process->thread_name(child.tid()), "");
}

TEST_F(ProcDirTest, MayReadItself) { EXPECT_EQ(read_access(self), Access::allowed); }

TEST_F(ProcDirTest, MayReadAChild) {
  testing::WaitingProcess child;
  const auto process = ProcDir::open(child.pid());
  ASSERT_TRUE(process);
  EXPECT_EQ(read_access(*process), Access::allowed);
  child.end();
  EXPECT_EQ(read_access(*process), Access::gone);
  child.reap();
  EXPECT_EQ(read_access(*process), Access::gone);
}

TEST_F(ProcDirTest, EveryCheckThatFailsSaysHowToMendIt) {
  auto checks = check_machine();
  std::ranges::copy(check_process(self), std::back_inserter(checks));
  EXPECT_GT(checks.size(), 5U);
  for (const AccessCheck& check : checks) {
    EXPECT_FALSE(check.name.empty());
    EXPECT_FALSE(check.finding.empty()) << check.name;
    EXPECT_EQ(check.fix.empty(), check.good) << check.name;
  }
}

}  // namespace
}  // namespace gilspy
