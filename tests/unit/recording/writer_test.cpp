#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <random>
#include <thread>
#include <utility>

#include "recording_helpers.h"

namespace gilspy {
namespace {

using testing::at_ms;
using testing::MemoryFile;
using testing::replay_bytes;

ThreadGone tick(double ms) { return ThreadGone{at_ms(ms), Tid{1}}; }

std::size_t events_in(const MemoryFile& file) {
  const std::string bytes = file.bytes();
  return bytes.empty() ? 0 : replay_bytes(bytes).events.size();
}

/// How many events are in the file once its writer, which takes its time, has had as much of that
/// as it needs for so many.
std::size_t events_in(const MemoryFile& file, std::size_t expected) {
  const Time deadline = now() + std::chrono::seconds{60};
  while (events_in(file) < expected && now() < deadline) std::this_thread::yield();
  return events_in(file);
}

/// What is in the pipe, up to 4 KB of it; "" at its end or when it is empty and does not wait.
std::string read_some(const UniqueFd& pipe) {
  std::string part(4096, '\0');
  const ssize_t got = ::read(pipe.get(), part.data(), part.size());
  part.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return part;
}

std::string drained(const UniqueFd& pipe) {
  std::string bytes;
  for (std::string part; !(part = read_some(pipe)).empty();) bytes += part;
  return bytes;
}

/// Texts that do not compress.
std::vector<Event> noise(std::uint32_t count) {
  std::mt19937 random{3};
  std::vector<Event> events;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string text(65'000, ' ');
    for (char& c : text) c = static_cast<char>('!' + random() % 90);
    events.emplace_back(StringDefined{StringId{i}, text});
  }
  return events;
}

TEST(RecordingWriter, IsARecordingFromItsFirstMoment) {
  const MemoryFile file;
  const RecordingWriter writer{file.writable()};
  EXPECT_EQ(events_in(file), 0U);
}

TEST(RecordingWriter, FlushSendsWhatIsBuffered) {
  const MemoryFile file;
  RecordingWriter writer{file.writable()};
  writer.accept(tick(0));
  EXPECT_EQ(events_in(file), 0U);
  writer.flush();
  EXPECT_EQ(events_in(file), 1U);
  const std::string before = file.bytes();
  writer.flush();
  EXPECT_EQ(file.bytes(), before);
}

TEST(RecordingWriter, ASecondOfTheStreamsTimeSends) {
  const MemoryFile file;
  RecordingWriter writer{file.writable()};
  for (const double ms : {500.0, 1000.0, 1499.0}) writer.accept(tick(ms));
  EXPECT_EQ(events_in(file), 0U);
  writer.accept(tick(1500));
  EXPECT_EQ(events_in(file, 4), 4U);
  writer.accept(tick(2400));
  EXPECT_EQ(events_in(file), 4U);
  writer.accept(tick(3400));
  EXPECT_EQ(events_in(file, 6), 6U);
}

TEST(RecordingWriter, AFullBufferSends) {
  const MemoryFile file;
  RecordingWriter writer{file.writable()};
  for (std::uint32_t i = 0; i < 5; ++i) {
    writer.accept(StringDefined{StringId{i}, std::string(60'000, 'x')});
  }
  EXPECT_EQ(events_in(file, 5), 5U);
}

TEST(RecordingWriter, TheEndOfAProcessSends) {
  const MemoryFile file;
  RecordingWriter writer{file.writable()};
  writer.accept(ProcessEnded{at_ms(0), Pid{1}, EndReason::requested});
  EXPECT_EQ(events_in(file, 1), 1U);
}

TEST(RecordingWriter, TheDestructorSends) {
  const MemoryFile file;
  {
    RecordingWriter writer{file.writable()};
    writer.accept(tick(0));
  }
  EXPECT_EQ(events_in(file), 1U);
}

TEST(RecordingWriter, WritesFromTheFilesPosition) {
  const MemoryFile file;
  const UniqueFd front = file.writable();
  ASSERT_EQ(::write(front.get(), "front", 5), 5);
  RecordingWriter writer{file.writable()};
  writer.accept(tick(0));
  writer.flush();
  EXPECT_EQ(replay_bytes(file.bytes().substr(5)).events.size(), 1U);
}

TEST(RecordingWriter, AFullDiskIsReported) {
  RecordingWriter writer{UniqueFd{::open("/dev/full", O_WRONLY | O_CLOEXEC)}};
  EXPECT_EQ(writer.error(), ENOSPC);
  writer.accept(tick(0));
  writer.flush();
  EXPECT_EQ(writer.error(), ENOSPC);
}

TEST(RecordingWriter, AfterAnErrorNothingMoreIsWritten) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
  const UniqueFd read_end{ends[0]};
  const UniqueFd fill_end{::dup(ends[1])};
  RecordingWriter writer{UniqueFd{ends[1]}};
  EXPECT_EQ(drained(read_end).size(), 10U);

  while (::write(fill_end.get(), "x", 1) == 1) continue;
  writer.accept(ProcessEnded{at_ms(0), Pid{1}, EndReason::requested});
  writer.flush();
  EXPECT_EQ(writer.error(), EAGAIN);
  static_cast<void>(drained(read_end));
  writer.accept(ProcessEnded{at_ms(1), Pid{1}, EndReason::requested});
  writer.flush();
  EXPECT_EQ(drained(read_end), "");
  EXPECT_EQ(writer.error(), EAGAIN);
}

TEST(RecordingWriter, AReaderThatHasGoneIsAnErrorAndNoSignal) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  UniqueFd read_end{ends[0]};
  RecordingWriter writer{UniqueFd{ends[1]}};
  read_end.reset();
  writer.accept(tick(0));
  writer.flush();
  EXPECT_EQ(writer.error(), EPIPE);
}

TEST(RecordingWriter, PartialWritesAreContinued) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd read_end{ends[0]};
  // A pipe holds less than a frame of noise.
  const std::vector<Event> events = noise(20);
  std::thread writing{[&events, file = UniqueFd{ends[1]}]() mutable {
    RecordingWriter writer{std::move(file)};
    for (const Event& event : events) writer.accept(event);
    writer.flush();
    EXPECT_EQ(writer.error(), 0);
  }};
  const std::string bytes = drained(read_end);
  writing.join();
  EXPECT_TRUE(replay_bytes(bytes).events == events);
}

/// A pipe that nobody reads from stands for a disk that does not come back: one write fills it.
struct StandingStill {
  StandingStill() {
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_end.reset(ends[0]);
    writer = std::make_unique<RecordingWriter>(UniqueFd{ends[1]});
  }

  /// Seconds of the stream's time, a frame each, of which the first fills the pipe.
  std::size_t accept_while_there_is_room(std::size_t most) {
    for (const Event& event : noise(4)) writer->accept(event);
    accepted = 4;
    while (writer->has_room() && accepted < most) {
      writer->accept(tick(1000.0 * static_cast<double>(accepted++)));
    }
    return accepted;
  }

  std::array<int, 2> ends{};
  UniqueFd read_end;
  std::unique_ptr<RecordingWriter> writer;
  std::size_t accepted = 0;
};

TEST(RecordingWriter, WhileTheDiskStandsStillEventsAreTakenUntilThereIsNoRoom) {
  StandingStill disk;
  // Nobody waits here: this ends although nothing is read.
  const std::size_t accepted = disk.accept_while_there_is_room(10'000);
  EXPECT_GT(accepted, 30U);
  EXPECT_LT(accepted, 1000U);
  EXPECT_FALSE(disk.writer->has_room());
  // What must not get lost is taken all the same.
  disk.writer->accept(ProcessEnded{at_ms(1e6), Pid{1}, EndReason::requested});

  std::string bytes;
  std::thread reading{[&] { bytes = drained(disk.read_end); }};
  disk.writer->flush();
  EXPECT_TRUE(disk.writer->has_room());
  EXPECT_EQ(disk.writer->error(), 0);
  disk.writer.reset();
  reading.join();
  const auto events = replay_bytes(bytes).events;
  ASSERT_EQ(events.size(), accepted + 1);
  for (std::size_t i = 4; i < accepted; ++i) {
    EXPECT_EQ(events[i], Event{tick(1000.0 * static_cast<double>(i))});
  }
  EXPECT_TRUE(std::holds_alternative<ProcessEnded>(events.back()));
}

TEST(RecordingWriter, ADiskThatFailsWhileManyWaitEndsTheWaiting) {
  StandingStill disk;
  disk.accept_while_there_is_room(10'000);
  disk.read_end.reset();
  disk.writer->flush();
  EXPECT_EQ(disk.writer->error(), EPIPE);
  EXPECT_TRUE(disk.writer->has_room());
}

TEST(RecordingWriter, AKilledWriterLeavesAllButTheLastSecond) {
  const MemoryFile file;
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    RecordingWriter writer{file.writable()};
    for (int ms = 0; ms < 10'500; ms += 10) writer.accept(tick(ms));
    while (true) ::pause();
  }
  EXPECT_EQ(events_in(file, 1010), 1010U);
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto back = replay_bytes(file.bytes());
  ASSERT_FALSE(back.events.empty());
  EXPECT_GE(time_of(back.events.back()).value_or(Time{}), at_ms(9'490));
  EXPECT_FALSE(back.result.whole);
}

/// 60 s of two threads that hand the GIL to and fro 200 times a second, each sampled 100 times a
/// second, seen by a 1 kHz state lane whose ticks jitter.
std::vector<Event> busy_minute() {
  std::mt19937_64 random{42};
  std::normal_distribution<double> jitter_us{60, 15};
  const std::array tids{Tid{31337}, Tid{31338}};
  std::vector<Event> events{testing::process_started(0, Pid{31337})};
  std::size_t holder = 0;
  for (int ms = 0; ms < 60'000; ++ms) {
    const Time at = at_ms(ms) + Duration{static_cast<std::int64_t>(jitter_us(random) * 1000)};
    if (ms % 5 == 0) {
      const std::size_t waiter = std::exchange(holder, 1 - holder);
      events.emplace_back(StateChanged{at, tids[waiter], testing::waiting});
      events.emplace_back(StateChanged{at, tids[holder], testing::holding});
      events.emplace_back(GilChanged{at, GilId{0}, tids[holder], true, 1});
    }
    if (ms % 10 == 3) {
      for (const Tid tid : tids) {
        const StackId stack{static_cast<std::uint32_t>(1 + random() % 200)};
        events.emplace_back(StackSampled{at, tid, stack});
      }
    }
    if (ms % 1000 == 0) events.emplace_back(Progress{at, static_cast<std::uint64_t>(ms)});
  }
  events.emplace_back(ProcessEnded{at_ms(60'001), Pid{31337}, EndReason::requested});
  return events;
}

TEST(RecordingWriter, AMinuteOfHandOffsStaysBelowAMegabyte) {
  const std::vector<Event> events = busy_minute();
  const std::string bytes = testing::record(events);
  RecordProperty("bytes_per_minute", static_cast<int>(bytes.size()));
  EXPECT_LE(bytes.size(), 1'000'000U);
  EXPECT_TRUE(replay_bytes(bytes).events == events);
}

}  // namespace
}  // namespace gilspy
