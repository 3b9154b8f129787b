// SPDX-License-Identifier: MIT
// What the card shows, pixel by pixel as QEMU 7.2's card does.
#include "devices/vga/picture.h"

#include "tests/unit/devices/vga/golden_screens.h"
#include "tests/unit/devices/vga/screens.h"
#include "tests/unit/devices/vga/vga_rig.h"

#include <boost/crc.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <map>
#include <ostream>
#include <random>
#include <string>

namespace dm::test {

std::ostream& operator<<(std::ostream& to, const Golden& golden) {
  return to << golden.name;
}

namespace {

using Source = Surface::Source;

/// Five or six bits to eight. QEMU leaves it to pixman, which repeats the highest bits; pixels of
/// 15 bits, and of 16 with the high byte first, it draws itself, with zeros.
unsigned widen(const Surface& surface, unsigned value, unsigned bits) {
  const bool by_pixman = surface.format == PixelFormat::rgb565 && !surface.high_byte_first;
  return value << (8 - bits) | (by_pixman ? value >> (2 * bits - 8) : 0);
}

/// A pixel of video memory as 00RRGGBBh.
unsigned pixel(const Surface& surface, std::span<const std::byte> bytes) {
  unsigned value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t from = surface.high_byte_first ? bytes.size() - 1 - i : i;
    value |= std::to_integer<unsigned>(bytes[from]) << (8 * i);
  }
  switch (surface.format) {
    case PixelFormat::indexed8:
      return surface.palette.at(value);
    case PixelFormat::rgb555:
      return widen(surface, value >> 10U & 31U, 5) << 16U |
             widen(surface, value >> 5U & 31U, 5) << 8U | widen(surface, value & 31U, 5);
    case PixelFormat::rgb565:
      return widen(surface, value >> 11U & 31U, 5) << 16U |
             widen(surface, value >> 5U & 63U, 6) << 8U | widen(surface, value & 31U, 5);
    default:
      return value & 0xffffffU;
  }
}

/// The picture as 00RRGGBBh.
std::vector<unsigned> picture(OneScreen& screen, const Surface& surface) {
  std::vector<unsigned> out;
  if (surface.source == Source::drawn) {
    std::vector<std::uint8_t> pixels(std::size_t{surface.width} * surface.height, 0xee);
    vga::draw(screen.state(), screen.video.bytes(), surface, pixels);
    for (const std::uint8_t index : pixels) {
      out.push_back(surface.palette.at(index));
    }
    return out;
  }
  const std::size_t size = bytes_of(surface.format);
  for (std::size_t y = 0; y < surface.height; ++y) {
    for (std::size_t x = 0; x < surface.width; ++x) {
      out.push_back(pixel(surface, screen.video.bytes().subspan(
                                       surface.offset + y * surface.stride + x * size, size)));
    }
  }
  return out;
}

unsigned crc_of(std::span<const unsigned> picture) {
  boost::crc_32_type crc;
  for (const unsigned rgb : picture) {
    crc.process_byte(static_cast<unsigned char>(rgb >> 16U));
    crc.process_byte(static_cast<unsigned char>(rgb >> 8U));
    crc.process_byte(static_cast<unsigned char>(rgb));
  }
  return crc.checksum();
}

BOOST_AUTO_TEST_SUITE(vga_picture)

BOOST_DATA_TEST_CASE(a_screen_is_the_one_that_qemu_shows, kGoldenScreens, golden) {
  OneScreen screen;
  const auto all = screens();
  const auto found = std::ranges::find(all, golden.name, &Screen::name);
  BOOST_TEST_REQUIRE((found != all.end()));
  found->make(screen.guest, screen.driver);
  const Surface surface = vga::surface_of(screen.state());
  BOOST_TEST(surface.width == golden.width);
  BOOST_TEST(surface.height == golden.height);
  BOOST_TEST(crc_of(picture(screen, surface)) == golden.crc);
}

BOOST_AUTO_TEST_CASE(every_screen_has_its_golden_picture) {
  BOOST_TEST(screens().size() == kGoldenScreens.size());
}

BOOST_FIXTURE_TEST_CASE(nothing_is_shown_while_the_screen_is_off, OneScreen) {
  BOOST_TEST((vga::surface_of(state()).source == Source::nothing));
  driver.vbe(640, 480, 32);
  driver.ar(0x10, 1);
  BOOST_TEST((vga::surface_of(state()).source == Source::video_memory));
  (void)guest.inb(0x3da);
  guest.outb(0x3c0, 0);  // as bochs-drm blanks it
  BOOST_TEST((vga::surface_of(state()).source == Source::nothing));
}

BOOST_FIXTURE_TEST_CASE(a_page_flip_moves_the_surface_and_nothing_else, OneScreen) {
  driver.vbe(1280, 800, 32);
  driver.ar(0x10, 1);
  const Surface first = vga::surface_of(state());
  driver.dispi(9, 800);
  Surface second = vga::surface_of(state());
  BOOST_TEST(second.offset == 1280U * 4 * 800);
  second.offset = 0;
  BOOST_TEST((second == first));
}

/// A light line right across the cursor's cell, and the same character without it.
BOOST_FIXTURE_TEST_CASE(the_cursor_covers_its_lines_in_the_colour_of_the_ink, OneScreen) {
  for (const auto& screen : screens()) {
    if (screen.name == "text_80_cursor") {
      screen.make(guest, driver);
    }
  }
  const Surface surface = vga::surface_of(state());
  const auto with = picture(*this, surface);
  driver.cr(0x0a, 0x22);
  const auto without = picture(*this, surface);
  constexpr std::size_t kCell = 0x312;
  const std::size_t left = kCell % 80 * 9;
  const std::size_t top = kCell / 80 * 16;
  std::size_t differ = 0;
  for (std::size_t i = 0; i < with.size(); ++i) {
    const std::size_t x = i % 720;
    const std::size_t y = i / 720;
    const bool inside = x >= left && x < left + 9 && y >= top + 2 && y < top + 16;
    BOOST_TEST_REQUIRE((inside || with[i] == without[i]));
    BOOST_TEST_REQUIRE((!inside || with[i] == with[top * 720 + 2 * 720 + left]));
    differ += with[i] != without[i] ? 1U : 0U;
  }
  BOOST_TEST(differ > 0U);
}

BOOST_FIXTURE_TEST_CASE(what_is_too_large_is_not_drawn, OneScreen) {
  driver.ar(0x10, 0);
  driver.sr(1, 0);
  driver.cr(0x01, 0xff);
  driver.cr(0x07, 0x42);
  driver.cr(0x12, 0xff);
  driver.cr(0x09, 0x00);  // 256 x 1024 characters of one line
  BOOST_TEST((vga::surface_of(state()).source == Source::nothing));
  driver.cr(0x09, 0x1f);
  BOOST_TEST((vga::surface_of(state()).source == Source::nothing));  // 2304 x 1024 pixels
  driver.gr(6, 1);
  BOOST_TEST((vga::surface_of(state()).source == Source::nothing));  // 2048 x 1024
  driver.cr(0x07, 0x02);
  BOOST_TEST((vga::surface_of(state()).source == Source::drawn));  // 2048 x 512
  driver.sr(1, 8);
  BOOST_TEST((vga::surface_of(state()).source == Source::nothing));
  driver.vbe(4096, 2048, 4);
  BOOST_TEST((vga::surface_of(state()).source == Source::nothing));
}

BOOST_FIXTURE_TEST_CASE(a_character_alone_is_not_drawn, OneScreen) {
  driver.ar(0x10, 0);
  BOOST_TEST((vga::surface_of(state()).source == Source::nothing));  // CR1, CR12 and CR13 are 0
}

/// Whatever a valid state says: nothing outside of video memory is read, nothing outside of the
/// pixels is written (the sanitizers look), and a palette's index is inside of it.
BOOST_AUTO_TEST_CASE(any_registers_make_a_picture_inside_of_its_bounds) {
  OneScreen screen{std::size_t{1} << 20};
  std::mt19937 random{11};
  std::map<Source, unsigned> seen;
  for (std::size_t i = 0; i < screen.video.bytes().size(); ++i) {
    screen.video.bytes()[i] = static_cast<std::byte>(random());
  }
  for (unsigned round = 0; round < 1500; ++round) {
    vga::State s = screen.state();
    for (std::size_t i = 0; i < 8; ++i) {
      s.sequencer.at(i) = static_cast<std::uint8_t>(random() & vga::regs::Sequencer::kWritable[i]);
    }
    for (std::size_t i = 0; i < 16; ++i) {
      s.graphics.at(i) = static_cast<std::uint8_t>(random() & vga::regs::Graphics::kWritable[i]);
    }
    for (std::size_t i = 0; i < 0x20; ++i) {
      s.crt.at(i) = static_cast<std::uint8_t>(random());
    }
    s.crt.at(1) = static_cast<std::uint8_t>(random() % 100);
    s.crt.at(7) &= 0x12U;
    for (std::size_t i = 0; i < 0x15; ++i) {
      s.attribute.at(i) = static_cast<std::uint8_t>(random() & vga::regs::Attribute::kWritable[i]);
    }
    s.attribute_index = 0x20;
    if (round % 4 == 0) {
      for (const std::size_t index : {1U, 2U, 3U, 6U, 8U, 9U}) {
        s.dispi.reg.at(index) = static_cast<std::uint16_t>(random() % (index == 3 ? 33 : 1400));
      }
      s.dispi.reg.at(4) = 1;
      vga::fix_up(s.dispi, screen.video.bytes().size());
    }
    BOOST_TEST_REQUIRE(vga::validate(s));
    const Surface surface = vga::surface_of(s);
    ++seen[surface.source];
    if (surface.source == Source::drawn) {
      BOOST_TEST_REQUIRE(surface.width * surface.height <= vga::kMostPixels);
      std::vector<std::uint8_t> pixels(std::size_t{surface.width} * surface.height);
      vga::draw(s, screen.video.bytes(), surface, pixels);
    } else if (surface.source == Source::video_memory) {
      BOOST_TEST_REQUIRE(surface.width * bytes_of(surface.format) <= surface.stride);
      BOOST_TEST_REQUIRE(surface.offset + std::uint64_t{surface.height} * surface.stride <=
                         screen.video.bytes().size());
    }
  }
  BOOST_TEST(seen.size() == 3U);
}

BOOST_FIXTURE_TEST_CASE(pixels_without_room_are_left_alone, OneScreen) {
  screens().front().make(guest, driver);
  const Surface surface = vga::surface_of(state());
  std::vector<std::uint8_t> small(1000, 0xee);
  vga::draw(state(), video.bytes(), surface, small);
  BOOST_TEST(std::ranges::count(small, 0xee) == 1000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
