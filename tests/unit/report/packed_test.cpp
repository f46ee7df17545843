#include "packed.h"

#include <gtest/gtest.h>

namespace gilspy {
namespace {

TEST(Base64, IsThatOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(FromHex, MakesBytes) {
  EXPECT_EQ(from_hex("00ff7a"), std::string("\0\xffz", 3));
  EXPECT_EQ(from_hex(""), "");
}

TEST(Packer, SpreadsNumbersOverAsManyBytesAsTheyNeed) {
  Packer packer;
  packer.number(0);
  packer.number(127);
  packer.number(128);
  packer.number(300);
  packer.text("ab");
  EXPECT_EQ(packer.bytes(), std::string("\0\x7f\x80\x01\xac\x02\x02"
                                        "ab",
                                        9));
}

}  // namespace
}  // namespace gilspy
