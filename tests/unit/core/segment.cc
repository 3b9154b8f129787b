// SPDX-License-Identifier: MIT
// Headers of segments, against frames that are built and summed here word by word (RFC 791, 8200,
// 9293, 768, 1071).
#include "core/net/segment.h"

#include "core/net/big_endian.h"
#include "core/net/checksum.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

namespace {

using namespace dm::inet;
using Bytes = std::vector<std::byte>;

/// The sum of 16-bit words, folded.
unsigned plain_sum(std::span<const std::byte> bytes, unsigned start = 0) {
  unsigned sum = start;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::to_integer<unsigned>(bytes[i]) << (i % 2 == 0 ? 8U : 0U);
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return sum;
}

std::uint32_t below(std::mt19937& random, std::uint32_t limit) {
  return static_cast<std::uint32_t>(random() % limit);
}
void fill(Bytes& bytes, std::mt19937& random) {
  std::ranges::generate(bytes, [&] { return static_cast<std::byte>(below(random, 256)); });
}

struct Shape {
  bool ipv4 = true;
  bool tcp = true;
  std::uint32_t tag = 0;         ///< bytes between Ethernet's header and IP's
  std::uint32_t ip_options = 0;  ///< bytes: options of IPv4, extension headers of IPv6
  std::uint32_t options = 0;     ///< of TCP, bytes
};

HeaderPlaces places_of(const Shape& s) {
  const std::uint32_t ip = 14 + s.tag;
  const std::uint32_t l4 = ip + (s.ipv4 ? 20 : 40) + s.ip_options;
  return {.ip = ip,
          .ip_checksum = ip + 10,
          .l4 = l4,
          .l4_checksum = l4 + (s.tcp ? 16 : 6),
          .end = l4 + (s.tcp ? 20 + s.options : 8),
          .ipv4 = s.ipv4,
          .tcp = s.tcp};
}

constexpr unsigned kAllFlags = 0xff;
constexpr unsigned kFin = 0x01;
constexpr unsigned kPsh = 0x08;
constexpr unsigned kCwr = 0x80;

/// The headers of the whole. The checksum field of TCP or UDP holds the sum of the pseudo-header
/// without the length.
Bytes headers_of(const Shape& s, std::mt19937& random) {
  const HeaderPlaces p = places_of(s);
  Bytes h(p.end);
  fill(h, random);
  const unsigned ip_words = (20 + s.ip_options) / 4;
  h[p.ip] = static_cast<std::byte>(s.ipv4 ? 0x40U | ip_words : 0x60U);
  h[p.ip + (s.ipv4 ? 9 : 6)] = static_cast<std::byte>(s.tcp ? 6 : 17);
  if (s.tcp) {
    h[p.l4 + 12] = static_cast<std::byte>((20 + s.options) / 4 << 4U);
    h[p.l4 + 13] = static_cast<std::byte>(kAllFlags);
  }
  const auto addresses = std::span{h}.subspan(p.ip + (s.ipv4 ? 12 : 8), s.ipv4 ? 8 : 32);
  put16(h, p.l4_checksum, plain_sum(addresses, s.tcp ? 6 : 17));
  return h;
}

/// What a receiver checks of one frame.
void must_be_sound(const Shape& s, const HeaderPlaces& p, const Bytes& frame) {
  const auto behind_ip = static_cast<unsigned>(frame.size() - p.ip);
  const auto l4_bytes = static_cast<unsigned>(frame.size() - p.l4);
  if (s.ipv4) {
    BOOST_TEST(get16(frame, p.ip + 2) == behind_ip);
    BOOST_TEST(plain_sum(std::span{frame}.subspan(p.ip, 20 + s.ip_options)) == 0xffffU);
  } else {
    BOOST_TEST(get16(frame, p.ip + 4) == behind_ip - 40);
  }
  if (!s.tcp) {
    BOOST_TEST(get16(frame, p.l4 + 4) == l4_bytes);
  }
  const auto addresses = std::span{frame}.subspan(p.ip + (s.ipv4 ? 12 : 8), s.ipv4 ? 8 : 32);
  const unsigned pseudo = plain_sum(addresses, (s.tcp ? 6 : 17) + l4_bytes);
  BOOST_TEST(plain_sum(std::span{frame}.subspan(p.l4), pseudo) == 0xffffU);
}

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const bool ipv4 : {true, false}) {
    for (const bool tcp : {true, false}) {
      for (const std::uint32_t tag : {0U, 4U}) {
        for (const std::uint32_t ip_options : {0U, 8U, 40U}) {
          all.push_back({.ipv4 = ipv4, .tcp = tcp, .tag = tag, .ip_options = ip_options});
          all.push_back(
              {.ipv4 = ipv4, .tcp = tcp, .tag = tag, .ip_options = ip_options, .options = 12});
        }
      }
    }
  }
  return all;
}

/// Cuts as a card does.
std::vector<Bytes> cut(const Bytes& headers,
                       const HeaderPlaces& p,
                       std::span<const std::byte> payload,
                       std::uint32_t mss) {
  std::vector<Bytes> frames;
  const auto size = static_cast<std::uint32_t>(payload.size());
  std::uint32_t number = 0;
  for (std::uint32_t from = 0; from < size; from += mss, ++number) {
    const std::uint32_t bytes = std::min(mss, size - from);
    Bytes frame = headers;
    make_headers(frame, p,
                 {.from = from,
                  .bytes = bytes,
                  .number = number,
                  .first = from == 0,
                  .last = from + bytes == size});
    change_length(frame, p, 0, l4_length(p, bytes));
    const auto part = payload.subspan(from, bytes);
    complete_checksum(frame, p, sum_bytes(part.data(), part.size()));
    frame.insert(frame.end(), part.begin(), part.end());
    frames.push_back(frame);
  }
  return frames;
}

BOOST_AUTO_TEST_SUITE(segment)

BOOST_AUTO_TEST_CASE(segments_together_are_the_payload_and_each_is_a_sound_frame) {
  std::mt19937 random{1};
  for (const Shape& s : shapes()) {
    const HeaderPlaces p = places_of(s);
    BOOST_TEST_REQUIRE((fits(p) && are_apart(p)));
    for (const std::uint32_t mss : {1U, 7U, 536U, 1448U}) {
      const Bytes headers = headers_of(s, random);
      Bytes payload(1 + below(random, mss * 6));
      fill(payload, random);
      Bytes together;
      for (const Bytes& frame : cut(headers, p, payload, mss)) {
        must_be_sound(s, p, frame);
        together.insert(together.end(), frame.begin() + p.end, frame.end());
      }
      BOOST_TEST((together == payload));
    }
  }
}

BOOST_AUTO_TEST_CASE(numbers_count_on_and_wrap_as_the_protocols_say) {
  std::mt19937 random{2};
  const Shape s;
  const HeaderPlaces p = places_of(s);
  Bytes headers = headers_of(s, random);
  put16(headers, p.ip + 4, 0xfffe);
  put32(headers, p.l4 + 4, 0xffffff00);
  const auto frames = cut(headers, p, Bytes(500), 100);
  BOOST_TEST_REQUIRE(frames.size() == 5U);
  for (std::uint32_t i = 0; i < frames.size(); ++i) {
    BOOST_TEST(get16(frames[i], p.ip + 4) == ((0xfffeU + i) & 0xffffU));
    BOOST_TEST(get32(frames[i], p.l4 + 4) == 0xffffff00U + 100 * i);
  }
}

BOOST_AUTO_TEST_CASE(fin_and_psh_are_on_the_last_and_cwr_on_the_first) {
  std::mt19937 random{3};
  const Shape s{.ipv4 = false};
  const HeaderPlaces p = places_of(s);
  const auto frames = cut(headers_of(s, random), p, Bytes(250), 100);
  const auto flags = [&](std::size_t i) {
    return std::to_integer<unsigned>(frames.at(i)[p.l4 + 13]);
  };
  BOOST_TEST(flags(0) == (kAllFlags & ~(kFin | kPsh)));
  BOOST_TEST(flags(1) == (kAllFlags & ~(kFin | kPsh | kCwr)));
  BOOST_TEST(flags(2) == (kAllFlags & ~kCwr));
  const auto one = cut(headers_of(s, random), p, Bytes(100), 100);
  BOOST_TEST(std::to_integer<unsigned>(one.at(0)[p.l4 + 13]) == kAllFlags);
}

BOOST_AUTO_TEST_CASE(nothing_changes_but_what_belongs_to_a_segment) {
  std::mt19937 random{4};
  for (const Shape& s : shapes()) {
    const HeaderPlaces p = places_of(s);
    const Bytes headers = headers_of(s, random);
    Bytes made = headers;
    make_headers(made, p, {.from = 5, .bytes = 3, .number = 1, .first = false, .last = false});
    change_length(made, p, 0, l4_length(p, 3));
    std::vector<std::size_t> may;
    const auto field = [&](std::size_t at, std::size_t bytes) {
      for (std::size_t i = 0; i < bytes; ++i) {
        may.push_back(at + i);
      }
    };
    field(p.ip + (s.ipv4 ? 2 : 4), 2);
    if (s.ipv4) {
      field(p.ip + 4, 2);
      field(p.ip + 10, 2);
    }
    field(p.l4 + 4, s.tcp ? 4 : 2);
    if (s.tcp) {
      field(p.l4 + 13, 1);
    }
    field(p.l4_checksum, 2);
    for (std::size_t i = 0; i < headers.size(); ++i) {
      if (std::ranges::find(may, i) == may.end()) {
        BOOST_TEST((made[i] == headers[i]), "byte " << i);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_sum_by_the_addresses_is_the_one_that_a_driver_leaves) {
  std::mt19937 random{5};
  for (const Shape& s : shapes()) {
    const HeaderPlaces p = places_of(s);
    Bytes by_driver = headers_of(s, random);
    Bytes by_addresses = by_driver;
    put_sum(by_addresses, p.l4_checksum, fold(pseudo_sum(by_addresses, p, 1234)));
    change_length(by_driver, p, 0, 1234);
    BOOST_TEST((by_driver == by_addresses));
    // And from one length to another.
    put_sum(by_addresses, p.l4_checksum, fold(pseudo_sum(by_addresses, p, 65000)));
    change_length(by_driver, p, 1234, 65000);
    BOOST_TEST((by_driver == by_addresses));
  }
}

BOOST_AUTO_TEST_CASE(a_datagram_is_never_said_to_have_no_checksum) {  // RFC 768
  std::mt19937 random{6};
  Shape s{.tcp = false};
  const HeaderPlaces p = places_of(s);
  Bytes headers = headers_of(s, random);
  // A payload of two bytes that makes the sum all ones, whose complement is 0.
  change_length(headers, p, 0, l4_length(p, 2));
  const unsigned sum = plain_sum(std::span{headers}.subspan(p.l4));
  std::array<std::byte, 2> payload{};
  put16(payload, 0, 0xffffU - sum);
  complete_checksum(headers, p, sum_bytes(payload.data(), payload.size()));
  BOOST_TEST(get16(headers, p.l4_checksum) == 0xffffU);
}

BOOST_AUTO_TEST_CASE(an_ipv4_header_that_says_nonsense_of_its_length_counts_as_the_shortest) {
  std::mt19937 random{7};
  const Shape s;
  const HeaderPlaces p = places_of(s);
  for (const unsigned words : {0U, 4U, 11U, 15U}) {  // less than 5; more than there is: 40 bytes
    Bytes headers = headers_of(s, random);
    headers[p.ip] = static_cast<std::byte>(0x40U | words);
    make_headers(headers, p, {.from = 0, .bytes = 10, .number = 0, .first = true, .last = true});
    BOOST_TEST(plain_sum(std::span{headers}.subspan(p.ip, 20)) == 0xffffU, words << " words");
  }
  // As long as all headers: a receiver would sum that much.
  Bytes headers = headers_of(s, random);
  headers[p.ip] = std::byte{0x4a};
  make_headers(headers, p, {.from = 0, .bytes = 10, .number = 0, .first = false, .last = false});
  BOOST_TEST(get16(headers, p.ip + 2) == p.end - p.ip + 10);
}

BOOST_AUTO_TEST_CASE(places_outside_of_the_headers_are_refused_whatever_the_numbers) {
  const std::array<std::uint32_t, 14> numbers{0,
                                              1,
                                              13,
                                              14,
                                              33,
                                              34,
                                              52,
                                              53,
                                              54,
                                              55,
                                              0x7fffffff,
                                              std::numeric_limits<std::uint32_t>::max() - 19,
                                              std::numeric_limits<std::uint32_t>::max() - 1,
                                              std::numeric_limits<std::uint32_t>::max()};
  std::size_t good = 0;
  for (const Shape& s :
       {Shape{}, Shape{.ipv4 = false}, Shape{.tcp = false}, Shape{.ipv4 = false, .tcp = false}}) {
    for (std::size_t changed = 0; changed < 5; ++changed) {
      for (const std::uint32_t number : numbers) {
        HeaderPlaces p = places_of(s);
        const std::uint32_t end = p.end;
        std::array<std::uint32_t*, 5> fields{&p.ip, &p.ip_checksum, &p.l4, &p.l4_checksum, &p.end};
        *fields.at(changed) = number;
        const auto inside = [&p](std::uint64_t at, std::uint64_t bytes) {
          return at + bytes <= p.end;  // 64 bits: does not wrap
        };
        const bool wanted = inside(p.ip, s.ipv4 ? 20 : 40) && inside(p.l4, s.tcp ? 20 : 8) &&
                            inside(p.l4_checksum, 2) && (!s.ipv4 || inside(p.ip_checksum, 2));
        BOOST_TEST(fits(p) == wanted, "field " << changed << " is " << number << ", end " << end);
        good += wanted ? 1U : 0U;
      }
    }
  }
  BOOST_TEST(good > 20U);
}

BOOST_AUTO_TEST_CASE(headers_that_overlap_are_told) {
  BOOST_TEST(are_apart(tcp_places(true, 14, 34, 54)));
  BOOST_TEST(are_apart(tcp_places(true, 14, 38, 58)));
  BOOST_TEST(!are_apart(tcp_places(true, 14, 33, 54)));
  BOOST_TEST(!are_apart(tcp_places(false, 14, 34, 54)));
  BOOST_TEST(!are_apart(tcp_places(true, 14, 0, 54)));
  BOOST_TEST(!are_apart(tcp_places(true, 0xfffffff0, 4, 54)));
}

BOOST_AUTO_TEST_CASE(places_that_fit_touch_no_byte_behind_the_headers) {
  std::mt19937 random{8};
  constexpr std::size_t kGuard = 16;
  std::size_t made = 0;
  for (unsigned i = 0; i < 20000; ++i) {
    HeaderPlaces p{.ip = below(random, 70),
                   .ip_checksum = below(random, 70),
                   .l4 = below(random, 70),
                   .l4_checksum = below(random, 70),
                   .end = below(random, 100),
                   .ipv4 = below(random, 2) != 0,
                   .tcp = below(random, 2) != 0};
    if (!fits(p)) {
      continue;
    }
    ++made;
    Bytes bytes(p.end + kGuard);
    fill(bytes, random);
    const Bytes before = bytes;
    // Exactly the headers, so that a sanitizer sees a byte too many.
    Bytes headers{bytes.begin(), bytes.begin() + p.end};
    make_headers(headers, p, {.from = 1, .bytes = 2, .number = 3, .first = false, .last = false});
    change_length(headers, p, below(random, 70000), 7);
    put_sum(headers, p.l4_checksum, fold(pseudo_sum(headers, p, 7)));
    complete_checksum(headers, p, random());
    make_headers(bytes, p, {.from = 1, .bytes = 2, .number = 3, .first = false, .last = false});
    BOOST_TEST_REQUIRE(std::equal(bytes.begin() + p.end, bytes.end(), before.begin() + p.end));
  }
  BOOST_TEST(made > 500U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
