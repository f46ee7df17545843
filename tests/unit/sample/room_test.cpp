#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "event_helpers.h"
#include "fake_memory.h"
#include "gilspy/model/lateness.h"
#include "gilspy/sample/run.h"

namespace gilspy {
namespace {

using std::chrono::milliseconds;

/// Has no room for a while after its first events, and keeps what it is given.
class NarrowSink : public testing::CollectingSink {
 public:
  explicit NarrowSink(Duration narrow) : until_(now() + narrow) {}
  [[nodiscard]] bool has_room() const override { return now() >= until_; }

 private:
  Time until_;
};

/// Samples this process, of whose Python nothing can be read, for a fifth of a second.
std::vector<Event> sampled(testing::CollectingSink& sink, double hz) {
  const auto process = ProcDir::open(Pid{::getpid()});
  if (!process) return {};
  Target target;
  target.version = Version{3, 11, 7};
  target.layout = std::make_shared<Layout>(*layout_for(target.version, false));
  FakeMemory memory;
  Interner interner{sink};
  RunOptions options;
  options.rates.state_hz = hz;
  options.duration = milliseconds{200};
  Sampler sampler{*process, memory, sink, interner, target, options.rates};
  EXPECT_EQ(run(sampler, options, {}), EndReason::requested);
  return sink.events;
}

Progress totals(const std::vector<Event>& events) {
  const auto last = std::ranges::find_if(events.rbegin(), events.rend(), [](const Event& event) {
    return std::holds_alternative<Progress>(event);
  });
  return std::get<Progress>(*last);
}

std::uint64_t without_room(const std::vector<Event>& events) {
  std::uint64_t count = 0;
  for (const Event& event : events) {
    if (const auto* late = std::get_if<LatenessCounted>(&event)) count += late->without_room;
  }
  return count;
}

/// Of all ticks that were counted.
Lateness lateness_of(const std::vector<Event>& events) {
  Lateness sum;
  for (const Event& event : events) {
    if (const auto* late = std::get_if<LatenessCounted>(&event)) sum.add(late->ticks, late->worst);
  }
  return sum;
}

std::size_t notes_of(const std::vector<Event>& events, const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(events, [&](const Event& event) {
    const auto* note = std::get_if<Noted>(&event);
    return note != nullptr && note->text.starts_with(text);
  }));
}

TEST(Room, ATickThatFindsNoneIsLeftOutAndCounted) {
  NarrowSink sink{std::chrono::hours{1}};
  const auto events = sampled(sink, 1000);
  EXPECT_EQ(totals(events).ticks, 0U);
  EXPECT_GE(without_room(events), 50U);
  EXPECT_GE(totals(events).missed, without_room(events));
  // Its beginning and its end are told all the same.
  EXPECT_TRUE(std::holds_alternative<ProcessStarted>(events.front()));
  EXPECT_TRUE(std::holds_alternative<ProcessEnded>(events.back()));
}

TEST(Room, TheTimeWithoutItIsUnknownAndSaysWhy) {
  NarrowSink sink{milliseconds{120}};
  const auto events = sampled(sink, 1000);
  EXPECT_GE(without_room(events), 20U);
  EXPECT_EQ(notes_of(events, "the recording could not be written as fast as needed"), 1U);
}

TEST(Room, AsFastAsItGoesDoesNotMeanToAskAsFast) {
  NarrowSink sink{std::chrono::hours{1}};
  const auto events = sampled(sink, 0);
  EXPECT_EQ(totals(events).ticks, 0U);
  EXPECT_GE(totals(events).missed, 1U);
  EXPECT_LE(totals(events).missed, 210U);
}

TEST(Room, WhereThereIsRoomTicksAreMade) {
  testing::CollectingSink sink;
  const auto events = sampled(sink, 1000);
  EXPECT_GT(totals(events).ticks, 0U);
  EXPECT_EQ(without_room(events), 0U);
}

TEST(Room, EachTickIsAsLateAsItIs) {
  testing::CollectingSink sink;
  const auto events = sampled(sink, 1000);
  const Lateness late = lateness_of(events);
  EXPECT_EQ(late.ticks(), totals(events).ticks);
  EXPECT_GT(late.worst(), Duration{});
  EXPECT_LT(late.worst(), std::chrono::seconds{60});
}

TEST(Room, WithoutARateNoTickIsLate) {
  testing::CollectingSink sink;
  EXPECT_EQ(lateness_of(sampled(sink, 0)).ticks(), 0U);
}

}  // namespace
}  // namespace gilspy
