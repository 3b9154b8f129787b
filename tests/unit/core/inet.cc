// SPDX-License-Identifier: MIT
#include "core/net/big_endian.h"
#include "core/net/checksum.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace {

using namespace dm::inet;

std::vector<std::byte> bytes_of(std::initializer_list<unsigned> values) {
  std::vector<std::byte> out;
  for (const unsigned value : values) {
    out.push_back(static_cast<std::byte>(value));
  }
  return out;
}

/// As RFC 1071, 4.1 has it, in network order.
unsigned plain_complement(std::span<const std::byte> bytes) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::to_integer<unsigned>(bytes[i]) << (i % 2 == 0 ? 8U : 0U);
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return ~sum & 0xffffU;
}

unsigned complement_of(std::span<const std::byte> bytes) {
  Checksum sum;
  sum.add(bytes);
  std::array<std::byte, 2> stored{};
  put_sum(stored, 0, sum.complement());
  return get16(stored, 0);
}

BOOST_AUTO_TEST_SUITE(inet)

BOOST_AUTO_TEST_CASE(the_example_of_the_rfc_adds_up) {  // RFC 1071, 3: ddf2, before the complement
  const auto bytes = bytes_of({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7});
  BOOST_TEST(complement_of(bytes) == (~0xddf2U & 0xffffU));
}

BOOST_AUTO_TEST_CASE(a_header_with_its_checksum_sums_up_to_nothing) {
  auto header = bytes_of({0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                          0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7});
  put16(header, 10, complement_of(header));
  BOOST_TEST(get16(header, 10) == 0xb861U);
  BOOST_TEST(complement_of(header) == 0U);
}

BOOST_AUTO_TEST_CASE(every_length_and_content_agrees_with_adding_word_by_word) {
  std::vector<std::byte> bytes;
  std::uint32_t x = 1;
  for (std::size_t size = 0; size < 200; ++size) {
    BOOST_TEST(complement_of(bytes) == plain_complement(bytes), "size " << size);
    x = x * 1664525U + 1013904223U;
    bytes.push_back(size % 3 == 0 ? std::byte{0xff} : static_cast<std::byte>(x >> 24U));
  }
  bytes.assign(65536, std::byte{0xff});  // carries of every width
  BOOST_TEST(complement_of(bytes) == plain_complement(bytes));
}

BOOST_AUTO_TEST_CASE(pieces_may_end_at_odd_places) {
  std::vector<std::byte> bytes;
  for (unsigned i = 0; i < 64; ++i) {
    bytes.push_back(static_cast<std::byte>((i * 37 + 11) & 0xffU));
  }
  const unsigned whole = plain_complement(bytes);
  for (std::size_t first = 0; first <= 9; ++first) {
    for (std::size_t second = 0; second <= 9; ++second) {
      Checksum sum;
      sum.add(std::span{bytes}.first(first));
      sum.add(std::span{bytes}.subspan(first, second));
      sum.add(std::span{bytes}.subspan(first + second));
      std::array<std::byte, 2> stored{};
      put_sum(stored, 0, sum.complement());
      BOOST_TEST(get16(stored, 0) == whole, first << " and " << second << " bytes");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_sum_goes_on_from_one_that_was_kept) {
  const auto bytes = bytes_of({0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc});
  Checksum start;
  start.add(std::span{bytes}.first(4));
  Checksum rest{start.sum()};
  rest.add(std::span{bytes}.subspan(4));
  Checksum whole;
  whole.add(bytes);
  BOOST_TEST(rest.complement() == whole.complement());
}

BOOST_AUTO_TEST_CASE(fields_are_big_endian_and_touch_only_their_own_bytes) {
  auto bytes = bytes_of({1, 2, 3, 4, 5, 6, 7, 8});
  BOOST_TEST(get16(bytes, 1) == 0x0203U);
  BOOST_TEST(get32(bytes, 3) == 0x04050607U);
  put16(bytes, 0, 0x1aabbU);  // the low bits
  put32(bytes, 3, 0xccddeeffU);
  const auto wanted = bytes_of({0xaa, 0xbb, 3, 0xcc, 0xdd, 0xee, 0xff, 8});
  BOOST_TEST((bytes == wanted));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
