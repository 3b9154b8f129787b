// SPDX-License-Identifier: MIT
// What viewers see of what the worker says: every format, what has changed, and a worker that has
// been taken over. SECURITY.md, part G: P2.
#include "platform/display/server/canvas.h"

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <vector>

namespace dm::display::test {
namespace {

struct Rig {
  Rig() : video(std::size_t{1} << 20), canvas{*area, video} {}

  void put(std::size_t at, std::initializer_list<int> bytes) {
    for (const int byte : bytes) {
      video.at(at++) = std::byte{static_cast<std::uint8_t>(byte)};
    }
  }
  void shows(PixelFormat format, std::uint32_t width, std::uint32_t height, std::uint32_t stride) {
    area->picture = {};
    area->picture.source = static_cast<std::uint8_t>(Surface::Source::video_memory);
    area->picture.format = static_cast<std::uint8_t>(format);
    area->picture.all = 1;
    area->picture.width = width;
    area->picture.height = height;
    area->picture.stride = stride;
  }
  [[nodiscard]] std::uint32_t pixel(std::size_t at) { return canvas.pixels()[at]; }

  std::unique_ptr<Area> area = std::make_unique<Area>();
  std::vector<std::byte> video;
  Canvas canvas;
};

BOOST_FIXTURE_TEST_SUITE(display_canvas, Rig)

BOOST_AUTO_TEST_CASE(every_format_becomes_eight_bits_of_each_colour) {
  put(0, {0x1f, 0x00, 0xe0, 0x03, 0x00, 0x7c, 0xff, 0x7f});
  shows(PixelFormat::rgb555, 4, 1, 8);
  BOOST_TEST(canvas.update());
  BOOST_TEST(pixel(0) == 0x0000ffU);
  BOOST_TEST(pixel(1) == 0x00ff00U);
  BOOST_TEST(pixel(2) == 0xff0000U);
  BOOST_TEST(pixel(3) == 0xffffffU);
  put(0, {0x1f, 0x00, 0xe0, 0x07, 0x00, 0xf8, 0x10, 0x84});
  shows(PixelFormat::rgb565, 4, 1, 8);
  BOOST_TEST(!canvas.update());
  BOOST_TEST(pixel(1) == 0x00ff00U);
  BOOST_TEST(pixel(2) == 0xff0000U);
  BOOST_TEST(pixel(3) == 0x848284U);
  put(0, {1, 2, 3, 4, 5, 6});
  shows(PixelFormat::rgb888, 2, 1, 6);
  BOOST_TEST(canvas.update());
  BOOST_TEST(pixel(0) == 0x030201U);
  BOOST_TEST(pixel(1) == 0x060504U);
  put(0, {1, 2, 3, 0xee, 4, 5, 6, 0xee});
  shows(PixelFormat::xrgb8888, 2, 1, 8);
  BOOST_TEST(!canvas.update());
  BOOST_TEST(pixel(0) == 0x030201U);
  area->picture.high_byte_first = 1;
  BOOST_TEST(!canvas.update());
  BOOST_TEST(pixel(0) == 0x0203eeU);
  put(0, {7, 255});
  shows(PixelFormat::indexed8, 2, 1, 2);
  area->picture.palette[7] = 0xaa112233;
  area->picture.palette[255] = 0x445566;
  BOOST_TEST(!canvas.update());
  BOOST_TEST(pixel(0) == 0x112233U);
  BOOST_TEST(pixel(1) == 0x445566U);
}

BOOST_AUTO_TEST_CASE(only_what_has_changed_is_told) {
  shows(PixelFormat::xrgb8888, 200, 50, 4096);
  BOOST_TEST(canvas.update());
  BOOST_TEST(canvas.changed().empty());  // black before and now
  put(std::size_t{20} * 4096 + 70 * 4, {1});
  put(std::size_t{20} * 4096 + 130 * 4, {1});
  put(std::size_t{49} * 4096, {1});
  area->picture.all = 0;
  BOOST_TEST(!canvas.update());
  BOOST_TEST(canvas.changed().empty());  // no page of it is said to be written
  area->dirty[0] = std::uint64_t{1} << 20 | std::uint64_t{1} << 49;
  BOOST_TEST(!canvas.update());
  const std::vector<Rectangle> wanted{{64, 16, 192, 32}, {0, 48, 64, 50}};
  BOOST_TEST((std::vector<Rectangle>{canvas.changed().begin(), canvas.changed().end()} == wanted));
  BOOST_TEST(!canvas.update());
  BOOST_TEST(canvas.changed().empty());
}

BOOST_AUTO_TEST_CASE(a_line_that_spans_pages_is_looked_at_in_each) {
  shows(PixelFormat::xrgb8888, 2048, 4, 8192);
  BOOST_TEST(canvas.update());
  put(8192 + 4096 + 8, {9});
  area->picture.all = 0;
  area->dirty[0] = 1U << 3;
  BOOST_TEST(!canvas.update());
  BOOST_TEST_REQUIRE(canvas.changed().size() == 1U);
  BOOST_TEST(canvas.changed()[0].left == 1024U);
}

BOOST_AUTO_TEST_CASE(a_screen_that_is_off_is_black_and_keeps_its_size) {
  put(0, {1, 2, 3, 0});
  shows(PixelFormat::xrgb8888, 320, 200, 1280);
  BOOST_TEST(canvas.update());
  area->picture.source = static_cast<std::uint8_t>(Surface::Source::nothing);
  BOOST_TEST(!canvas.update());
  BOOST_TEST(canvas.width() == 320U);
  BOOST_TEST(pixel(0) == 0U);
  BOOST_TEST(canvas.changed().size() == 1U);
}

BOOST_AUTO_TEST_CASE(pictures_that_leave_video_memory_are_black) {
  const std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  const auto is_black = [&] {
    static_cast<void>(canvas.update());
    return canvas.width() == 640 && canvas.height() == 480;
  };
  shows(PixelFormat::xrgb8888, 1024, 256, 4096);  // exactly all of it
  area->picture.offset = 1;
  BOOST_TEST(is_black());
  area->picture.offset = std::numeric_limits<std::uint64_t>::max();
  BOOST_TEST(is_black());
  area->picture.offset = (std::uint64_t{1} << 20) - 4;
  BOOST_TEST(is_black());
  for (const std::uint32_t width : {0U, 16001U, most}) {
    shows(PixelFormat::xrgb8888, width, 1, 4096);
    BOOST_TEST(is_black());
    shows(PixelFormat::xrgb8888, 1, width, 4096);
    BOOST_TEST(is_black());
  }
  shows(PixelFormat::xrgb8888, 1025, 1, 4096);  // lines that are shorter than their pixels
  BOOST_TEST(is_black());
  shows(PixelFormat::xrgb8888, 2, 2, most);
  BOOST_TEST(is_black());
  shows(static_cast<PixelFormat>(5), 2, 2, 8);
  BOOST_TEST(is_black());
  shows(PixelFormat::indexed8, 16000, 16000, 0);
  BOOST_TEST(is_black());
  shows(PixelFormat::indexed8, 4, 4, 4);
  area->picture.source = 3;
  BOOST_TEST(is_black());
}

BOOST_AUTO_TEST_CASE(drawn_pictures_stay_within_their_half) {
  shows(PixelFormat::indexed8, 1024, 1024, 0);
  area->picture.source = static_cast<std::uint8_t>(Surface::Source::drawn);
  area->picture.half = 1;
  area->picture.palette[3] = 0x998877;
  area->drawn[1].fill(3);
  BOOST_TEST(canvas.update());
  BOOST_TEST(pixel(1024 * 1024 - 1) == 0x998877U);
  area->picture.half = 2;
  static_cast<void>(canvas.update());
  BOOST_TEST(pixel(0) == 0U);
  area->picture.half = 0;
  area->picture.width = 1025;
  static_cast<void>(canvas.update());
  BOOST_TEST(canvas.width() == 1024U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::display::test
