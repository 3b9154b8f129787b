// SPDX-License-Identifier: MIT
// The window at A0000h. A second model, written from the manual's text for one byte at a time, says
// what every write mode has to do.
#include "tests/unit/devices/vga/vga_rig.h"

#include <random>

namespace dm::test {
namespace {

using Planes = std::array<std::uint8_t, 4>;

/// 64 KiB at A0000h, planes.
struct Planar : OneScreen {
  Planar() {
    driver.sr(2, 0xf);
    driver.sr(4, 0x06);
    driver.gr(5, 0x00);
    driver.gr(6, 0x05);
    driver.gr(8, 0xff);
  }
  void put(std::size_t at, std::uint8_t value) { guest.mmio_write(kWindow + at, 1, value); }
  [[nodiscard]] std::uint8_t get(std::size_t at) {
    return static_cast<std::uint8_t>(guest.mmio_read(kWindow + at, 1));
  }
  void fill(std::size_t at, Planes value) {
    for (std::size_t i = 0; i < 4; ++i) {
      video.bytes()[at * 4 + i] = std::byte{value[i]};
    }
  }
};

struct Registers {
  std::uint8_t set_reset, enable, rotate, mask, map, mode;
};

/// One bit of one plane, as the manual's figures have it.
bool model_bit(const Registers& r, unsigned plane, unsigned bit, std::uint8_t data, bool latch) {
  const unsigned count = r.rotate & 7U;
  const bool rotated = (data >> ((bit + count) % 8) & 1) != 0;
  bool masked = (r.mask >> bit & 1) != 0;
  bool value = rotated;
  switch (r.mode) {
    case 0:
      value = (r.enable >> plane & 1) != 0 ? (r.set_reset >> plane & 1) != 0 : rotated;
      break;
    case 1:
      return latch;
    case 2:
      value = (data >> plane & 1) != 0;
      break;
    default:
      masked = masked && rotated;
      value = (r.set_reset >> plane & 1) != 0;
      break;
  }
  switch (r.rotate >> 3) {
    case 1:
      value = value && latch;
      break;
    case 2:
      value = value || latch;
      break;
    case 3:
      value = value != latch;
      break;
    default:
      break;
  }
  return masked ? value : latch;
}

Planes model(const Registers& r, std::uint8_t data, const Planes& latch, Planes there) {
  for (unsigned plane = 0; plane < 4; ++plane) {
    if ((r.map >> plane & 1) == 0) {
      continue;
    }
    there[plane] = 0;
    for (unsigned bit = 0; bit < 8; ++bit) {
      if (model_bit(r, plane, bit, data, (latch[plane] >> bit & 1) != 0)) {
        there[plane] = static_cast<std::uint8_t>(there[plane] | 1U << bit);
      }
    }
  }
  return there;
}

BOOST_AUTO_TEST_SUITE(vga_window)

BOOST_FIXTURE_TEST_CASE(every_write_mode_does_what_the_manual_says, Planar) {
  std::mt19937 random{1};
  const auto byte = [&random] { return static_cast<std::uint8_t>(random()); };
  for (unsigned i = 0; i < 4000; ++i) {
    const Registers r{.set_reset = static_cast<std::uint8_t>(byte() & 0xfU),
                      .enable = static_cast<std::uint8_t>(byte() & 0xfU),
                      .rotate = static_cast<std::uint8_t>(byte() & 0x1fU),
                      .mask = byte(),
                      .map = static_cast<std::uint8_t>(byte() & 0xfU),
                      .mode = static_cast<std::uint8_t>(i % 4)};
    driver.gr(0, r.set_reset);
    driver.gr(1, r.enable);
    driver.gr(3, r.rotate);
    driver.gr(5, r.mode);
    driver.gr(8, r.mask);
    driver.sr(2, r.map);
    const Planes latch{byte(), byte(), byte(), byte()};
    const Planes there{byte(), byte(), byte(), byte()};
    fill(100, latch);
    fill(200, there);
    (void)get(100);
    const std::uint8_t data = byte();
    put(200, data);
    BOOST_TEST_REQUIRE((planes(200) == model(r, data, latch, there)));
  }
}

BOOST_FIXTURE_TEST_CASE(read_mode_0_gives_the_selected_plane, Planar) {
  fill(7, {0x11, 0x22, 0x33, 0x44});
  for (std::uint8_t plane = 0; plane < 4; ++plane) {
    driver.gr(4, plane);
    BOOST_TEST(get(7) == 0x11 * (plane + 1));
  }
}

BOOST_FIXTURE_TEST_CASE(read_mode_1_compares_colours_where_it_cares, Planar) {
  fill(7, {0b1010'0000, 0b1100'0000, 0b1111'0000, 0b0000'0000});
  driver.gr(5, 0x08);
  driver.gr(2, 0b0101);  // planes 0 and 2
  driver.gr(7, 0b1111);
  BOOST_TEST(get(7) == 0b0010'0000);
  driver.gr(7, 0b0001);
  BOOST_TEST(get(7) == 0b1010'0000);
  driver.gr(7, 0b0000);
  BOOST_TEST(get(7) == 0xff);
}

BOOST_FIXTURE_TEST_CASE(text_goes_to_planes_by_its_address, OneScreen) {
  driver.sr(2, 0x03);
  driver.sr(4, 0x02);
  driver.gr(5, 0x10);
  driver.gr(6, 0x0e);
  guest.mmio_write(kText, 4, 0x17421741);
  BOOST_TEST((planes(0) == Planes{0x41, 0x17, 0, 0}));
  BOOST_TEST((planes(1) == Planes{0x42, 0x17, 0, 0}));
  BOOST_TEST(guest.mmio_read(kText, 4) == 0x17421741U);
  driver.sr(2, 0x01);
  guest.mmio_write(kText, 2, 0x2043);  // the attribute's plane is not selected
  BOOST_TEST(guest.mmio_read(kText, 2) == 0x1743U);
  driver.gr(4, 2);  // fonts: planes 2 and 3
  driver.sr(2, 0x0c);
  guest.mmio_write(kText + 6, 1, 0x99);
  BOOST_TEST((planes(3) == Planes{0, 0, 0x99, 0}));
}

BOOST_FIXTURE_TEST_CASE(chain_4_is_a_row_of_bytes, OneScreen) {
  driver.sr(2, 0x0b);
  driver.sr(4, 0x0e);
  driver.gr(6, 0x05);
  guest.mmio_write(kWindow + 8, 8, 0x8877665544332211);
  BOOST_TEST(guest.mmio_read(kWindow + 8, 8) == 0x8800665544002211U);
  BOOST_TEST((planes(2) == Planes{0x11, 0x22, 0, 0x44}));
}

BOOST_FIXTURE_TEST_CASE(the_memory_map_selects_a_part_of_the_window, OneScreen) {
  driver.sr(2, 0x0f);
  driver.sr(4, 0x0e);
  struct Part {
    std::uint8_t gr6;
    std::uint64_t first;
    std::uint64_t last;
  };
  for (const Part part : {Part{0x01, 0xa0000, 0xbffff}, Part{0x05, 0xa0000, 0xaffff},
                          Part{0x09, 0xb0000, 0xb7fff}, Part{0x0d, 0xb8000, 0xbffff}}) {
    driver.gr(6, part.gr6);
    for (std::uint64_t at = 0xa0000; at < 0xc0000; at += 0x7fff) {
      const bool inside = at >= part.first && at <= part.last;
      const std::size_t offset = inside ? at - part.first : 0;
      video.bytes()[offset] = std::byte{0x3c};
      BOOST_TEST(guest.mmio_read(at, 1) == (inside ? 0x3cU : 0xffU));
      guest.mmio_write(at, 1, 0x55);
      BOOST_TEST(video_byte(offset) == (inside ? 0x55 : 0x3c));
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_string_operation_copies_through_the_latches, Planar) {
  for (std::size_t i = 0; i < 64; ++i) {
    fill(i, {static_cast<std::uint8_t>(i), 0x55, 0xaa, static_cast<std::uint8_t>(~i)});
  }
  driver.gr(5, 1);
  for (std::size_t i = 0; i < 64; ++i) {  // as Xen sends rep movs
    put(1000 + i, get(i));
  }
  for (std::size_t i = 0; i < 64; ++i) {
    BOOST_TEST((planes(1000 + i) == planes(i)));
  }
}

BOOST_FIXTURE_TEST_CASE(a_screen_is_cleared_by_one_request, Planar) {
  std::ranges::fill(video.bytes().first(4 * 4096 + 4), std::byte{0xff});
  guest.send({.addr = kWindow, .data = 0, .count = 2048, .size = 2, .type = 1});
  BOOST_TEST(std::ranges::count(video.bytes().first(4 * 4096), std::byte{0}) == 4 * 4096);
  BOOST_TEST(video_byte(4 * 4096) == 0xff);
}

BOOST_FIXTURE_TEST_CASE(banks_reach_all_of_video_memory_and_nothing_behind_it, OneScreen) {
  driver.vbe(1024, 768, 8);
  driver.dispi(5, 0xffff);
  BOOST_TEST(driver.dispi(5) == kMemory / 0x10000 - 1);
  guest.mmio_write(kWindow + 0xffff, 1, 0x77);
  BOOST_TEST(video_byte(kMemory - 1) == 0x77);
  guest.mmio_write(kWindow + 0xfffc, 8, 0x1111111122222222);  // half of it is behind the bank
  BOOST_TEST(guest.mmio_read(kWindow + 0xfffc, 4) == 0x22222222U);
  // By planes each bank has four times as many bytes.
  driver.vbe(800, 600, 4);
  driver.gr(5, 0);
  driver.sr(2, 0xf);
  driver.sr(4, 0x06);
  driver.gr(8, 0xff);
  driver.dispi(5, 0xffff);
  BOOST_TEST(driver.dispi(5) == kMemory / 0x40000 - 1);
  guest.mmio_write(kWindow + 0xffff, 1, 0x88);
  BOOST_TEST((planes(kMemory / 4 - 1) == Planes{0x88, 0x88, 0x88, 0x88}));
}

BOOST_FIXTURE_TEST_CASE(the_sequencer_does_not_disturb_a_vbe_mode, OneScreen) {
  driver.sr(2, 0);
  driver.sr(4, 0);
  driver.vbe(640, 480, 32);
  guest.mmio_write(kWindow + 4, 4, 0x00123456);
  BOOST_TEST(guest.mmio_read(VgaDriver::kBar0 + 4, 4) == 0x00123456U);
  driver.gr(6, 0x00);  // back comes what the mode needs
  BOOST_TEST(driver.gr(6) == 0x05);
  BOOST_TEST(driver.sr(2) == 0);
}

/// A migration hears of each page that the chip writes.
struct Heard final : DirtySink {
  void written(std::uint64_t first_gfn, std::uint64_t pages) noexcept override {
    first = std::min(first, first_gfn);
    end = std::max(end, first_gfn + pages);
  }
  std::uint64_t first = ~std::uint64_t{0};
  std::uint64_t end = 0;
};

BOOST_FIXTURE_TEST_CASE(a_migration_hears_of_what_is_written, Planar) {
  Heard heard;
  guest.memory().track_dirty(&heard);
  put(0x1234, 1);  // byte 48D0h
  BOOST_TEST(heard.first == (VgaDriver::kBar0 >> 12U) + 4);
  BOOST_TEST(heard.end == heard.first + 1);
  driver.vbe(1024, 768, 32);
  BOOST_TEST(heard.first == VgaDriver::kBar0 >> 12U);
  BOOST_TEST(heard.end == heard.first + 768);
  guest.memory().track_dirty(nullptr);
}

BOOST_FIXTURE_TEST_CASE(who_looks_at_the_screen_hears_that_the_card_has_written, OneScreen) {
  Screen& screen = *card;
  static_cast<void>(screen.take_written());
  BOOST_TEST(!screen.take_written());
  driver.sr(2, 0x03);
  driver.sr(4, 0x02);
  driver.gr(5, 0x10);
  driver.gr(6, 0x0e);
  BOOST_TEST(!screen.take_written());
  guest.mmio_write(kText, 1, 'A');
  BOOST_TEST(screen.take_written());
  BOOST_TEST(!screen.take_written());
  struct : DirtySink {
    void written(std::uint64_t /*first_gfn*/, std::uint64_t /*pages*/) noexcept override {}
  } migration;
  guest.memory().track_dirty(&migration);  // it hears of the guest's writes before us
  BOOST_TEST(screen.take_written());
  guest.memory().track_dirty(nullptr);
  BOOST_TEST(!screen.take_written());
  const Surface surface = screen.surface();
  BOOST_TEST((surface == vga::surface_of(card->state())));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
