// SPDX-License-Identifier: MIT
#include "core/text/utf8.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

using namespace dm;

namespace {

/// RFC 3629, 3: the table there, for any number, whether it is a character or not.
std::string encoded(std::uint32_t number) {
  const auto byte = [](std::uint32_t bits) { return static_cast<char>(bits); };
  if (number < 0x80) {
    return {byte(number)};
  }
  if (number < 0x800) {
    return {byte(0xc0U | number >> 6U), byte(0x80U | (number & 0x3fU))};
  }
  if (number < 0x10000) {
    return {byte(0xe0U | number >> 12U), byte(0x80U | (number >> 6U & 0x3fU)),
            byte(0x80U | (number & 0x3fU))};
  }
  return {byte(0xf0U | number >> 18U), byte(0x80U | (number >> 12U & 0x3fU)),
          byte(0x80U | (number >> 6U & 0x3fU)), byte(0x80U | (number & 0x3fU))};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(utf8)

BOOST_AUTO_TEST_CASE(every_character_is_one_and_nothing_else_is) {
  for (std::uint32_t number = 0; number < 0x1fffff; ++number) {
    const std::string text = encoded(number);
    const bool surrogate = number >= 0xd800 && number <= 0xdfff;
    const std::size_t expected = surrogate || number > 0x10ffff ? 0 : text.size();
    BOOST_REQUIRE_EQUAL(utf8_character(text + "x"), expected);
    if (text.size() > 1) {
      BOOST_REQUIRE_EQUAL(utf8_character(text.substr(0, text.size() - 1)), 0U);
    }
  }
  for (const char* const too_long : {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf"}) {
    BOOST_TEST(utf8_character(too_long) == 0U);
  }
  BOOST_TEST(utf8_character("") == 0U);
  BOOST_TEST(utf8_character("\x80") == 0U);
}

BOOST_AUTO_TEST_CASE(each_other_byte_is_replaced) {
  std::string out = "a";
  append_utf8(out, "\xc3\xa4\xff\xed\x90z");
  BOOST_TEST(out == "a\u00e4\uFFFD\uFFFD\uFFFDz");
}

BOOST_AUTO_TEST_SUITE_END()
