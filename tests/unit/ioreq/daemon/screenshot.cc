// SPDX-License-Identifier: MIT
#include "ioreq/machine/screenshot.h"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <vector>

namespace dm::test {
namespace {

class Shown final : public Screen {
 public:
  [[nodiscard]] Surface surface() const noexcept override { return now; }
  void draw(const Surface& surface, std::span<std::uint8_t> pixels) noexcept override {
    std::fill_n(pixels.begin(), std::size_t{surface.width} * surface.height, std::uint8_t{5});
  }
  [[nodiscard]] bool take_written() noexcept override { return false; }
  Surface now;
};

BOOST_AUTO_TEST_SUITE(machine_screenshot)

BOOST_AUTO_TEST_CASE(pixels_of_video_memory_are_told_line_by_line) {
  Shown screen;
  std::vector<std::byte> video(4096);
  video[16] = std::byte{0x33};
  video[17] = std::byte{0x22};
  video[18] = std::byte{0x11};
  screen.now.source = Surface::Source::video_memory;
  screen.now.format = PixelFormat::xrgb8888;
  screen.now.width = 2;
  screen.now.height = 2;
  screen.now.stride = 8;
  screen.now.offset = 8;
  BOOST_TEST(boost::json::serialize(screenshot(screen, video, 1)) ==
             R"({"width":2,"height":2,"first":1,"lines":1,"rgb":"112233000000"})");
  BOOST_TEST(screenshot(screen, video, 0).at("lines").to_number<int>() == 2);
  BOOST_TEST(screenshot(screen, video, 99).at("lines").to_number<int>() == 0);
}

BOOST_AUTO_TEST_CASE(what_the_card_draws_is_drawn) {
  Shown screen;
  screen.now.source = Surface::Source::drawn;
  screen.now.width = 1;
  screen.now.height = 3;
  screen.now.palette[5] = 0xabcdef;
  BOOST_TEST(screenshot(screen, {}, 2).at("rgb").as_string() == "abcdef");
}

BOOST_AUTO_TEST_CASE(an_answer_is_bounded_and_a_screen_that_is_off_has_no_size) {
  Shown screen;
  BOOST_TEST(screenshot(screen, {}, 0).at("width").to_number<int>() == 0);
  std::vector<std::byte> video(std::size_t{16} << 20);
  screen.now.source = Surface::Source::video_memory;
  screen.now.format = PixelFormat::indexed8;
  screen.now.width = 1024;
  screen.now.height = 16000;
  screen.now.stride = 1024;
  const auto answer = screenshot(screen, video, 0);
  BOOST_TEST(answer.at("rgb").as_string().size() <= 2 * kMostScreenshotBytes);
  BOOST_TEST(answer.at("lines").to_number<int>() == 32);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
