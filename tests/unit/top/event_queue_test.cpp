#include "gilspy/top/event_queue.h"

#include <gtest/gtest.h>

#include "states.h"

namespace gilspy::top::testing {
namespace {

TEST(EventQueue, GivesAllEventsInTheirOrderAndOnce) {
  EventQueue queue;
  queue.accept(StringDefined{StringId{0}, "a"});
  queue.accept(StateChanged{at_ms(1), alpha, running});
  const auto events = queue.take();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<StringDefined>(events[0]));
  EXPECT_TRUE(queue.take().empty());
}

// Nobody takes anything for hours: definitions stay, of states and holders the last ones, and a
// word about it.
TEST(EventQueue, StaysSmallWhenNobodyTakesThem) {
  EventQueue queue;
  queue.accept(StringDefined{StringId{0}, "a"});
  for (int i = 0; i < 1'000'000; ++i) {
    queue.accept(StateChanged{at_ms(i), alpha, i % 2 == 0 ? running : sleeping});
    queue.accept(StackSampled{at_ms(i), alpha, empty_stack});
  }
  queue.accept(StateChanged{at_ms(1e6), alpha, holding});
  const auto events = queue.take();
  EXPECT_LE(events.size(), EventQueue::most_events);
  EXPECT_TRUE(std::holds_alternative<StringDefined>(events.front()));
  EXPECT_EQ(events.back(), Event(StateChanged{at_ms(1e6), alpha, holding}));
  bool noted = false;
  Time last{};
  for (const Event& event : events) {
    noted = noted || std::holds_alternative<Noted>(event);
    if (const auto time = time_of(event)) {
      EXPECT_GE(*time, last);
      last = *time;
    }
  }
  EXPECT_TRUE(noted);
}

}  // namespace
}  // namespace gilspy::top::testing
