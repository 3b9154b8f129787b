// SPDX-License-Identifier: MIT
// The modes are those of IBM's manual and of SeaBIOS's VGA BIOS; what is shown in them is made of
// numbers, so that every pixel, glyph and colour differs from its neighbours.
#include "tests/unit/devices/vga/screens.h"

#include <array>

namespace dm::test {

namespace {

using drivers::VgaDriver;
using Guest = rig::GuestInstructions;
using Mode = VgaDriver::Mode;

constexpr std::uint64_t kVideo = VgaDriver::kBar0;

constexpr std::array<std::uint8_t, 21> kTextColours{0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14,
                                                    0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d,
                                                    0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00};
constexpr std::array<std::uint8_t, 21> kPlaneColours{0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14,
                                                     0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d,
                                                     0x3e, 0x3f, 0x01, 0x00, 0x0f, 0x00, 0x00};
constexpr std::array<std::uint8_t, 21> k256Colours{0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
                                                   0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d,
                                                   0x0e, 0x0f, 0x41, 0x00, 0x0f, 0x00, 0x00};
constexpr std::array<std::uint8_t, 21> kCgaColours{0x00, 0x13, 0x15, 0x17, 0x02, 0x04, 0x06,
                                                   0x07, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15,
                                                   0x16, 0x17, 0x01, 0x00, 0x03, 0x00, 0x00};

constexpr std::array<std::uint8_t, 9> kTextMemory{0, 0, 0, 0, 0, 0x10, 0x0e, 0x00, 0xff};
constexpr std::array<std::uint8_t, 9> kPlaneMemory{0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff};

constexpr Mode kMode01{
    {0x08, 0x03, 0x00, 0x02},
    0x67,
    {0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
     0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x14, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
    kTextColours,
    kTextMemory};
constexpr Mode kMode03{
    {0x00, 0x03, 0x00, 0x02},
    0x67,
    {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00,
     0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
    kTextColours,
    kTextMemory};
constexpr Mode kMode04{
    {0x09, 0x03, 0x00, 0x02},
    0x63,
    {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff},
    kCgaColours,
    {0, 0, 0, 0, 0, 0x30, 0x0f, 0x0f, 0xff}};
constexpr Mode kMode06{
    {0x01, 0x01, 0x00, 0x06},
    0x63,
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x00, 0x96, 0xb9, 0xc2, 0xff},
    {0x00, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17,
     0x17, 0x17, 0x17, 0x17, 0x17, 0x01, 0x00, 0x01, 0x00, 0x00},
    {0, 0, 0, 0, 0, 0x00, 0x0d, 0x0f, 0xff}};
constexpr Mode kMode0d{
    {0x09, 0x0f, 0x00, 0x06},
    0x63,
    {0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc0, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xe3, 0xff},
    kPlaneColours,
    kPlaneMemory};
constexpr Mode kMode12{
    {0x01, 0x0f, 0x00, 0x06},
    0xe3,
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff},
    kPlaneColours,
    kPlaneMemory};
constexpr Mode kMode13{
    {0x01, 0x0f, 0x00, 0x0e},
    0x63,
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0x00, 0x00, 0x00,
     0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff},
    k256Colours,
    {0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff}};
constexpr Mode kModeX{{0x01, 0x0f, 0x00, 0x06},
                      0xe3,
                      {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0d, 0x3e, 0x00, 0x41, 0x00, 0x00, 0x00,
                       0x00, 0x00, 0x00, 0xea, 0xac, 0xdf, 0x28, 0x00, 0xe7, 0x06, 0xe3, 0xff},
                      k256Colours,
                      {0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff}};

/// A number that looks like no other (a step of splitmix64).
std::uint64_t noise(std::uint64_t at) {
  at = (at + 1) * 0x9e3779b97f4a7c15U;
  at = (at ^ at >> 30U) * 0xbf58476d1ce4e5b9U;
  return at ^ at >> 27U;
}

void fill(Guest& guest, std::uint64_t first, std::uint64_t end) {
  for (std::uint64_t at = first; at < end; at += 8) {
    guest.mmio_write(kVideo + at, 8, noise(at));
  }
}

void colours(VgaDriver& driver) {
  for (unsigned i = 0; i < 256; ++i) {
    const std::uint64_t rgb = noise(1000 + i);
    driver.colour(static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(rgb),
                  static_cast<std::uint8_t>(rgb >> 8U), static_cast<std::uint8_t>(rgb >> 16U));
  }
}

/// Two fonts, and every character in many colours.
void text(Guest& guest, VgaDriver& driver, const Mode& mode, unsigned cells) {
  driver.set(mode);
  colours(driver);
  driver.sr(2, 0x04);
  driver.sr(4, 0x06);
  driver.gr(5, 0x00);
  driver.gr(6, 0x04);
  for (std::uint64_t at = 0; at < 0x4000; at += 8) {  // fonts 0 and 4
    guest.mmio_write(0xa0000 + at, 8, noise(at));
  }
  driver.sr(2, 0x03);
  driver.sr(4, 0x02);
  driver.gr(5, 0x10);
  driver.gr(6, 0x0e);
  for (unsigned i = 0; i < cells; ++i) {
    guest.mmio_write(0xb8000 + i * 2, 2, (noise(i) & 0xff00U) | (i & 0xffU));
  }
}

void text_80(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 25);
}
void text_80_of_8_dots(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 25);
  driver.sr(1, 0x01);
}
void text_80_two_fonts(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 25);
  driver.sr(3, 0x10);
}
void text_80_other_fonts(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 25);
  driver.sr(3, 0x29);
}
void text_80_without_line_graphics(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 25);
  driver.ar(0x10, 0x08);
}
void text_80_colour_select(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 25);
  driver.ar(0x14, 0x0e);
}
void text_80_colour_select_of_four_bits(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 25);
  driver.ar(0x10, 0x8c);
  driver.ar(0x14, 0x0b);
}
void text_80_cursor(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 25);
  driver.cr(0x0e, 0x03);
  driver.cr(0x0f, 0x12);
  driver.cr(0x0a, 0x02);
  driver.cr(0x0b, 0x1f);  // below the character's end
}
void text_80_cursor_off(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 25);
  driver.cr(0x0a, 0x2d);
}
void text_80_cursor_upside_down(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 25);
  driver.cr(0x0a, 0x0e);
  driver.cr(0x0b, 0x03);
}
void text_80_of_50_lines(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 50);
  driver.cr(0x09, 0x47);
}
void text_80_scrolled_and_split(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 60);
  driver.cr(0x0c, 0x03);
  driver.cr(0x0d, 0x21);
  driver.cr(0x18, 0xc8);
  driver.cr(0x07, 0x0f);
  driver.cr(0x09, 0x0f);
}
void text_40(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode01, 40 * 25);
}
void text_80_by_100(Guest& guest, VgaDriver& driver) {
  text(guest, driver, kMode03, 80 * 100);
  driver.cr(0x11, 0x0e);
  driver.cr(0x06, 100);
  driver.cr(0x09, 0x01);
}

void planes(Guest& guest, VgaDriver& driver, const Mode& mode) {
  driver.set(mode);
  colours(driver);
  fill(guest, 0, 640 * 480 / 2);
}
void mode_0d(Guest& guest, VgaDriver& driver) {
  planes(guest, driver, kMode0d);
}
void mode_12(Guest& guest, VgaDriver& driver) {
  planes(guest, driver, kMode12);
}
void mode_12_some_planes(Guest& guest, VgaDriver& driver) {
  planes(guest, driver, kMode12);
  driver.ar(0x12, 0x05);
}
void mode_12_split(Guest& guest, VgaDriver& driver) {
  planes(guest, driver, kMode12);
  driver.cr(0x0d, 0x07);
  driver.cr(0x0c, 0x21);
  driver.cr(0x18, 0x2c);
  driver.cr(0x07, 0x3e);
  driver.cr(0x09, 0x00);
}
void mode_12_half_width_wide_lines(Guest& guest, VgaDriver& driver) {
  planes(guest, driver, kMode12);
  driver.sr(1, 0x09);
  driver.cr(0x11, 0x0c);
  driver.cr(0x01, 0x27);
  driver.cr(0x13, 0x33);
}
void mode_12_drawn_by_write_modes(Guest& guest, VgaDriver& driver) {
  driver.set(kMode12);
  colours(driver);
  fill(guest, 0, 640 * 480 / 2);
  for (unsigned i = 0; i < 3000; ++i) {
    const std::uint64_t r = noise(i);
    driver.gr(0, static_cast<std::uint8_t>(r));
    driver.gr(1, static_cast<std::uint8_t>(r >> 8U));
    driver.gr(3, static_cast<std::uint8_t>(r >> 16U));
    driver.gr(5, i & 3U);
    driver.gr(8, static_cast<std::uint8_t>(r >> 24U));
    driver.sr(2, static_cast<std::uint8_t>(r >> 32U));
    (void)guest.mmio_read(0xa0000 + (r >> 40U) % 38400, 1);
    guest.mmio_write(0xa0000 + i * 11U, 2, r >> 17U);
  }
  driver.gr(5, 0);
}
void mode_13(Guest& guest, VgaDriver& driver) {
  driver.set(kMode13);
  colours(driver);
  for (std::uint64_t at = 0; at < 64000; at += 8) {
    guest.mmio_write(0xa0000 + at, 8, noise(at));
  }
}
void mode_13_split(Guest& guest, VgaDriver& driver) {
  mode_13(guest, driver);
  driver.cr(0x0d, 0x53);
  driver.cr(0x18, 0x64);
  driver.cr(0x07, 0x0f);
  driver.cr(0x09, 0x01);
}
void mode_x(Guest& guest, VgaDriver& driver) {
  driver.set(kModeX);
  colours(driver);
  for (std::uint8_t plane = 0; plane < 4; ++plane) {
    driver.sr(2, static_cast<std::uint8_t>(1U << plane));
    for (std::uint64_t at = 0; at < 320 * 240 / 4; at += 8) {
      guest.mmio_write(0xa0000 + at, 8, noise(at * 4 + plane));
    }
  }
}
void mode_x_second_page(Guest& guest, VgaDriver& driver) {
  mode_x(guest, driver);
  driver.cr(0x0c, 0x10);
}
void cga_4(Guest& guest, VgaDriver& driver) {
  driver.set(kMode04);
  colours(driver);
  for (std::uint64_t at = 0; at < 0x4000; at += 8) {
    guest.mmio_write(0xb8000 + at, 8, noise(at));
  }
}
void cga_5(Guest& guest, VgaDriver& driver) {
  cga_4(guest, driver);
  driver.ar(1, 0x11);
  driver.ar(2, 0x3c);
}
void cga_6(Guest& guest, VgaDriver& driver) {
  driver.set(kMode06);
  colours(driver);
  for (std::uint64_t at = 0; at < 0x4000; at += 8) {
    guest.mmio_write(0xb8000 + at, 8, noise(at));
  }
}
void hercules_rows(Guest& guest, VgaDriver& driver) {
  planes(guest, driver, kMode12);
  fill(guest, 0, 0x40000);
  driver.cr(0x09, 0x00);
  driver.cr(0x17, 0xe0);
}
void cga_rows_in_word_mode(Guest& guest, VgaDriver& driver) {
  planes(guest, driver, kMode12);
  driver.cr(0x17, 0xa2);
}

void vbe(Guest& guest, VgaDriver& driver, std::uint16_t bpp, std::uint16_t flags = 0x40) {
  driver.set(kMode03);
  colours(driver);
  driver.vbe(320, 200, bpp, flags);
  driver.ar(0x10, 0x01);
  fill(guest, 0, std::uint64_t{336} * 220 * bpp / 8 + 64);
}
void vbe_planes(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 4);
}
void vbe_planes_moved(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 4);
  driver.dispi(6, 336);
  driver.dispi(8, 24);
  driver.dispi(9, 7);
}
void vbe_8(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 8);
}
void vbe_8_of_8_bits_a_colour(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 8, 0x60);
}
void vbe_8_moved(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 8);
  driver.dispi(6, 336);
  driver.dispi(8, 9);
  driver.dispi(9, 11);
}
void vbe_15(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 15);
}
void vbe_16(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 16);
}
void vbe_24(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 24);
}
void vbe_32(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 32);
}
void vbe_32_moved(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 32);
  driver.dispi(6, 336);
  driver.dispi(8, 5);
  driver.dispi(9, 3);
}
void vbe_16_high_byte_first(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 16);
  guest.mmio_write(VgaDriver::kBar2 + 0x604, 4, 0xbebebebe);
}
void vbe_32_high_byte_first(Guest& guest, VgaDriver& driver) {
  vbe(guest, driver, 32);
  guest.mmio_write(VgaDriver::kBar2 + 0x604, 4, 0xbebebebe);
}

constexpr std::array kScreens{
    Screen{"text_80", text_80},
    Screen{"text_80_of_8_dots", text_80_of_8_dots},
    Screen{"text_80_two_fonts", text_80_two_fonts},
    Screen{"text_80_other_fonts", text_80_other_fonts},
    Screen{"text_80_without_line_graphics", text_80_without_line_graphics},
    Screen{"text_80_colour_select", text_80_colour_select},
    Screen{"text_80_colour_select_of_four_bits", text_80_colour_select_of_four_bits},
    Screen{"text_80_cursor", text_80_cursor},
    Screen{"text_80_cursor_off", text_80_cursor_off},
    Screen{"text_80_cursor_upside_down", text_80_cursor_upside_down},
    Screen{"text_80_of_50_lines", text_80_of_50_lines},
    Screen{"text_80_scrolled_and_split", text_80_scrolled_and_split},
    Screen{"text_80_by_100", text_80_by_100},
    Screen{"text_40", text_40},
    Screen{"mode_0d", mode_0d},
    Screen{"mode_12", mode_12},
    Screen{"mode_12_some_planes", mode_12_some_planes},
    Screen{"mode_12_split", mode_12_split},
    Screen{"mode_12_half_width_wide_lines", mode_12_half_width_wide_lines},
    Screen{"mode_12_drawn_by_write_modes", mode_12_drawn_by_write_modes},
    Screen{"mode_13", mode_13},
    Screen{"mode_13_split", mode_13_split},
    Screen{"mode_x", mode_x},
    Screen{"mode_x_second_page", mode_x_second_page},
    Screen{"cga_4", cga_4},
    Screen{"cga_5", cga_5},
    Screen{"cga_6", cga_6},
    Screen{"hercules_rows", hercules_rows},
    Screen{"cga_rows_in_word_mode", cga_rows_in_word_mode},
    Screen{"vbe_planes", vbe_planes},
    Screen{"vbe_planes_moved", vbe_planes_moved},
    Screen{"vbe_8", vbe_8},
    Screen{"vbe_8_of_8_bits_a_colour", vbe_8_of_8_bits_a_colour},
    Screen{"vbe_8_moved", vbe_8_moved},
    Screen{"vbe_15", vbe_15},
    Screen{"vbe_16", vbe_16},
    Screen{"vbe_24", vbe_24},
    Screen{"vbe_32", vbe_32},
    Screen{"vbe_32_moved", vbe_32_moved},
    Screen{"vbe_16_high_byte_first", vbe_16_high_byte_first},
    Screen{"vbe_32_high_byte_first", vbe_32_high_byte_first},
};

}  // namespace

std::span<const Screen> screens() noexcept {
  return kScreens;
}

}  // namespace dm::test
