// SPDX-License-Identifier: MIT
#include "tests/unit/devices/vga/vga_rig.h"

#include <random>

namespace dm::test {
namespace {

/// As a saved card is read: hostile.
bool loads(const std::vector<std::byte>& bytes, vga::State& to) {
  return state::load(bytes, to);
}

BOOST_AUTO_TEST_SUITE(vga_state)

BOOST_FIXTURE_TEST_CASE(a_card_goes_on_elsewhere, OneScreen) {
  driver.vbe(1024, 768, 16);
  driver.dispi(5, 3);
  driver.dispi(9, 10);
  driver.colour(9, 1, 2, 3);
  guest.outb(0x3c8, 4);
  guest.outb(0x3c9, 7);
  guest.config_write(kVga, 0x10, 4, 0xe8000000);
  vga::State saved = state();
  vga::State read;
  BOOST_TEST_REQUIRE(loads(state::save(saved), read));
  OneScreen other;
  BOOST_TEST_REQUIRE(other.card->restore(read));
  vga::State again = other.state();
  BOOST_TEST(state::hash(again) == state::hash(saved));
  BOOST_TEST(other.video.at().value == 0xe8000000U);
  BOOST_TEST(other.card->bar_mapped(0));
  BOOST_TEST(other.driver.dispi(9) == 10);
  other.guest.outb(0x3c9, 8);
  other.guest.outb(0x3c9, 9);
  other.guest.outb(0x3c7, 4);
  BOOST_TEST(other.guest.inb(0x3c9) == 7);
}

BOOST_FIXTURE_TEST_CASE(another_size_of_video_memory_is_told_in_the_words_of_xl_cfg, OneScreen) {
  OneScreen other{std::size_t{32} << 20};
  UnplugRequest gone;
  const auto fits = other.card->fits(state(), gone);
  BOOST_TEST_REQUIRE(fits.has_error());
  BOOST_TEST(fits.error().message == "videoram was 16 (MiB) and is 32");
  BOOST_TEST(!other.card->restore(state()));
}

BOOST_FIXTURE_TEST_CASE(impossible_numbers_are_refused, OneScreen) {
  driver.vbe(640, 480, 32);
  const vga::State good = state();
  BOOST_TEST(vga::validate(good));
  const auto refused = [&good](auto change) {
    vga::State bad = good;
    change(bad);
    return !vga::validate(bad);
  };
  BOOST_TEST(refused([](auto& s) { s.sequencer_index = 8; }));
  BOOST_TEST(refused([](auto& s) { s.graphics_index = 16; }));
  BOOST_TEST(refused([](auto& s) { s.attribute_index = 0x40; }));
  BOOST_TEST(refused([](auto& s) { s.sequencer[5] = 1; }));
  BOOST_TEST(refused([](auto& s) { s.graphics[5] = 0x80; }));
  BOOST_TEST(refused([](auto& s) { s.attribute[0] = 0x40; }));
  BOOST_TEST(refused([](auto& s) { s.misc = 0x10; }));
  BOOST_TEST(refused([](auto& s) { s.feature = 1; }));
  BOOST_TEST(refused([](auto& s) { s.dac.component = 3; }));
  BOOST_TEST(refused([](auto& s) { s.dispi.reg[0] = 0xb0c6; }));
  BOOST_TEST(refused([](auto& s) { s.dispi.reg[1] = 641; }));
  BOOST_TEST(refused([](auto& s) { s.dispi.reg[2] = 0xffff; }));
  BOOST_TEST(refused([](auto& s) { s.dispi.reg[3] = 0; }));
  BOOST_TEST(refused([](auto& s) { s.dispi.reg[9] = 12000; }));
  BOOST_TEST(refused([](auto& s) { s.dispi.reg[5] = 256; }));
  BOOST_TEST(refused([](auto& s) { s.dispi.bank_offset = 0x10000; }));
  BOOST_TEST(refused([](auto& s) { s.memory_mib = 0; }));
  BOOST_TEST(refused([](auto& s) { s.memory_mib = 17; }));
  BOOST_TEST(refused([](auto& s) { s.memory_mib = 512; }));
  BOOST_TEST(refused([](auto& s) { s.memory_frame = 0; }));
  BOOST_TEST(refused([](auto& s) { s.memory_frame = ~std::uint64_t{0}; }));
}

BOOST_FIXTURE_TEST_CASE(loaded_bytes_can_be_anything, OneScreen) {
  driver.vbe(640, 480, 4);
  vga::State good = state();
  const auto bytes = state::save(good);
  std::mt19937 random{3};
  for (unsigned i = 0; i < 3000; ++i) {
    auto bad = bytes;
    for (unsigned flips = 0; flips < 1 + i % 3; ++flips) {
      bad[random() % bad.size()] = static_cast<std::byte>(random());
    }
    vga::State read = good;
    if (!loads(bad, read) || !card->restore(read)) {
      continue;
    }
    for (std::uint64_t at = 0; at < 0x20000; at += 0x1fff) {
      guest.mmio_write(kWindow + at, 8, 0x0123456789abcdef);
      (void)guest.mmio_read(kWindow + at, 8);
    }
    for (std::uint16_t port = 0x3b0; port < 0x3e0; ++port) {
      (void)guest.inb(port);
    }
    BOOST_TEST(vga::validate(state()));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
