// SPDX-License-Identifier: MIT
#include "core/text/number.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>

using dm::parse_number;

BOOST_AUTO_TEST_SUITE(number)

BOOST_AUTO_TEST_CASE(decimal_digits_from_least_to_most_are_a_number) {
  BOOST_TEST(*parse_number<unsigned>("0") == 0U);
  BOOST_TEST(*parse_number<unsigned>("4294967295") == 4294967295U);
  BOOST_TEST(*parse_number<std::uint64_t>("18446744073709551615") == 18446744073709551615U);
  BOOST_TEST(*parse_number<unsigned>("007") == 7U);
  BOOST_TEST(*parse_number<unsigned>("3", 3, 5) == 3U);
  BOOST_TEST(*parse_number<unsigned>("5", 3, 5) == 5U);
}

BOOST_AUTO_TEST_CASE(what_is_too_small_or_too_large_is_nothing) {
  BOOST_TEST(!parse_number<unsigned>("2", 3, 5));
  BOOST_TEST(!parse_number<unsigned>("6", 3, 5));
  BOOST_TEST(!parse_number<unsigned>("4294967296"));
  BOOST_TEST(!parse_number<unsigned>("18446744073709551616"));
  BOOST_TEST(!parse_number<std::uint8_t>("256"));
  BOOST_TEST(!parse_number<unsigned>(std::string(400, '9')));
}

BOOST_AUTO_TEST_CASE(signs_spaces_other_bases_and_rests_are_nothing) {
  for (const char* const text : {"", "-1", "+1", " 1", "1 ", "0x10", "1a", "a", "1.0", "1\n"}) {
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(!parse_number<unsigned>(text));
      BOOST_TEST(!parse_number<int>(text));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
