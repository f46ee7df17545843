#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_profile.h"

namespace gilspy {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<std::string> lines_of(const Profile& profile) {
  std::istringstream text(written(csv_exporter(), profile));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(Csv, ALinePerIntervalInNanosecondsOfTheMonotonicClock) {
  EXPECT_THAT(
      lines_of(SampleProfile().profile),
      ElementsAre(
          "start_s,end_s,pid,tid,thread,state,gil,cpu,kind,syscall,holder_tid,holder",
          "1000.000000000,1000.004000000,1000,1000,MainThread,\"holding, "
          "running\",holding,running,,,,",
          "1000.004000000,1000.008000000,1000,1000,MainThread,waiting for the GIL,waiting,blocked,"
          "lock,futex,1001,worker",
          "1000.008000000,1000.010000000,1000,1000,MainThread,blocked,released,blocked,sleep,"
          "clock_nanosleep,,",
          "1000.001000000,1000.004000500,1000,1001,worker,waiting for the GIL,waiting,blocked,lock,"
          "futex,1000,MainThread",
          "1000.004000500,1000.008000000,1000,1001,worker,\"holding, running\",holding,running,,,,",
          "1000.008000000,1000.009000000,1000,1001,worker,unknown,unknown,unknown,,,,",
          "1000.000000000,1000.010000000,1000,1002,jemalloc_bg,running without the GIL,released,"
          "running,,,,"));
}

TEST(Csv, HostileNamesStayInTheirField) {
  const auto lines = lines_of(SampleProfile("work", "/srv/app.py", hostile).profile);
  EXPECT_THAT(lines, SizeIs(8));  // no line more
  EXPECT_THAT(lines[4], HasSubstr(",1001,\"<b>\"\"'&amp;]]></script>"));
  EXPECT_THAT(lines_of(SampleProfile("work", "/srv/app.py", "a,b").profile)[4],
              HasSubstr(",1001,\"a,b\",waiting for the GIL"));
}

TEST(Csv, ARunWithoutThreadsIsAHeadLine) { EXPECT_THAT(lines_of(empty_profile()), SizeIs(1)); }

}  // namespace
}  // namespace gilspy
