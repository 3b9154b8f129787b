// SPDX-License-Identifier: MIT
#include "core/state/describe.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <span>
#include <vector>

namespace {

struct Fifo {
  std::array<std::uint8_t, 4> bytes{};
  std::uint8_t level = 0;
};
template <class V>
void describe(V& v, Fifo& f) {
  v.field(1, "bytes", f.bytes);
  v.field(2, "level", f.level);
}

enum class Mode : std::uint8_t { a, b };
struct Chip {
  std::uint32_t control = 7;
  bool on = false;
  Mode mode = Mode::a;
  Fifo fifo;
};
template <class V>
void describe(V& v, Chip& c) {
  v.field(1, "control", c.control);
  v.field(2, "on", c.on);
  v.field(3, "mode", c.mode);
  v.field(9, "fifo", c.fifo);
}
bool validate(const Chip& c) {
  return c.fifo.level <= 4;
}

Chip sample() {
  Chip c;
  c.control = 0x12345678;
  c.on = true;
  c.mode = Mode::b;
  c.fifo.bytes = {1, 2, 3, 4};
  c.fifo.level = 3;
  return c;
}

BOOST_AUTO_TEST_SUITE(described_state)

BOOST_AUTO_TEST_CASE(what_is_saved_is_loaded) {
  Chip from = sample();
  const auto bytes = dm::state::save(from);
  Chip to;
  BOOST_TEST_REQUIRE(dm::state::load(bytes, to));
  BOOST_TEST(dm::state::hash(to) == dm::state::hash(from));
  BOOST_TEST(to.control == 0x12345678U);
  BOOST_TEST(to.fifo.bytes[3] == 4);
  BOOST_TEST((dm::state::save(to) == bytes));
}

BOOST_AUTO_TEST_CASE(every_field_changes_the_hash) {
  Chip a = sample();
  const auto hash = dm::state::hash(a);
  Chip b = sample();
  b.on = false;
  BOOST_TEST(dm::state::hash(b) != hash);
  b = sample();
  b.fifo.bytes[0] = 9;
  BOOST_TEST(dm::state::hash(b) != hash);
}

BOOST_AUTO_TEST_CASE(unknown_fields_are_skipped_and_missing_ones_keep_their_value) {
  dm::state::Saver saver;
  const std::uint64_t future = 1;
  saver.field(77, "later", future);
  const std::uint32_t control = 5;
  saver.field(1, "control", control);
  Chip to = sample();
  BOOST_TEST_REQUIRE(dm::state::load(saver.bytes(), to));
  BOOST_TEST(to.control == 5U);
  BOOST_TEST(to.fifo.level == 3);
}

BOOST_AUTO_TEST_CASE(no_truncation_and_no_changed_byte_ever_loads_an_invalid_state) {
  Chip from = sample();
  const auto bytes = dm::state::save(from);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    Chip to;
    const bool loaded = dm::state::load(std::span{bytes}.first(cut), to);
    BOOST_TEST((loaded || to.control == 7U));
  }
  unsigned refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      auto changed = bytes;
      changed[at] ^= static_cast<std::byte>(flip);
      Chip to;
      if (dm::state::load(changed, to)) {
        BOOST_TEST(to.fifo.level <= 4);
      } else {
        ++refused;
        BOOST_TEST(to.control == 7U);  // untouched
      }
    }
  }
  BOOST_TEST(refused > 20U);
}

struct Large {
  std::array<std::uint32_t, 64> words{};
};
template <class V>
void describe(V& v, Large& l) {
  v.field(1, "words", l.words);
}
bool validate(const Large& /*l*/) {
  return true;
}

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::initializer_list<unsigned> values) {
  Bytes bytes;
  for (const unsigned value : values) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

BOOST_AUTO_TEST_CASE(an_array_of_zeros_takes_a_few_bytes_and_is_loaded_whole) {
  Large from;
  BOOST_TEST(dm::state::save(from).size() == 6U + 4U);
  from.words[3] = 0x12345678;
  from.words[60] = 5;
  const auto bytes = dm::state::save(from);
  BOOST_TEST(bytes.size() < 40U);
  Large to;
  to.words.fill(9);  // what was zero is zero
  BOOST_TEST_REQUIRE(dm::state::load(bytes, to));
  BOOST_TEST((to.words == from.words));
}

BOOST_AUTO_TEST_CASE(an_array_without_zeros_is_saved_as_it_is_and_was_saved_so_before) {
  Large from;
  from.words.fill(0x01010101);
  const auto bytes = dm::state::save(from);
  BOOST_TEST(bytes.size() == 6U + sizeof from);
  Large to;
  BOOST_TEST_REQUIRE(dm::state::load(bytes, to));
  BOOST_TEST((to.words == from.words));
}

BOOST_AUTO_TEST_CASE(what_is_packed_is_unpacked_whatever_it_is) {
  std::mt19937 random{1};
  for (unsigned round = 0; round < 300; ++round) {
    Bytes bytes(random() % 3000);
    const bool long_runs = round % 2 == 0;
    for (std::size_t at = 0; at < bytes.size(); at += 1 + random() % (long_runs ? 40 : 5)) {
      bytes[at] = static_cast<std::byte>(random() & 0xffU);
    }
    const Bytes packed = dm::state::pack_zeros(bytes);
    BOOST_TEST(dm::state::unpacked_size(packed, bytes.size()) == bytes.size());
    Bytes back(bytes.size(), std::byte{7});
    BOOST_TEST_REQUIRE(dm::state::unpack_zeros(packed, back));
    BOOST_TEST_REQUIRE((back == bytes));
  }
}

BOOST_AUTO_TEST_CASE(more_zeros_and_more_bytes_than_a_piece_can_count_are_packed_too) {
  for (const std::size_t size : {65534U, 65535U, 65536U, 131070U, 131071U, 200000U}) {
    for (const unsigned value : {0U, 1U}) {
      Bytes bytes(size, static_cast<std::byte>(value));
      bytes.back() = std::byte{3};
      Bytes back(size);
      BOOST_TEST_REQUIRE(dm::state::unpack_zeros(dm::state::pack_zeros(bytes), back));
      BOOST_TEST((back == bytes));
    }
  }
}

BOOST_AUTO_TEST_CASE(pieces_that_are_cut_too_long_or_too_short_are_refused_and_write_nothing) {
  Bytes to(4, std::byte{9});
  const Bytes before = to;
  for (const Bytes& packed :
       {bytes_of({}), bytes_of({4}), bytes_of({4, 0, 0}), bytes_of({3, 0, 0, 0}),
        bytes_of({5, 0, 0, 0}), bytes_of({255, 255, 0, 0}), bytes_of({2, 0, 2, 0, 1}),
        bytes_of({0, 0, 255, 255}), bytes_of({4, 0, 0, 0, 0}), bytes_of({2, 0, 3, 0, 1, 2, 3})}) {
    BOOST_TEST(!dm::state::unpack_zeros(packed, to));
    BOOST_TEST((to == before));
  }
  BOOST_TEST(dm::state::unpack_zeros(bytes_of({3, 0, 1, 0, 8}), to));
  BOOST_TEST((to == bytes_of({0, 0, 0, 8})));
}

BOOST_AUTO_TEST_CASE(a_number_or_an_aggregate_that_says_it_is_packed_is_refused) {
  Chip from = sample();
  for (const std::size_t field : {std::size_t{0}, std::size_t{6 + 4 + 6 + 1 + 6 + 1}}) {
    auto bytes = dm::state::save(from);
    bytes.at(field + 5) |= std::byte{0x80};
    Chip to;
    BOOST_TEST(!dm::state::load(bytes, to));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
