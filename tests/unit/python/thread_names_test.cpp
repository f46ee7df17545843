#include <string>

#include "thread_names_fixture.h"

namespace gilspy {
namespace {

INSTANTIATE_TEST_SUITE_P(Versions, ThreadNamesTest, testing::Values(10, 11, 12, 13));

constexpr std::uint64_t main_ident = 0x7f12'3456'7890;

TEST_P(ThreadNamesTest, FindsEachThreadsName) {
  threads.add(main_ident, "MainThread", usual());
  threads.add_hole();
  threads.add(0x7f00'0000'1640,
              threads.thread(threads.objects().wide(std::u32string_view{U"\U0001F40D"}), usual()));
  threads.add(UINT64_MAX, "last", usual());
  threads.add(1, "", usual());
  EXPECT_EQ(names(threads.interpreter()), (Names{{main_ident, "MainThread"},
                                                 {0x7f00'0000'1640, "\xF0\x9F\x90\x8D"},
                                                 {UINT64_MAX, "last"},
                                                 {1, ""}}));
}

TEST_P(ThreadNamesTest, FindsItWhereverAttributesAreKept) {
  if (has_values()) threads.add(1, "values", Storage::values);
  threads.add(2, "split", Storage::split_dict);
  threads.add(3, "str", Storage::str_dict);
  threads.add(4, "general", Storage::general_dict);
  threads.add(5, "nowhere", Storage::nowhere);
  Names expected{{2, "split"}, {3, "str"}, {4, "general"}};
  if (has_values()) expected.emplace(1, "values");
  EXPECT_EQ(names(threads.interpreter()), expected);
}

TEST_P(ThreadNamesTest, FallsBackToTheDictOffset) {
  // A class that inherits a dict of its own from a class written in C has no managed one.
  const std::uint64_t flags = 1U << 9 | 1U << 12;
  memory.put(layout.at.type.flags.in(threads.thread_class()), flags);
  memory.put(layout.at.type.dictoffset.in(threads.thread_class()), FakeThreads::dictoffset);
  const RemoteAddress thread = threads.thread({}, Storage::nowhere);
  memory.put(thread + FakeThreads::dictoffset,
             threads.objects().dict(FakeObjects::Keys::str,
                                    threads.attributes(threads.objects().ascii("mixed"))));
  threads.add(7, thread);
  EXPECT_EQ(names(threads.interpreter()), (Names{{7, "mixed"}}));
}

TEST_P(ThreadNamesTest, ReadsTablesOfEachSize) {
  // The width of a table's indices grows beyond 128 slots and beyond 32768.
  std::uint64_t added = 0;
  for (const std::uint64_t count : {5U, 11U, 70U, 150U, 300U}) {
    while (added < count) {
      ++added;
      threads.add(main_ident + added, "Thread-" + std::to_string(added), usual());
    }
    const Names found = names(threads.interpreter());
    ASSERT_EQ(found.size(), count);
    EXPECT_EQ(found.at(main_ident + count), "Thread-" + std::to_string(count));
  }
  for (const std::size_t modules : {4U, 80U, 160U, 25'000U, 50'000U}) {
    EXPECT_EQ(names(threads.interpreter(modules)).size(), added) << modules;
  }
}

TEST_P(ThreadNamesTest, LeavesOutWhatIsNotAThread) {
  FakeObjects& objects = threads.objects();
  threads.add(1, "kept", usual());
  threads.add(2, FakeThreads::unreadable);
  threads.add(3, objects.ascii("a str has no class here"));
  threads.add(4, threads.thread(RemoteAddress{}, usual()));
  threads.add(5, threads.thread(objects.number(5), usual()));
  threads.add(0, "zero is no ident", usual());
  EXPECT_EQ(names(threads.interpreter()), (Names{{1, "kept"}}));
}

TEST_P(ThreadNamesTest, RefusesIdentsThatAreNot64BitNumbers) {
  const auto& at = layout.at.long_object;
  const bool bits = layout.traits.long_tag == Traits::LongTag::sign_bits;
  const auto tag = [&](std::uint64_t value) {
    FakeMemory fresh;
    FakeThreads one{fresh, layout};
    one.add(main_ident, "name", usual());
    const RemoteAddress interpreter = one.interpreter();
    // The first entry of the active dict's table is the number.
    const auto keys = fresh.read_pointer(layout.at.dict.keys.in(one.active_dict()));
    const RemoteAddress entry = layout.at.dict_keys.indices.in(*keys) + 8;
    const auto number = fresh.read_pointer(layout.at.dict_entry.key.in(entry));
    fresh.put(at.tag.in(*number), value);
    return read_thread_names(fresh, layout, interpreter).size();
  };
  EXPECT_EQ(tag(bits ? 2U << 3U : 2U), 1U);
  EXPECT_EQ(tag(bits ? 2U << 3U | 2U : static_cast<std::uint64_t>(-2)), 0U);  // negative
  EXPECT_EQ(tag(bits ? 1U : 0U), 0U);                                         // zero
  EXPECT_EQ(tag(bits ? 4U << 3U : 4U), 0U);
  EXPECT_EQ(tag(UINT64_MAX), 0U);
}

TEST_P(ThreadNamesTest, IsEmptyWithoutTheThreadingModule) {
  const RemoteAddress interpreter = threads.objects().allocate(8192);
  EXPECT_TRUE(names(interpreter).empty());
  const RemoteAddress modules = layout.at.interpreter.modules.in(interpreter);
  memory.put(modules, RemoteAddress{});
  EXPECT_TRUE(names(interpreter).empty());
  memory.put(modules, threads.objects().dict(FakeObjects::Keys::str, {}));
  EXPECT_TRUE(names(interpreter).empty());
}

TEST_P(ThreadNamesTest, RefusesImpossibleTables) {
  threads.add(1, "name", usual());
  const RemoteAddress interpreter = threads.interpreter();
  const RemoteAddress keys = *memory.read_pointer(layout.at.dict.keys.in(threads.active_dict()));
  const auto& at = layout.at.dict_keys;
  for (const std::int64_t count : {std::int64_t{-1}, std::int64_t{6}, INT64_MAX, INT64_MIN}) {
    memory.put(at.nentries.in(keys), count);
    EXPECT_TRUE(names(interpreter).empty()) << count;
  }
  memory.put(at.nentries.in(keys), std::int64_t{1});
  ASSERT_EQ(names(interpreter).size(), 1U);
  if (at.size.present()) {
    for (const std::int64_t size :
         {std::int64_t{0}, std::int64_t{-8}, std::int64_t{9}, INT64_MAX}) {
      memory.put(at.size.in(keys), size);
      EXPECT_TRUE(names(interpreter).empty()) << size;
    }
  } else {
    for (const int log2 : {0, 29, 63, 64, 255}) {
      memory.put(at.log2_size.in(keys), static_cast<std::uint8_t>(log2));
      memory.put(at.log2_index_bytes.in(keys), static_cast<std::uint8_t>(log2));
      EXPECT_TRUE(names(interpreter).empty()) << log2;
    }
    memory.put(at.log2_size.in(keys), std::uint8_t{3});
    memory.put(at.log2_index_bytes.in(keys), std::uint8_t{3});
    ASSERT_EQ(names(interpreter).size(), 1U);
    const RemoteAddress modules = layout.at.dict.keys.in(threads.modules_dict());
    memory.put(at.kind.in(*memory.read_pointer(modules)), std::uint8_t{3});
    EXPECT_TRUE(names(interpreter).empty());
  }
}

/// Where values have a head that says whether they count.
class InlineValuesTest : public ThreadNamesTest {};

INSTANTIATE_TEST_SUITE_P(Versions, InlineValuesTest, testing::Values(13));

TEST_P(InlineValuesTest, MustBeInUse) {
  const RemoteAddress stale = threads.thread(threads.objects().ascii("stale"), Storage::values);
  memory.put(layout.at.dict_values.valid.in(stale + FakeThreads::basicsize), std::uint8_t{0});
  const RemoteAddress small = threads.thread(threads.objects().ascii("small"), Storage::values);
  memory.put(layout.at.dict_values.capacity.in(small + FakeThreads::basicsize), std::uint8_t{2});
  threads.add(1, stale);
  threads.add(2, small);
  threads.add(3, "good", Storage::values);
  EXPECT_EQ(names(threads.interpreter()), (Names{{3, "good"}}));
}

}  // namespace
}  // namespace gilspy
