// SPDX-License-Identifier: MIT
// A picture of a guest's screen, from what a device model says that may have been taken over, to a
// PNG file.
#include "platform/toolstack/qmp/screen_client.h"

#include <boost/crc.hpp>
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace dm::toolstack::test {
namespace {

namespace json = boost::json;

[[nodiscard]] json::object lines(int width, int height, int first, int count, std::string rgb) {
  return {{"width", width}, {"height", height}, {"first", first}, {"lines", count}, {"rgb", rgb}};
}

BOOST_AUTO_TEST_SUITE(screen_client)

BOOST_AUTO_TEST_CASE(a_picture_comes_in_pieces) {
  RgbPicture picture;
  BOOST_TEST(add_lines(picture, lines(2, 2, 0, 1, "000001ff00ff")));
  BOOST_TEST(!is_whole(picture));
  BOOST_TEST(add_lines(picture, lines(2, 2, 1, 1, "0a0b0c102030")));
  BOOST_TEST(is_whole(picture));
  const std::vector<std::uint8_t> wanted{0, 0, 1, 255, 0, 255, 10, 11, 12, 16, 32, 48};
  BOOST_TEST(picture.pixels == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(another_mode_begins_another_picture) {
  RgbPicture picture;
  BOOST_TEST(add_lines(picture, lines(2, 2, 0, 1, "000001ff00ff")));
  BOOST_TEST(!add_lines(picture, lines(1, 2, 1, 1, "000000")));  // its first line is missing
  picture = {};
  BOOST_TEST(add_lines(picture, lines(1, 1, 0, 1, "000000")));
  BOOST_TEST(is_whole(picture));
}

BOOST_AUTO_TEST_CASE(what_is_no_answer_is_refused) {
  for (const json::object& bad :
       {json::object{}, lines(2, 2, 0, 1, "000001ff00f"), lines(2, 2, 0, 1, "000001ff00fg"),
        lines(2, 2, 0, 2, "000001ff00ff"), lines(2, 2, 1, 1, "000001ff00ff"),
        lines(2, 2, 3, 1, "000001ff00ff"), lines(2, 2, 0, 0, ""), lines(16001, 1, 0, 1, ""),
        lines(16000, 16000, 0, 1, ""), lines(-1, 2, 0, 1, ""),
        json::object{{"width", "2"}, {"height", 1}, {"first", 0}, {"lines", 1}, {"rgb", ""}},
        json::object{{"width", 1}, {"height", 1}, {"first", 0}, {"lines", 1}, {"rgb", 5}}}) {
    RgbPicture picture;
    BOOST_TEST(!add_lines(picture, bad));
  }
}

[[nodiscard]] std::uint32_t big(std::span<const std::uint8_t> at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
         at[3];
}

// ISO/IEC 15948, 5: signature, then chunks of length, type, data and CRC; RFC 1951, 3.2.4.
BOOST_AUTO_TEST_CASE(the_file_is_a_png) {
  const std::string file =
      std::filesystem::temp_directory_path() / ("stubdm-png-" + std::to_string(::getpid()));
  RgbPicture picture{.width = 300, .height = 100, .pixels = {}};
  for (std::size_t i = 0; i < 90000; ++i) {
    picture.pixels.push_back(static_cast<std::uint8_t>(i * 7));
  }
  BOOST_TEST_REQUIRE(write_png(picture, file).has_value());
  std::ifstream in{file, std::ios::binary};
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>{in}, {}};
  std::filesystem::remove(file);
  const std::span all{bytes};
  const std::string_view text{static_cast<const char*>(static_cast<const void*>(bytes.data())),
                              bytes.size()};
  BOOST_TEST(text.starts_with("\x89PNG\r\n\x1a\n"));
  std::size_t at = 8;
  std::vector<std::uint8_t> data;
  for (const std::string_view type : {"IHDR", "IDAT", "IEND"}) {
    const std::uint32_t size = big(all.subspan(at));
    BOOST_TEST(text.substr(at + 4, 4) == type);
    boost::crc_32_type crc;
    crc.process_bytes(bytes.data() + at + 4, size + 4);
    BOOST_TEST(big(all.subspan(at + 8 + size)) == crc.checksum());
    if (type == "IHDR") {
      BOOST_TEST(big(all.subspan(at + 8)) == 300U);
      BOOST_TEST(big(all.subspan(at + 12)) == 100U);
    } else if (type == "IDAT") {
      data.assign(bytes.begin() + static_cast<std::ptrdiff_t>(at + 8),
                  bytes.begin() + static_cast<std::ptrdiff_t>(at + 8 + size));
    }
    at += 12 + size;
  }
  BOOST_TEST(at == bytes.size());
  std::vector<std::uint8_t> raw;
  std::size_t block = 2;
  for (bool last = false; !last;) {
    last = data.at(block) == 1;
    const std::size_t size = data.at(block + 1) | std::size_t{data.at(block + 2)} << 8;
    BOOST_TEST((data.at(block + 3) | std::size_t{data.at(block + 4)} << 8) == (size ^ 0xffffU));
    const auto from = data.begin() + static_cast<std::ptrdiff_t>(block + 5);
    raw.insert(raw.end(), from, from + static_cast<std::ptrdiff_t>(size));
    block += 5 + size;
  }
  BOOST_TEST(block + 4 == data.size());
  BOOST_TEST(raw.size() == std::size_t{901} * 100);
  BOOST_TEST(raw.at(901) == 0);
  BOOST_TEST(raw.at(902) == picture.pixels.at(900));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_named) {
  const auto none = write_png({.width = 1, .height = 1, .pixels = {1, 2, 3}}, "/nowhere/at/all");
  BOOST_TEST_REQUIRE(none.has_error());
  BOOST_TEST(none.error().message.find("/nowhere/at/all") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::toolstack::test
