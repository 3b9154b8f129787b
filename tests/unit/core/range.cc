// SPDX-License-Identifier: MIT
#include "core/range.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>

namespace {

using dm::Range;
using dm::within;
constexpr std::uint64_t kMax = ~std::uint64_t{0};

BOOST_AUTO_TEST_SUITE(range)

BOOST_AUTO_TEST_CASE(within_accepts_what_ends_exactly_at_the_end) {
  BOOST_TEST(within(0x1000, 0x1000, 0x1fff, 1));
  BOOST_TEST(within(0x1000, 0x1000, 0x1000, 0x1000));
  BOOST_TEST(within(0x1000, 0x1000, 0x2000, 0));
  BOOST_TEST(!within(0x1000, 0x1000, 0x1fff, 2));
  BOOST_TEST(!within(0x1000, 0x1000, 0x0fff, 1));
  BOOST_TEST(!within(0x1000, 0x1000, 0x2001, 0));
}

BOOST_AUTO_TEST_CASE(within_cannot_be_fooled_by_sums_that_wrap) {
  BOOST_TEST(!within(0, 0x1000, kMax, 2));
  BOOST_TEST(!within(0, 0x1000, 1, kMax));
  BOOST_TEST(!within(0x1000, 0x1000, 0x1800, kMax - 0x100));
  BOOST_TEST(within(kMax - 0xf, 0x10, kMax, 1));
}

BOOST_AUTO_TEST_CASE(within_agrees_with_counting_every_byte_of_a_small_space) {
  for (std::uint64_t base = 0; base < 6; ++base) {
    for (std::uint64_t size = 0; size < 6; ++size) {
      for (std::uint64_t at = 0; at < 12; ++at) {
        for (std::uint64_t len = 1; len < 6; ++len) {
          bool all = true;
          for (std::uint64_t byte = at; byte < at + len; ++byte) {
            all = all && byte >= base && byte < base + size;
          }
          BOOST_TEST(within(base, size, at, len) == all);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_inclusive_range_may_end_at_the_last_value_of_its_type) {
  const Range<std::uint16_t> last{0xfff8, 0xffff};
  BOOST_TEST(last.holds(0xffff, 1));
  BOOST_TEST(last.holds(0xfff8, 8));
  BOOST_TEST(!last.holds(0xffff, 2));
  BOOST_TEST(last.overlaps({0xffff, 0xffff}));
  BOOST_TEST(!last.overlaps({0, 0xfff7}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
