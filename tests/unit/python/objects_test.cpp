#include "gilspy/python/objects.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "fake_objects.h"

namespace gilspy {
namespace {

using namespace std::string_view_literals;

std::vector<std::byte> as_vector(std::string_view text) {
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}

class ObjectsTest : public testing::TestWithParam<int> {
 protected:
  [[nodiscard]] Result<std::string> str(RemoteAddress at) { return read_str(memory, layout, at); }
  [[nodiscard]] ErrorClass str_error(RemoteAddress at) {
    const auto text = str(at);
    EXPECT_FALSE(text);
    return text ? ErrorClass::unsupported : text.error().kind;
  }

  const Layout& layout = *layout_for({3, static_cast<std::uint8_t>(GetParam()), 0}, false);
  FakeMemory memory;
  FakeObjects objects{memory, layout};
};

INSTANTIATE_TEST_SUITE_P(Versions, ObjectsTest, testing::Values(11, 12, 13));

TEST_P(ObjectsTest, ReadsEachKindOfStr) {
  EXPECT_EQ(str(objects.ascii("threading")), "threading");
  EXPECT_EQ(str(objects.ascii("")), "");
  EXPECT_EQ(str(objects.wide("Caf\xE9"sv)), "Caf\xC3\xA9");
  EXPECT_EQ(str(objects.wide(u"\u7DDA\u7A0B \u0416"sv)), "\xE7\xB7\x9A\xE7\xA8\x8B \xD0\x96");
  EXPECT_EQ(str(objects.wide(U"a\U0001F40D\U0010FFFF"sv)), "a\xF0\x9F\x90\x8D\xF4\x8F\xBF\xBF");
}

TEST_P(ObjectsTest, KeepsZerosInsideAStr) { EXPECT_EQ(str(objects.ascii("a\0b"sv)), "a\0b"sv); }

TEST_P(ObjectsTest, ReplacesLoneSurrogates) {
  const std::u16string text{u'a', 0xDC80, 0xD800, u'b'};
  EXPECT_EQ(str(objects.wide(std::u16string_view{text})),
            "a\xEF\xBF\xBD\xEF\xBF\xBD"
            "b");
}

TEST_P(ObjectsTest, ReadsAShortStrInOneBatch) {
  const RemoteAddress at = objects.ascii("name");
  objects.allocate(512);
  ASSERT_EQ(str(at), "name");
  EXPECT_EQ(memory.batches(), 1U);
}

TEST_P(ObjectsTest, ReadsALongStrInTwoBatches) {
  const std::string text(3000, 'x');
  const RemoteAddress at = objects.ascii(text);
  ASSERT_EQ(str(at), text);
  EXPECT_EQ(memory.batches(), 2U);
}

TEST_P(ObjectsTest, CutsAVeryLongStr) {
  EXPECT_EQ(str(objects.ascii(std::string(max_text_length, 'x'))),
            std::string(max_text_length, 'x'));
  EXPECT_EQ(str(objects.ascii(std::string(20000, 'x'))), std::string(max_text_length, 'x'));
}

TEST_P(ObjectsTest, ReadsAStrAtTheEndOfItsMapping) {
  FakeMemory source;
  FakeObjects builder{source, layout};
  const std::size_t size = layout.at.ascii.struct_size + 10;
  std::vector<std::byte> bytes(size);
  ASSERT_TRUE(source.read(builder.ascii("nine char"), bytes));
  // Once with its end, once with the middle of its head at the boundary of two pages.
  const RemoteAddress page{0x10000};
  memory.put(page - size, bytes);
  EXPECT_EQ(str(page - size), "nine char");
  EXPECT_EQ(memory.batches(), 1U);
  memory.put(page + 0x5000 - 20, bytes);
  EXPECT_EQ(str(page + 0x5000 - 20), "nine char");
}

TEST_P(ObjectsTest, RefusesWhatIsNotACompactStr) {
  const auto state_at = [this](RemoteAddress at) { return layout.at.ascii.state.in(at); };
  const RemoteAddress legacy = objects.ascii("text");
  memory.put(state_at(legacy), std::uint32_t{1U << 2U | 1U << 6U});
  EXPECT_EQ(str_error(legacy), ErrorClass::retry);

  for (const std::uint32_t kind : {0U, 3U, 5U, 6U, 7U}) {
    const RemoteAddress at = objects.ascii("text");
    memory.put(state_at(at), kind << 2U | 1U << 5U);
    EXPECT_EQ(str_error(at), ErrorClass::retry) << kind;
  }
  const RemoteAddress wide_ascii = objects.ascii("text");
  memory.put(state_at(wide_ascii), std::uint32_t{2U << 2U | 1U << 5U | 1U << 6U});
  EXPECT_EQ(str_error(wide_ascii), ErrorClass::retry);
}

TEST_P(ObjectsTest, RefusesImpossibleLengthsAndContents) {
  for (const std::int64_t length :
       {std::int64_t{-1}, INT64_MIN, INT64_MAX, std::int64_t{1} << 50}) {
    const RemoteAddress at = objects.ascii("text");
    memory.put(layout.at.ascii.length.in(at), length);
    EXPECT_EQ(str_error(at), ErrorClass::retry) << length;
  }
  EXPECT_EQ(str_error(objects.ascii("\x80")), ErrorClass::retry);
  EXPECT_EQ(str_error(objects.wide(U"\x110000"sv)), ErrorClass::retry);
  const RemoteAddress no_end = objects.ascii("text");
  memory.put(layout.at.ascii.length.in(no_end), std::int64_t{3});
  EXPECT_EQ(str_error(no_end), ErrorClass::retry);
}

TEST_P(ObjectsTest, ReportsUnreadableAddressesAndAGoneTarget) {
  EXPECT_EQ(str_error(RemoteAddress{}), ErrorClass::retry);
  EXPECT_EQ(str_error(RemoteAddress{0xdead0000}), ErrorClass::retry);
  EXPECT_EQ(str_error(RemoteAddress{UINT64_MAX - 3}), ErrorClass::retry);
  const RemoteAddress at = objects.ascii("text");
  memory.end_process();
  EXPECT_EQ(str_error(at), ErrorClass::target_gone);
}

TEST_P(ObjectsTest, ReadsBytes) {
  for (const std::size_t size : {0U, 1U, 200U, 5000U}) {
    const auto content = as_vector(std::string(size, '\x8F'));
    EXPECT_EQ(read_bytes(memory, layout, objects.bytes(content)), content);
  }
}

TEST_P(ObjectsTest, RefusesWhatIsNotBytes) {
  for (const std::int64_t size : {std::int64_t{-1}, std::int64_t{max_bytes_size} + 1, INT64_MAX}) {
    const RemoteAddress at = objects.bytes(as_vector("bytes"));
    memory.put(layout.at.var_object.size.in(at), size);
    EXPECT_FALSE(read_bytes(memory, layout, at)) << size;
  }
  const RemoteAddress no_end = objects.bytes(as_vector("bytes"));
  memory.put(layout.at.var_object.size.in(no_end), std::int64_t{4});
  EXPECT_FALSE(read_bytes(memory, layout, no_end));
  EXPECT_FALSE(read_bytes(memory, layout, RemoteAddress{}));
}

TEST_P(ObjectsTest, SurvivesRandomMemory) {
  std::mt19937_64 random{1};
  const RemoteAddress at = objects.allocate(8192);
  for (int round = 0; round < 20; ++round) {
    for (std::uint64_t i = 0; i < 8192; i += 8) memory.put(at + i, random());
    for (std::uint64_t i = 0; i < 4096; i += 8) {
      if (const auto text = str(at + i)) {
        EXPECT_LE(text->size(), max_text_length * 4);
      }
      if (const auto read = read_bytes(memory, layout, at + i)) {
        EXPECT_LE(read->size(), max_bytes_size);
      }
    }
  }
}

}  // namespace
}  // namespace gilspy
