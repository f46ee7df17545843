#include <random>
#include <string>

#include "thread_names_fixture.h"

namespace gilspy {
namespace {

/// Targets that run on during the read, and memory that is not what it should be.
class ChangingTargetTest : public ThreadNamesTest {};

INSTANTIATE_TEST_SUITE_P(Versions, ChangingTargetTest, testing::Values(10, 11, 12, 13));

TEST_P(ChangingTargetTest, FollowsADictThatGetsAnotherTable) {
  threads.add(1, "old", usual());
  const RemoteAddress interpreter = threads.interpreter();
  const RemoteAddress old_dict = threads.active_dict();
  threads.add(2, "new", usual());
  threads.interpreter();
  const RemoteAddress keys_at = layout.at.dict.keys.in(old_dict);
  const RemoteAddress old_keys = *memory.read_pointer(keys_at);
  const RemoteAddress new_keys =
      *memory.read_pointer(layout.at.dict.keys.in(threads.active_dict()));
  const std::size_t start = memory.batches();
  ASSERT_EQ(names(interpreter), (Names{{1, "old"}}));
  const std::size_t batches = memory.batches() - start;

  for (std::size_t change = 0; change < batches; ++change) {
    memory.before_batch({});
    memory.put(keys_at, old_keys);
    memory.before_batch([&, at = memory.batches() + change](std::size_t batch) {
      if (batch == at) memory.put(keys_at, new_keys);
    });
    for (const auto& [ident, name] : names(interpreter)) {
      EXPECT_EQ(name, ident == 1 ? "old" : "new");
    }
  }
  // The change is over: all of them again.
  memory.before_batch({});
  EXPECT_EQ(names(interpreter), (Names{{1, "old"}, {2, "new"}}));
}

TEST_P(ChangingTargetTest, DoesNotBelieveATableThatWasGivenUp) {
  FakeObjects& objects = threads.objects();
  const RemoteAddress thread = threads.thread({}, Storage::nowhere);
  const RemoteAddress name = objects.ascii("name");
  const RemoteAddress dict = objects.dict(FakeObjects::Keys::general, threads.attributes(name));
  memory.put(has_values() ? thread - 24 : thread + FakeThreads::dictoffset, dict);
  threads.add(1, thread);
  const RemoteAddress interpreter = threads.interpreter();
  ASSERT_EQ(names(interpreter), (Names{{1, "name"}}));
  const std::size_t batches = memory.batches();

  const RemoteAddress keys_at = layout.at.dict.keys.in(dict);
  const RemoteAddress old_keys = *memory.read_pointer(keys_at);
  const RemoteAddress new_keys = objects.keys(FakeObjects::Keys::general, threads.attributes(name));
  const RemoteAddress old_value = layout.at.dict_keys.indices.in(old_keys) + 8 +
                                  2 * layout.at.dict_entry.struct_size +
                                  static_cast<std::uint64_t>(layout.at.dict_entry.value.offset);
  const RemoteAddress ghost = objects.ascii("ghost");
  for (std::size_t change = 0; change < batches; ++change) {
    memory.before_batch({});
    memory.put(keys_at, old_keys);
    memory.put(old_value, name);
    // The dict gets another table, and the old one's memory has another use at once.
    memory.before_batch([&, at = memory.batches() + change](std::size_t batch) {
      if (batch != at) return;
      memory.put(keys_at, new_keys);
      memory.put(old_value, ghost);
    });
    EXPECT_EQ(names(interpreter), (Names{{1, "name"}})) << change;
  }
}

TEST_P(ChangingTargetTest, LeavesOutThreadsThatEndMeanwhile) {
  threads.add(1, "one", usual());
  threads.add(2, "two", usual());
  const RemoteAddress interpreter = threads.interpreter();
  ASSERT_EQ(names(interpreter).size(), 2U);
  const std::size_t batches = memory.batches();
  const RemoteAddress keys = *memory.read_pointer(layout.at.dict.keys.in(threads.active_dict()));
  const RemoteAddress entry = layout.at.dict_keys.indices.in(keys) + 8;
  // Four batches from the end both threads have been read; the last ones look at the dict again.
  memory.before_batch([&, at = memory.batches() + batches - 4](std::size_t batch) {
    if (batch == at) memory.put(layout.at.dict_entry.value.in(entry), RemoteAddress{});
  });
  EXPECT_EQ(names(interpreter), (Names{{2, "two"}}));
}

TEST_P(ChangingTargetTest, GivesUpOnADictThatNeverRests) {
  threads.add(1, "name", usual());
  const RemoteAddress interpreter = threads.interpreter();
  const RemoteAddress keys_at = layout.at.dict.keys.in(threads.active_dict());
  const RemoteAddress first = *memory.read_pointer(keys_at);
  const RemoteAddress second = threads.objects().keys(FakeObjects::Keys::general, {});
  memory.before_batch(
      [&](std::size_t batch) { memory.put(keys_at, batch % 2 == 0 ? first : second); });
  EXPECT_LE(names(interpreter).size(), 1U);
  EXPECT_LT(memory.batches(), 200U);
}

TEST_P(ChangingTargetTest, StopsWhenTheTargetEnds) {
  for (std::uint64_t i = 1; i <= 50; ++i) threads.add(i, "name", usual());
  const RemoteAddress interpreter = threads.interpreter();
  memory.before_batch([&](std::size_t batch) {
    if (batch == 40) memory.end_process();
  });
  EXPECT_TRUE(names(interpreter).empty());
  EXPECT_LE(memory.batches(), 43U);
}

TEST_P(ChangingTargetTest, SurvivesPointersThatLeadInCircles) {
  // Every word is the address of the memory it lies in: whatever is read leads back there.
  const RemoteAddress at = threads.objects().allocate(1 << 17);
  for (const std::uint64_t step : {0U, 8U, 64U, 4096U}) {
    for (std::uint64_t i = 0; i < 1 << 16; i += 8) memory.put(at + i, at + i * step % 4096);
    EXPECT_TRUE(names(at).empty());
  }
}

TEST_P(ChangingTargetTest, SurvivesDamagedMemory) {
  for (std::uint64_t i = 1; i <= 8; ++i) {
    threads.add(i, "name", i % 2 == 0 ? usual() : Storage::general_dict);
  }
  const RemoteAddress interpreter = threads.interpreter();
  const RemoteAddress end = threads.objects().allocate(16);
  const RemoteAddress begin{0x7f0000001000};
  std::mt19937_64 random{3};
  for (int round = 0; round < 300; ++round) {
    FakeMemory damaged;
    damaged.copy_from(memory);
    for (int i = 0; i < 20 + round; ++i) {
      const RemoteAddress at = begin + random() % (end - begin) / 8 * 8;
      const RemoteAddress inside = begin + random() % (end - begin) / 8 * 8;
      damaged.put(at, round % 2 == 0 ? inside : RemoteAddress{random()});
    }
    // The table of eight entries has room for ten.
    EXPECT_LE(read_thread_names(damaged, layout, interpreter).size(), 10U);
  }
}

}  // namespace
}  // namespace gilspy
