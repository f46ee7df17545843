#include "version_text.h"

#include <gtest/gtest.h>

#include <string>

namespace gilspy {
namespace {

using namespace std::string_view_literals;

std::optional<Version> find(std::string_view text, std::optional<std::uint8_t> minor = {}) {
  return version_in_strings(std::as_bytes(std::span{text}), minor);
}

TEST(MinorInName, IsFoundInFileNames) {
  EXPECT_EQ(minor_in_name("/usr/lib/libpython3.9.so.1.0"), 9);
  EXPECT_EQ(minor_in_name("/usr/lib/libpython3.7m.so.1.0"), 7);
  EXPECT_EQ(minor_in_name("/usr/bin/python3.10"), 10);
  EXPECT_EQ(minor_in_name("/opt/python3.8/bin/python3.12"), 12);
}

TEST(MinorInName, IsNotAlwaysThere) {
  for (const std::string_view path :
       {"", "/usr/bin/python3", "/usr/lib/libpython3.so", "/usr/bin/python2.7", "/bin/app",
        "python3.", "python3.999"}) {
    EXPECT_FALSE(minor_in_name(path)) << path;
  }
}

TEST(VersionInStrings, IsFoundAmongOthers) {
  EXPECT_EQ(find("abc\0003.9.18\0xyz\0"sv), (Version{3, 9, 18}));
  EXPECT_EQ(find("3.7.0\0"sv), (Version{3, 7, 0}));
  EXPECT_EQ(find("%s 3.10.4+\0"sv), (Version{3, 10, 4}));
}

TEST(VersionInStrings, MayBeTheEndOfALongerString) {
  EXPECT_EQ(find("/versions/3.8.2\0"sv), (Version{3, 8, 2}));
}

TEST(VersionInStrings, IsNotMadeOfOtherNumbers) {
  for (const std::string_view text :
       {""sv, "3."sv, "3.9"sv, "3.9.18"sv, "3.9.18rest\0"sv, "3.9\0"sv, "13.9.18\0"sv,
        "3.999.1\0"sv, "3.9.999\0"sv, "2.9.18\0"sv, "3..1\0"sv, "3.9.18.2\0"sv}) {
    EXPECT_FALSE(find(text)) << text;
  }
}

TEST(VersionInStrings, IsOfTheMinorThatIsAskedFor) {
  EXPECT_EQ(find("3.8.1\0003.9.18\0"sv, 9), (Version{3, 9, 18}));
  EXPECT_FALSE(find("3.8.1\0003.9.18\0"sv, 10));
}

TEST(VersionInStrings, IsNoneWhereTwoMinorsAreFound) {
  EXPECT_FALSE(find("3.8.1\0003.9.18\0"sv));
  EXPECT_TRUE(find("3.9.18\0003.9.18\0"sv));
}

}  // namespace
}  // namespace gilspy
