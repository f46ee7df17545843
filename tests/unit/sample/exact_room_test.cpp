// With the kernel's records, while the recording has no room for long.

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "event_helpers.h"
#include "fake_memory.h"
#include "gilspy/base/unique_fd.h"
#include "gilspy/sample/run.h"
#include "record_backlog.h"

namespace gilspy {
namespace {

/// Has no room for ticks until it is opened.
class ClosedSink : public testing::CollectingSink {
 public:
  [[nodiscard]] bool has_room() const override { return open_; }
  void accept(const Event& event) override {
    CollectingSink::accept(event);
    if (open_ && std::holds_alternative<StateChanged>(event)) ticked_ = true;
  }
  void open() { open_ = true; }
  [[nodiscard]] bool ticked() const { return ticked_; }

 private:
  std::atomic<bool> open_{false};
  std::atomic<bool> ticked_{false};
};

std::uint64_t context_switches() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-union-access): the C library's own struct.
  return static_cast<std::uint64_t>(used.ru_nvcsw + used.ru_nivcsw);
}

/// Threads that hand each other a byte all the time.
class Restless {
 public:
  Restless() {
    EXPECT_EQ(::pipe(there_.data()), 0);
    EXPECT_EQ(::pipe(back_.data()), 0);
    first_ = std::thread{[this] { pass(back_[0], there_[1]); }};
    second_ = std::thread{[this] { pass(there_[0], back_[1]); }};
    EXPECT_EQ(::write(there_[1], "x", 1), 1);
  }
  Restless(const Restless&) = delete;
  Restless& operator=(const Restless&) = delete;
  ~Restless() {
    ending_ = true;
    for (const int end : {there_[1], back_[1]}) EXPECT_EQ(::write(end, "x", 1), 1);
    first_.join();
    second_.join();
    for (const int end : {there_[0], there_[1], back_[0], back_[1]}) ::close(end);
  }

 private:
  void pass(int from, int to) {
    char byte = 0;
    while (!ending_ && ::read(from, &byte, 1) == 1 && ::write(to, &byte, 1) == 1) {
    }
  }

  std::array<int, 2> there_{};
  std::array<int, 2> back_{};
  std::atomic<bool> ending_{false};
  std::thread first_;
  std::thread second_;
};

std::uint64_t lost_of(const std::vector<Event>& events) {
  std::uint64_t lost = 0;
  for (const Event& event : events) {
    if (const auto* traced = std::get_if<Traced>(&event)) lost = traced->lost;
  }
  return lost;
}

bool is_recorded(const std::vector<Event>& events) {
  for (const Event& event : events) {
    if (const auto* traced = std::get_if<Traced>(&event)) {
      return traced->source != TraceSource::sampled;
    }
  }
  return false;
}

TEST(ExactRoom, RecordsAreLostAndTheirTimeIsUnknown) {
  const auto process = ProcDir::open(Pid{::getpid()});
  if (!process) FAIL();
  Target target;
  target.version = Version{3, 11, 7};
  target.layout = std::make_shared<Layout>(*layout_for(target.version, false));
  FakeMemory memory;
  ClosedSink sink;
  Interner interner{sink};
  RunOptions options;
  options.rates.exact = true;
  options.duration = std::chrono::minutes{2};
  Sampler sampler{*process, memory, sink, interner, target, options.rates};
  const UniqueFd over{::eventfd(0, EFD_CLOEXEC)};
  std::thread conductor{[&] {
    {
      const Restless restless;
      while (context_switches() < 2 * RecordBacklog::most_kept) std::this_thread::yield();
    }
    sink.open();
    while (!sink.ticked()) std::this_thread::yield();
    ::eventfd_write(over.get(), 1);
  }};
  static_cast<void>(
      run(sampler, options, {{over.get(), [] { return std::optional{EndReason::requested}; }}}));
  conductor.join();
  if (!is_recorded(sink.events)) GTEST_SKIP() << "the kernel's records are not allowed";
  EXPECT_GT(lost_of(sink.events), 0U);
  int gaps = 0;
  for (const Event& event : sink.events) {
    const auto* note = std::get_if<Noted>(&event);
    if (note != nullptr && note->text.starts_with("the recording could not be written")) ++gaps;
  }
  EXPECT_EQ(gaps, 1);
}

}  // namespace
}  // namespace gilspy
