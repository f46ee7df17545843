#include "gilspy/python/code_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "fake_code.h"
#include "fake_memory.h"
#include "layouts.h"

namespace gilspy {
namespace {

class CodeCacheTest : public testing::TestWithParam<int> {
 protected:
  void refresh(RemoteAddress address) { cache.refresh(std::array{address}); }

  /// "name file:line" of what the cache knows at this address, or "nothing".
  [[nodiscard]] std::string known(RemoteAddress address) const {
    const CodeCache::Code* const code = cache.find(address);
    if (code == nullptr) return "nothing";
    const Tables::Code entry = tables.code(code->id);
    EXPECT_EQ(entry.first_line, code->first_line);
    return std::string(tables.string(entry.function)) + " " +
           std::string(tables.string(entry.file)) + ":" + std::to_string(entry.first_line);
  }
  [[nodiscard]] std::string looked_up(RemoteAddress address) {
    refresh(address);
    return known(address);
  }

  /// Lets another name, as long as the one before, lie where that one was.
  void rename_in_place(RemoteAddress code, std::string_view text) {
    const auto& name = at.code.qualname.present() ? at.code.qualname : at.code.name;
    const auto header = static_cast<std::uint64_t>(at.ascii.struct_size);
    memory.put(*memory.read_pointer(name.in(code)) + header, text);
  }

  const Layout& layout = *layout_for({3, static_cast<std::uint8_t>(GetParam()), 0}, false);
  const Offsets& at = layout.at;
  FakeMemory memory;
  FakeObjects objects{memory, layout};
  FakeCode codes{memory, layout, objects};
  Tables tables;
  Interner interner{tables};
  CodeCache cache{memory, layout, interner};
};

INSTANTIATE_TEST_SUITE_P(Versions, CodeCacheTest, testing::ValuesIn(all_minors()));

TEST_P(CodeCacheTest, LoadsACodeObject) {
  const RemoteAddress code = codes.function("Job.run", "app.py", 10);
  EXPECT_EQ(known(code), "nothing");
  EXPECT_EQ(looked_up(code), "Job.run app.py:10");
  const CodeCache::Code* const found = cache.find(code);
  ASSERT_NE(found, nullptr);
  if (at.code.bytecode.present()) {
    EXPECT_EQ(found->bytecode, at.code.bytecode.in(code));
    EXPECT_EQ(found->bytecode_size, 12U);
  }
  EXPECT_EQ(found->lines.line_at(0), 10U);
  EXPECT_EQ(found->lines.line_at(4), 11U);
  EXPECT_EQ(found->lines.line_at(10), 13U);
}

TEST_P(CodeCacheTest, TakesTheNameWhereThereIsNoQualifiedOne) {
  const RemoteAddress code = codes.function("Job.run", "app.py", 10);
  objects.set(code, at.code.name, objects.ascii("run"));
  const bool qualified = at.code.qualname.present();
  EXPECT_EQ(looked_up(code), qualified ? "Job.run app.py:10" : "run app.py:10");
  objects.set(code, at.code.qualname, RemoteAddress{});
  EXPECT_EQ(looked_up(code), "run app.py:10");
}

TEST_P(CodeCacheTest, NoticesANameInTheSamePlaceOnceItsCodeWasReplaced) {
  const RemoteAddress code = codes.function("run", "app.py", 10);
  ASSERT_EQ(looked_up(code), "run app.py:10");
  codes.put(code, "one", "app.py", 10);
  ASSERT_EQ(looked_up(code), "one app.py:10");
  rename_in_place(code, "two");
  EXPECT_EQ(looked_up(code), "two app.py:10");
}

TEST_P(CodeCacheTest, NoticesANameInTheSamePlaceOnceItsCodeWasFreed) {
  const RemoteAddress code = codes.function("one", "app.py", 10);
  ASSERT_EQ(looked_up(code), "one app.py:10");
  objects.set(code, at.object.type, RemoteAddress{});
  ASSERT_EQ(looked_up(code), "nothing");
  objects.set(code, at.object.type, codes.type());
  ASSERT_EQ(looked_up(code), "one app.py:10");
  rename_in_place(code, "two");
  EXPECT_EQ(looked_up(code), "two app.py:10");
}

TEST_P(CodeCacheTest, TrustsCodeAgainThatStaysTheSame) {
  const RemoteAddress code = codes.function("run", "app.py", 10);
  refresh(code);
  codes.put(code, "one", "app.py", 10);
  for (int i = 0; i < 100; ++i) refresh(code);
  const std::size_t before = memory.batches();
  EXPECT_TRUE(cache.refresh(std::array{code}));
  EXPECT_EQ(memory.batches(), before + 1);
  EXPECT_EQ(known(code), "one app.py:10");
}

TEST_P(CodeCacheTest, ReadsAKnownCodeObjectWithOneSystemCall) {
  const RemoteAddress code = codes.function("run", "app.py", 10);
  const RemoteAddress other = codes.function("stop", "app.py", 20);
  cache.refresh(std::array{code, other});
  const std::size_t before = memory.batches();
  cache.refresh(std::array{code, other});
  EXPECT_EQ(memory.batches(), before + 1);
  EXPECT_EQ(known(code), "run app.py:10");
  EXPECT_EQ(known(other), "stop app.py:20");
}

TEST_P(CodeCacheTest, NoticesThatAnAddressIsUsedAnew) {
  const RemoteAddress code = codes.function("old", "app.py", 10);
  ASSERT_EQ(looked_up(code), "old app.py:10");
  codes.put(code, "new", "other.py", 30);
  EXPECT_EQ(known(code), "old app.py:10");
  EXPECT_EQ(looked_up(code), "new other.py:30");
  EXPECT_EQ(cache.find(code)->lines.line_at(0), 30U);
}

TEST_P(CodeCacheTest, ForgetsWhatIsNoCodeObjectAnyMore) {
  const RemoteAddress code = codes.function("run", "app.py", 10);
  ASSERT_EQ(looked_up(code), "run app.py:10");
  const RemoteAddress list_name = objects.allocate(16);
  memory.put(list_name, std::string_view{"list\0", 5});
  const RemoteAddress list_type = objects.allocate(at.type.struct_size);
  objects.set(list_type, at.type.name, list_name);
  objects.set(code, at.object.type, list_type);
  EXPECT_EQ(looked_up(code), "nothing");
  objects.set(code, at.object.type, codes.type());
  EXPECT_EQ(looked_up(code), "run app.py:10");
}

TEST_P(CodeCacheTest, ForgetsAnAddressThatIsNotMappedAnyMore) {
  const RemoteAddress code = codes.function("run", "app.py", 10);
  ASSERT_EQ(looked_up(code), "run app.py:10");
  memory.unmap(code, 8);
  EXPECT_EQ(looked_up(code), "nothing");
}

TEST_P(CodeCacheTest, RefusesWhatHasNoTypeOfThatName) {
  const RemoteAddress code = codes.function("run", "app.py", 10);
  for (const RemoteAddress type : {RemoteAddress{}, RemoteAddress{0xdead0000}, code}) {
    objects.set(code, at.object.type, type);
    EXPECT_EQ(looked_up(code), "nothing") << type.value();
  }
  const RemoteAddress name = objects.allocate(16);
  const RemoteAddress type = objects.allocate(at.type.struct_size);
  objects.set(type, at.type.name, name);
  objects.set(code, at.object.type, type);
  for (const std::string_view text : {"codec", "cod\0e", "Code\0"}) {
    memory.put(name, text);
    EXPECT_EQ(looked_up(code), "nothing") << text;
  }
}

TEST_P(CodeCacheTest, RefusesImpossibleSizes) {
  if (!at.code.bytecode.present()) return;  // the object has no size of its own
  const RemoteAddress code = codes.function("run", "app.py", 10);
  for (const std::int64_t size :
       {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX, std::int64_t{1} << 40}) {
    objects.set(code, at.var_object.size, size);
    EXPECT_EQ(looked_up(code), "nothing") << size;
  }
}

TEST_P(CodeCacheTest, RefusesNamesAndTablesThatCannotBeRead) {
  const RemoteAddress odd = objects.allocate(64);  // neither a str nor bytes
  objects.set(odd, at.var_object.size, std::int64_t{-1});
  const auto name = at.code.qualname.present() ? at.code.qualname : at.code.name;
  for (const auto part : {name, at.code.filename, at.code.line_table}) {
    for (const RemoteAddress wrong : {RemoteAddress{}, RemoteAddress{0xdead0000}, odd}) {
      const RemoteAddress code = codes.function("run", "app.py", 10);
      objects.set(code, at.code.name, RemoteAddress{});
      objects.set(code, part, wrong);
      EXPECT_EQ(looked_up(code), "nothing") << part.offset << " " << wrong.value();
    }
  }
}

TEST_P(CodeCacheTest, TakesANegativeFirstLineForNone) {
  EXPECT_EQ(looked_up(codes.function("run", "app.py", -5)), "run app.py:0");
}

TEST_P(CodeCacheTest, LoadsTheOthersWhenSomeCannotBeRead) {
  const RemoteAddress first = codes.function("first", "app.py", 10);
  const RemoteAddress last = codes.function("last", "app.py", 20);
  cache.refresh(std::array{RemoteAddress{}, first, RemoteAddress{0xdead0000},
                           RemoteAddress{UINT64_MAX - 3}, last, first});
  EXPECT_EQ(known(RemoteAddress{}), "nothing");
  EXPECT_EQ(known(first), "first app.py:10");
  EXPECT_EQ(known(RemoteAddress{0xdead0000}), "nothing");
  EXPECT_EQ(known(last), "last app.py:20");
}

TEST_P(CodeCacheTest, RefreshesNothing) {
  cache.refresh({});
  EXPECT_EQ(known(RemoteAddress{}), "nothing");
}

TEST_P(CodeCacheTest, OutlivesTheTarget) {
  const RemoteAddress code = codes.function("run", "app.py", 10);
  memory.end_process();
  EXPECT_EQ(looked_up(code), "nothing");
}

TEST_P(CodeCacheTest, SurvivesRandomMemory) {
  std::mt19937_64 random{5};
  const RemoteAddress page = objects.allocate(4096);
  for (int round = 0; round < 100; ++round) {
    for (std::uint64_t i = 0; i < 4096; i += 8) {
      // Pointers into the page itself lead further than wild ones.
      memory.put(page + i, random() % 2 == 0 ? (page + random() % 4096).value() : random() % 64);
    }
    for (int i = 0; i < 8; ++i) {
      const RemoteAddress code = page + random() % 3000 / 8 * 8;
      objects.set(code, at.object.type, codes.type());
      refresh(code);
      if (const auto* const found = cache.find(code)) {
        EXPECT_LE(found->bytecode_size, 64U << 20);
      }
    }
  }
}

}  // namespace
}  // namespace gilspy
