#include "split_functions.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace gilspy {
namespace {

constexpr std::uint64_t place = 0x5bfab0;
constexpr std::array<std::uint64_t, 4> begins{0x43d000, 0x43d73e, 0x450458, place};

class SplitFunctions : public testing::Test {
 protected:
  void put(std::initializer_list<int> bytes) {
    for (const int byte : bytes) code_.push_back(static_cast<std::byte>(byte));
  }
  /// je, or another jump on a condition.
  void jump_to(std::uint64_t target, int condition = 0x84) {
    put({0x0f, condition});
    const auto distance = static_cast<std::uint32_t>(target - (place + code_.size() + 4));
    for (int i = 0; i < 4; ++i) code_.push_back(static_cast<std::byte>(distance >> (8 * i)));
  }
  [[nodiscard]] std::vector<NamedFunction> parts() const {
    return find_split_parts(code_, place, begins, "eval");
  }

  std::vector<std::byte> code_;
};

TEST_F(SplitFunctions, FindsWhereSeveralJumpsLeadTo) {
  put({0x55, 0x48, 0x89, 0xe5});
  jump_to(0x43d73e);
  put({0x90});
  jump_to(0x448c7d, 0x8f);
  const auto found = parts();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].begin, 0x43d73eU);
  EXPECT_EQ(found[0].end, 0x450458U);
  EXPECT_EQ(found[0].name, "eval");
}

TEST_F(SplitFunctions, OneJumpMayBeBytesThatLookLikeOne) {
  jump_to(0x43d73e);
  jump_to(0x43d73e);
  jump_to(0x43d100);
  EXPECT_TRUE(parts().empty());
}

TEST_F(SplitFunctions, CallsAndPlainJumpsLeadToOtherFunctions) {
  for (const int code : {0xe8, 0xe9}) {
    for (const int distance : {0x10, 0x20}) put({code, distance, 0, 0xe8, 0xff});
  }
  EXPECT_TRUE(parts().empty());
}

TEST_F(SplitFunctions, JumpsWithinTheFunctionAreItsOwn) {
  jump_to(place);
  jump_to(place + 6);
  EXPECT_TRUE(parts().empty());
}

TEST_F(SplitFunctions, JumpsOutOfTheFileLeadNowhere) {
  jump_to(0x1000);
  jump_to(0x2000);
  jump_to(0x7000000);
  jump_to(0x7000010);
  put({0x0f, 0x84, 0});
  EXPECT_TRUE(parts().empty());
}

TEST_F(SplitFunctions, TakesAnyBytes) {
  std::mt19937 random{1};
  for (int i = 0; i < 100'000; ++i) code_.push_back(static_cast<std::byte>(random()));
  for (const NamedFunction& part : parts()) EXPECT_LT(part.begin, part.end);
  EXPECT_TRUE(find_split_parts(code_, UINT64_MAX - 10, begins, "eval").size() < begins.size());
  EXPECT_TRUE(find_split_parts(code_, place, {}, "eval").empty());
}

}  // namespace
}  // namespace gilspy
