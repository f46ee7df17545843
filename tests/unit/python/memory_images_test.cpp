// Replays what was read of real targets through the code that read it. What must be seen was said
// by the targets themselves, see tests/fixtures/images/make.py.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "layouts.h"
#include "memory_image.h"
#include "one_look.h"

namespace gilspy::testing {
namespace {

using Json = nlohmann::json;

const std::filesystem::path folder = std::filesystem::path{GILSPY_TESTS} / "fixtures/images";
constexpr std::string_view suffix = ".image.zst";

std::vector<std::string> images() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    const std::string name = entry.path().filename();
    if (name.ends_with(suffix)) names.push_back(name.substr(0, name.size() - suffix.size()));
  }
  std::ranges::sort(names);
  return names;
}

class MemoryImages : public ::testing::TestWithParam<std::string> {
 protected:
  const MemoryImage image = MemoryImage::load(folder / (GetParam() + std::string{suffix}));
  const Layout* layout = layout_for(image.version, image.free_threaded);
  const Json expected = Json::parse(std::ifstream{folder / (GetParam() + ".json")});
};

TEST_P(MemoryImages, ShowWhatTheTargetSaidOfItself) {
  ASSERT_NE(layout, nullptr);
  FakeMemory memory;
  image.put_into(memory);
  OneLook look = look_at(memory, *layout, image.runtime, image.tids);

  EXPECT_EQ(look.interpreters, 1U);
  EXPECT_EQ(look.switch_interval, std::chrono::milliseconds{5});  // CPython's own, unless it is set
  if (!image.free_threaded) {
    EXPECT_TRUE(look.gil_enabled);
    EXPECT_FALSE(look.gil_locked);  // all of its threads are parked
  }
  // One thread state for each task: the announced ones and the main thread.
  EXPECT_EQ(look.threads.size(), image.tids.size());
  for (const auto& [tid, name] : expected.at("names").items()) {
    // What threading does not know has its name from the kernel.
    if (name == "native-name") continue;
    EXPECT_EQ(look.threads[std::stoi(tid)].name, name.get<std::string>());
  }
  if (!expected.contains("stacks")) return;
  for (const auto& [tid, stack] : expected.at("stacks").items()) {
    EXPECT_EQ(look.threads[std::stoi(tid)].stack, stack.get<SeenStack>()) << tid;
  }
}

/// Reads may fail, stacks may be wrong; nothing may crash or run on for ever.
TEST_P(MemoryImages, WithDamagedBytesGiveAnswers) {
  ASSERT_NE(layout, nullptr);
  std::uint32_t random = 1;
  for (unsigned round = 0; round < 24; ++round) {
    const std::uint32_t one_byte_in = 64U << (round % 8);
    FakeMemory memory;
    MemoryImage damaged = image;
    for (auto& [begin, bytes] : damaged.pieces) {
      for (std::byte& byte : bytes) {
        random = random * 1664525U + 1013904223U;
        if ((random >> 8) % one_byte_in == 0) byte = static_cast<std::byte>(random >> 24);
      }
    }
    damaged.put_into(memory);
    try {
      static_cast<void>(look_at(memory, *layout, image.runtime, image.tids));
    } catch (const std::exception&) {
      continue;  // said that it cannot be read
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, MemoryImages, ::testing::ValuesIn(images()),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::ranges::replace_if(
                               name, [](char c) { return c == '.' || c == '-'; }, '_');
                           return name;
                         });

TEST(MemoryImage, IsThereForEveryVersion) {
  for (const int minor : all_minors()) {
    EXPECT_TRUE(std::ranges::any_of(images(),
                                    [&](const std::string& name) {
                                      return name.starts_with("3." + std::to_string(minor) + ".") ||
                                             name.starts_with("3." + std::to_string(minor) + "-");
                                    }))
        << "no image of 3." << minor << ": see tests/fixtures/images/make.py";
  }
}

TEST(MemoryImage, MergesWhatOverlaps) {
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span{text}); };
  MemoryImage image;
  image.add(RemoteAddress{10}, bytes("cd"));
  image.add(RemoteAddress{20}, bytes("xy"));
  image.add(RemoteAddress{8}, bytes("abc"));
  image.add(RemoteAddress{12}, bytes("ef"));
  ASSERT_EQ(image.pieces.size(), 2U);
  EXPECT_TRUE(std::ranges::equal(image.pieces.at(8), bytes("abcdef")));
  image.add(RemoteAddress{7}, bytes("-abcdefghijklm"));
  ASSERT_EQ(image.pieces.size(), 1U);
  EXPECT_EQ(image.pieces.at(7).size(), 15U);
}

}  // namespace
}  // namespace gilspy::testing
