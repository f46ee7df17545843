#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <unordered_map>

#include "fake_threads.h"
#include "gilspy/python/thread_names.h"

namespace gilspy {

using Storage = FakeThreads::Storage;
using Names = std::unordered_map<std::uint64_t, std::string>;

/// 10 stands for all of 3.7 to 3.10.
class ThreadNamesTest : public testing::TestWithParam<int> {
 protected:
  static Layout make_layout() {
    const auto minor = static_cast<std::uint8_t>(GetParam());
    return minor == 10 ? layout_before_3_11() : *layout_for({3, minor, 0}, false);
  }
  [[nodiscard]] Names names(RemoteAddress interpreter) {
    return read_thread_names(memory, layout, interpreter);
  }
  [[nodiscard]] bool has_values() const {
    return layout.traits.instance_dict != Traits::InstanceDict::dictoffset;
  }
  [[nodiscard]] Storage usual() const {
    return has_values() ? Storage::values : Storage::split_dict;
  }

  const Layout layout = make_layout();
  FakeMemory memory;
  FakeThreads threads{memory, layout};
};

}  // namespace gilspy
