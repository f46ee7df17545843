#include "gilspy/model/tables.h"

#include <gtest/gtest.h>

#include "event_helpers.h"

namespace gilspy {
namespace {

TEST(Interner, SendsEachDefinitionOnceAndBeforeItsFirstUse) {
  testing::CollectingSink sink;
  Interner interner{sink};
  const CodeId code = interner.code("crunch", "app.py", 10);
  EXPECT_EQ(interner.code("crunch", "app.py", 10), code);
  const StackId stack = interner.stack(empty_stack, code, 12);
  EXPECT_EQ(interner.stack(empty_stack, code, 12), stack);
  EXPECT_NE(stack, empty_stack);
  ASSERT_EQ(sink.events.size(), 4U);
  EXPECT_EQ(std::get<StringDefined>(sink.events[0]).text, "crunch");
  EXPECT_EQ(std::get<StringDefined>(sink.events[1]).text, "app.py");
  EXPECT_EQ(std::get<CodeDefined>(sink.events[2]).id, code);
  EXPECT_EQ(std::get<StackDefined>(sink.events[3]).id, stack);
}

TEST(Interner, GivesAPassingStringAnIdOfItsOwnEachTime) {
  Tables tables;
  Interner interner{tables};
  const StringId first = interner.passing_string("Thread-1");
  const StringId kept = interner.string("crunch");
  const StringId second = interner.passing_string("Thread-1");
  EXPECT_NE(first, second);
  EXPECT_EQ(tables.string(first), "Thread-1");
  EXPECT_EQ(tables.string(second), "Thread-1");
  EXPECT_EQ(interner.string("crunch"), kept);
  EXPECT_EQ(tables.string_count(), 3U);
}

TEST(Interner, StacksKeepTheirMeaningHoweverManyThereAre) {
  Tables tables;
  Interner interner{tables};
  const CodeId code = interner.code("crunch", "app.py", 10);
  const StackId first = interner.stack(empty_stack, code, 0);
  constexpr std::uint32_t many = 300'000;
  for (std::uint32_t line = 1; line < many; ++line) {
    const StackId stack = interner.stack(first, code, line);
    ASSERT_EQ(tables.stack(stack).line, line);
    ASSERT_EQ(tables.stack(stack).parent, first);
  }
  EXPECT_EQ(tables.stack(first).line, 0U);
  EXPECT_EQ(tables.stack_count(), many + 1);
}

TEST(Interner, TellsTheLinesOfStacksLater) {
  Tables tables;
  Interner interner{tables};
  const CodeId code = interner.native_code("f", "lib.so");
  const StackId first = interner.stack_at(empty_stack, code, 0x1000);
  const StackId other = interner.stack_at(empty_stack, code, 0x1004);
  const StackId above = interner.stack_at(first, code, 0x1000);
  EXPECT_EQ(interner.stack_at(empty_stack, code, 0x1000), first);
  EXPECT_NE(first, other);
  EXPECT_EQ(tables.stack(first).line, 0U);

  interner.tell_line(0x1000, 7);
  interner.tell_line(0x1008, 9);  // of which there is none
  EXPECT_EQ(tables.stack(first).line, 7U);
  EXPECT_EQ(tables.stack(above).line, 7U);
  EXPECT_EQ(tables.stack(above).parent, first);
  EXPECT_EQ(tables.stack(other).line, 0U);
  // From then on they are as any other.
  EXPECT_EQ(interner.stack(empty_stack, code, 7), first);
  EXPECT_EQ(interner.stack(first, code, 7), above);

  // One without a line, after all.
  interner.tell_line(0x1004, 0);
  EXPECT_EQ(tables.stack(other).line, 0U);
  EXPECT_EQ(interner.stack(empty_stack, code, 0), other);
}

TEST(Interner, LeavesForgottenPlacesWithoutALine) {
  Tables tables;
  Interner interner{tables};
  const CodeId code = interner.native_code("f", "lib.so");
  const StackId stack = interner.stack_at(empty_stack, code, 0x1000);
  interner.forget_places();
  interner.tell_line(0x1000, 7);
  EXPECT_EQ(tables.stack(stack).line, 0U);
}

TEST(Interner, LetsOnlySoManyStacksWaitForALine) {
  Tables tables;
  Interner interner{tables};
  const CodeId code = interner.native_code("f", "lib.so");
  StackId stack = empty_stack;
  for (int i = 0; i < 1000; ++i) stack = interner.stack_at(stack, code, 0x1000);
  interner.tell_line(0x1000, 7);
  EXPECT_EQ(tables.frames(stack).size(), 1000U);
  EXPECT_EQ(tables.frames(stack).front().line, 7U);
  EXPECT_EQ(tables.stack(stack).line, 0U);
}

TEST(Tables, GivesBackWhatTheInternerSent) {
  Tables tables;
  Interner interner{tables};
  const StackId outer = interner.stack(empty_stack, interner.code("main", "app.py", 1), 30);
  const StackId inner = interner.stack(outer, interner.code("crunch", "app.py", 10), 12);
  const auto frames = tables.frames(inner);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(tables.function_of(frames[0]), "main");
  EXPECT_EQ(tables.function_of(frames[1]), "crunch");
  EXPECT_EQ(frames[1].line, 12U);
}

TEST(Tables, TellNativeFunctionsFromPythons) {
  Tables tables;
  Interner interner{tables};
  const CodeId python = interner.code("sort", "sort", 0);
  const CodeId native = interner.native_code("sort", "sort");
  EXPECT_NE(python, native);
  EXPECT_EQ(interner.native_code("sort", "sort"), native);
  EXPECT_FALSE(tables.code(python).native);
  EXPECT_TRUE(tables.code(native).native);
}

TEST(Tables, TellWhereANativeFunctionIsWritten) {
  Tables tables;
  Interner interner{tables};
  const CodeId spin = interner.native_code("spin", "spin.so");
  EXPECT_EQ(tables.string(tables.code(spin).file), "spin.so");
  EXPECT_TRUE(interner.native_source(spin, "/src/spin.c", 12));
  EXPECT_EQ(tables.string(tables.code(spin).file), "/src/spin.c");
  EXPECT_EQ(tables.string(tables.code(spin).library), "spin.so");
  EXPECT_EQ(tables.code(spin).first_line, 12U);
  // Another function of the same name in the same library.
  EXPECT_FALSE(interner.native_source(spin, "/src/other.c", 7));
  EXPECT_EQ(tables.string(tables.code(spin).file), "/src/spin.c");
}

TEST(Tables, TakeNoSourceOfWhatIsNotNative) {
  Tables tables;
  Interner interner{tables};
  const CodeId python = interner.code("sort", "app.py", 3);
  tables.accept(NativeSource{python, interner.string("sort.c"), 9});
  tables.accept(NativeSource{CodeId{77}, StringId{0}, 9});
  EXPECT_EQ(tables.string(tables.code(python).file), "app.py");
  EXPECT_EQ(tables.code(python).first_line, 3U);
}

TEST(Tables, KnowTheInnermostPythonFunction) {
  Tables tables;
  Interner interner{tables};
  const StackId start = interner.stack(empty_stack, interner.native_code("main", "python"), 0);
  const StackId work = interner.stack(start, interner.code("work", "app.py", 1), 3);
  const StackId sort = interner.stack(work, interner.native_code("sort", "libpython"), 0);
  EXPECT_EQ(tables.python_top(sort)->line, 3U);
  EXPECT_EQ(tables.python_top(work)->line, 3U);
  EXPECT_FALSE(tables.python_top(start));
  EXPECT_FALSE(tables.python_top(empty_stack));
  EXPECT_FALSE(tables.python_top(StackId{77}));
}

TEST(Tables, AnswersUnknownIdsWithNothing) {
  const Tables tables;
  EXPECT_EQ(tables.string(StringId{7}), "");
  EXPECT_TRUE(tables.frames(StackId{7}).empty());
}

TEST(Tables, HostileParentsCannotMakeACycle) {
  Tables tables;
  tables.accept(StackDefined{StackId{1}, StackId{2}, CodeId{0}, 1});
  tables.accept(StackDefined{StackId{2}, StackId{1}, CodeId{0}, 2});
  tables.accept(StackDefined{StackId{1}, StackId{2}, CodeId{0}, 3});
  EXPECT_EQ(tables.frames(StackId{2}).size(), 2U);
}

TEST(Tables, AnIdFarBeyondTheEndIsLeftOut) {
  Tables tables;
  tables.accept(StringDefined{StringId{4'000'000'000}, "x"});
  EXPECT_EQ(tables.string(StringId{4'000'000'000}), "");
}

}  // namespace
}  // namespace gilspy
