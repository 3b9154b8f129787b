// SPDX-License-Identifier: MIT
#include "core/state/describe.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
