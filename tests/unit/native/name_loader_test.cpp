#include "name_loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace gilspy {
namespace {

Binary file_at(std::uint64_t begin) {
  Binary file;
  file.path = "/lib/a.so";
  file.is_executable_file = false;
  file.first.range = {RemoteAddress{begin}, RemoteAddress{begin + 4096}};
  return file;
}

TEST(NameLoader, ReadsEachFileOnceAndWithoutWaiting) {
  std::promise<void> go;
  std::atomic<int> reads = 0;
  NameLoader loader{[&, may = go.get_future().share()](const Binary& file) {
    may.wait();
    ++reads;
    ModuleNames names;
    names.bias = file.first.range.begin.value();
    return names;
  }};
  EXPECT_EQ(loader.names_of(file_at(0x1000)), nullptr);
  EXPECT_EQ(loader.names_of(file_at(0x1000)), nullptr);
  go.set_value();
  loader.finish();
  const auto names = loader.names_of(file_at(0x1000));
  ASSERT_NE(names, nullptr);
  EXPECT_EQ(names->bias, 0x1000U);
  EXPECT_EQ(reads, 1);
}

TEST(NameLoader, DoesOtherThingsWhenAllFilesAreRead) {
  std::promise<void> go;
  std::atomic<int> reads = 0;
  int reads_before = -1;
  NameLoader loader{[&, may = go.get_future().share()](const Binary&) {
    may.wait();
    ++reads;
    return ModuleNames{};
  }};
  loader.keep_only({file_at(0x1000)});
  EXPECT_TRUE(loader.later([&] { reads_before = reads; }));
  loader.keep_only({file_at(0x1000), file_at(0x2000)});
  go.set_value();
  loader.finish();
  EXPECT_EQ(reads_before, 2);
}

TEST(NameLoader, TakesOnlySoMuchToDo) {
  std::promise<void> go;
  NameLoader loader{[](const Binary&) { return ModuleNames{}; }};
  loader.later([may = go.get_future().share()] { may.wait(); });
  int tasks = 0;
  while (tasks < 100'000 && loader.later([] {})) ++tasks;
  EXPECT_GT(tasks, 1000);
  EXPECT_LT(tasks, 100'000);
  go.set_value();
  loader.finish();
  EXPECT_TRUE(loader.later([] {}));
}

TEST(NameLoader, ForgetsFilesThatAreGone) {
  std::atomic<int> reads = 0;
  NameLoader loader{[&](const Binary&) {
    ++reads;
    return ModuleNames{};
  }};
  loader.keep_only({file_at(0x1000), file_at(0x2000)});
  loader.finish();
  EXPECT_EQ(reads, 2);
  const auto kept = loader.names_of(file_at(0x2000));
  loader.keep_only({file_at(0x2000)});
  loader.finish();
  EXPECT_EQ(loader.names_of(file_at(0x2000)), kept);
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(loader.names_of(file_at(0x1000)), nullptr);
  loader.finish();
  EXPECT_EQ(reads, 3);
}

}  // namespace
}  // namespace gilspy
