// SPDX-License-Identifier: MIT
// VBE modes by the DISPI registers, as SeaBIOS's VGA BIOS, OVMF and Linux' bochs-drm use them.
#include "tests/unit/devices/vga/vga_rig.h"

#include <random>

namespace dm::test {
namespace {

/// Where the registers are in BAR 2.
constexpr std::uint64_t kPorts = VgaDriver::kBar2 + 0x400;
constexpr std::uint64_t kDispi = VgaDriver::kBar2 + 0x500;
constexpr std::uint64_t kExtended = VgaDriver::kBar2 + 0x600;

BOOST_AUTO_TEST_SUITE(vga_dispi)

BOOST_FIXTURE_TEST_CASE(seabios_finds_the_card_and_what_it_can, OneScreen) {
  driver.dispi(0, 0xb0c0);
  BOOST_TEST(driver.dispi(0) == 0xb0c0);
  driver.dispi(0, 0xb0c5);
  BOOST_TEST(driver.dispi(0) == 0xb0c5);
  driver.dispi(0, 0xb0c6);
  BOOST_TEST(driver.dispi(0) == 0xb0c5);
  driver.dispi(4, 2);
  BOOST_TEST(driver.dispi(1) == 16000);
  BOOST_TEST(driver.dispi(2) == 12000);
  BOOST_TEST(driver.dispi(3) == 32);
  BOOST_TEST(driver.dispi(4) == 2);
  driver.dispi(4, 0);
  BOOST_TEST(driver.dispi(1) == 0);
  BOOST_TEST(driver.dispi(10) == 256);
  BOOST_TEST(driver.dispi(11) == 0);
  BOOST_TEST(driver.dispi(0xffff) == 0);
}

BOOST_FIXTURE_TEST_CASE(only_sixteen_bits_reach_the_ports, OneScreen) {
  guest.outw(0x1ce, 3);
  BOOST_TEST(guest.inw(0x1ce) == 3);
  guest.outb(0x1cf, 8);
  BOOST_TEST(guest.inb(0x1cf) == 0xff);
  BOOST_TEST(guest.inl(0x1ce) == 0xffffffffU);
  guest.outl(0x1ce, 0x00200003);
  BOOST_TEST(driver.dispi(3) == 0);
}

BOOST_FIXTURE_TEST_CASE(a_mode_shows_in_the_legacy_registers, OneScreen) {
  driver.cr(9, 0x9f);
  driver.gr(5, 0x10);
  driver.vbe(1024, 768, 32);
  BOOST_TEST(driver.dispi(6) == 1024);
  BOOST_TEST(driver.dispi(7) == 4096);
  BOOST_TEST(driver.gr(6) == 0x05);
  BOOST_TEST(driver.gr(5) == 0x50);
  BOOST_TEST(driver.cr(0x01) == 127);
  BOOST_TEST(driver.cr(0x12) == 0xff);
  BOOST_TEST(driver.cr(0x07) == 0x50);
  BOOST_TEST(driver.cr(0x13) == 0x00);  // 4096 / 8 does not fit
  BOOST_TEST(driver.cr(0x17) == 3);
  BOOST_TEST(driver.cr(0x18) == 0xff);
  BOOST_TEST(driver.cr(0x09) == 0x40);
  driver.vbe(800, 600, 4);
  BOOST_TEST(driver.gr(5) == 0x10);
  BOOST_TEST(driver.cr(0x13) == 50);
  BOOST_TEST(driver.cr(0x12) == (599 & 0xff));
  BOOST_TEST(driver.cr(0x07) == 0x50);
}

BOOST_FIXTURE_TEST_CASE(a_mode_clears_its_picture_unless_told_not_to, OneScreen) {
  std::ranges::fill(video.bytes(), std::byte{0xee});
  driver.vbe(640, 480, 16, 0xc0);
  BOOST_TEST(video_byte(0) == 0xee);
  driver.vbe(640, 480, 16);
  BOOST_TEST(video_byte(0) == 0);
  BOOST_TEST(video_byte(640 * 480 * 2 - 1) == 0);
  BOOST_TEST(video_byte(640 * 480 * 2) == 0xee);
  video.bytes()[5] = std::byte{1};
  driver.dispi(4, 0x41);  // it is on already
  BOOST_TEST(video_byte(5) == 1);
}

BOOST_FIXTURE_TEST_CASE(bochs_drm_sets_a_mode_and_flips_pages, OneScreen) {
  const auto write = [this](std::uint16_t index, std::uint16_t value) {
    guest.mmio_write(kDispi + index * 2U, 2, value);
  };
  const auto read = [this](std::uint16_t index) { return guest.mmio_read(kDispi + index * 2U, 2); };
  BOOST_TEST((read(0) & 0xfff0U) == 0xb0c0U);
  BOOST_TEST(read(10) * 64 * 1024 == kMemory);
  BOOST_TEST(guest.mmio_read(kExtended, 4) == 8U);
  guest.mmio_write(kExtended + 4, 4, 0x1e1e1e1e);
  guest.mmio_write(kPorts + 2, 1, 0xe1);  // MISC: unblank
  (void)guest.mmio_read(kPorts + 0x1a, 1);
  guest.mmio_write(kPorts, 1, 0x20);
  BOOST_TEST(state().attribute_index == 0x20);
  write(4, 0);
  write(3, 32);
  write(1, 1280);
  write(2, 800);
  write(5, 0);
  write(6, 1280);
  write(7, 1600);
  write(8, 0);
  write(9, 0);
  write(4, 0x41);
  BOOST_TEST(read(6) == 1280U);
  BOOST_TEST(read(7) == kMemory / (1280 * 4));
  write(9, 800);
  BOOST_TEST(read(9) == 800U);
  const vga::DispiGeometry shown = vga::geometry(state().dispi);
  BOOST_TEST(shown.line == 5120U);
  BOOST_TEST(shown.start == 800U * 5120);
}

BOOST_FIXTURE_TEST_CASE(bar_2_has_the_registers_of_the_ports, OneScreen) {
  driver.dispi(3, 16);
  BOOST_TEST(guest.mmio_read(kDispi + 6, 2) == 16U);
  guest.mmio_write(kDispi + 6, 2, 24);
  BOOST_TEST(driver.dispi(3) == 24);
  guest.mmio_write(kPorts + 4, 2, 0x0502);  // 3C4h
  BOOST_TEST(driver.sr(2) == 5);
  BOOST_TEST(guest.mmio_read(kPorts + 4, 2) == 0x0502U);
  BOOST_TEST(guest.mmio_read(kPorts + 4, 4) == 0xffffffffU);
}

BOOST_FIXTURE_TEST_CASE(byte_order_is_one_of_two_words, OneScreen) {
  BOOST_TEST(guest.mmio_read(kExtended + 4, 4) == 0x1e1e1e1eU);
  guest.mmio_write(kExtended + 4, 4, 0xbebebebe);
  BOOST_TEST(guest.mmio_read(kExtended + 4, 4) == 0xbebebebeU);
  guest.mmio_write(kExtended + 4, 4, 0x12345678);
  guest.mmio_write(kExtended + 4, 1, 0x1e);
  BOOST_TEST(state().big_endian);
}

BOOST_FIXTURE_TEST_CASE(an_access_across_two_parts_of_bar_2_reads_ones, OneScreen) {
  for (const std::uint64_t offset : {0x3fdU, 0x41fU, 0x515U, 0x516U, 0x604U, 0x608U, 0xff8U}) {
    const auto value = guest.mmio_read(VgaDriver::kBar2 + offset, 8);
    BOOST_TEST(value == ~std::uint64_t{0});
    guest.mmio_write(VgaDriver::kBar2 + offset, 8, 0);
  }
  guest.mmio_write(VgaDriver::kBar2, 8, 0);  // the monitor's data cannot be written
  BOOST_TEST(guest.mmio_read(VgaDriver::kBar2, 8) == 0x00ffffffffffff00U);
}

BOOST_FIXTURE_TEST_CASE(registers_are_made_to_fit_after_every_write, OneScreen) {
  driver.vbe(640, 480, 32);
  driver.dispi(1, 0xffff);
  BOOST_TEST(driver.dispi(1) == 16000);
  BOOST_TEST(driver.dispi(6) == 16000);
  BOOST_TEST(driver.dispi(2) == kMemory / 64000);
  driver.dispi(1, 7);
  BOOST_TEST(driver.dispi(1) == 8);
  driver.dispi(3, 17);
  BOOST_TEST(driver.dispi(3) == 8);
  driver.dispi(2, 0);
  BOOST_TEST(driver.dispi(2) == 1);
  driver.dispi(6, 0xfff8);
  BOOST_TEST(driver.dispi(6) == 16000);
  driver.dispi(9, 0xffff);
  BOOST_TEST(driver.dispi(9) == 0);  // 12000 lines down it is outside
  driver.dispi(8, 0xffff);
  BOOST_TEST(driver.dispi(8) == 16000);
}

BOOST_FIXTURE_TEST_CASE(no_order_of_writes_leads_out_of_video_memory, OneScreen) {
  std::mt19937 random{7};
  constexpr std::array<std::uint16_t, 12> kValues{0,   1,      4,      8,      15,     32,
                                                  640, 0x3fff, 0x4000, 0xfff8, 0xffff, 16000};
  for (unsigned i = 0; i < 20000; ++i) {
    const auto index = static_cast<std::uint16_t>(random() % 12);
    const auto value = index == 4 ? static_cast<std::uint16_t>(0x80U | random() % 2)
                                  : kValues.at(random() % kValues.size());
    driver.dispi(index, value);
    const vga::State now = state();
    BOOST_TEST_REQUIRE(vga::validate(now));
    if (now.dispi.enabled()) {
      const auto shown = vga::geometry(now.dispi);
      BOOST_TEST_REQUIRE(shown.start + shown.line * now.dispi.reg[2] <= kMemory);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_line_that_does_not_fit_cannot_be) {
  OneScreen small{std::size_t{1} << 20};
  small.driver.vbe(16000, 12000, 32);
  BOOST_TEST(small.driver.dispi(2) == 16);
  BOOST_TEST(small.driver.dispi(10) == 16);
  vga::DispiState state = small.state().dispi;
  vga::fix_up(state, 4096);
  BOOST_TEST(!state.enabled());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
