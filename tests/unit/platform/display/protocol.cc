// SPDX-License-Identifier: MIT
// The messages of a screen: each comes back as it went, and nothing else is one.
#include "platform/display/protocol.h"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace dm::display::test {
namespace {

const std::vector<Message> kAll = {
    {.kind = Kind::hello},
    {.kind = Kind::want},
    {.kind = Kind::key, .x = 0xff, .flag = 1},
    {.kind = Kind::pointer, .x = 32767, .y = 0, .buttons = 0x1f},
    {.kind = Kind::pointer_by, .x = 0xffff, .y = 3, .buttons = 1},
    {.kind = Kind::release},
    {.kind = Kind::gone},
    {.kind = Kind::here},
    {.kind = Kind::picture},
    {.kind = Kind::state, .buttons = 7, .flag = 1},
};

BOOST_AUTO_TEST_SUITE(display_protocol)

BOOST_AUTO_TEST_CASE(every_message_comes_back_as_it_went) {
  for (const Message& message : kAll) {
    BOOST_TEST((parse(encode(message)) == message));
  }
}

BOOST_AUTO_TEST_CASE(another_length_is_no_message) {
  for (const Message& message : kAll) {
    const MessageBytes bytes = encode(message);
    std::vector<std::byte> longer{bytes.begin(), bytes.end()};
    longer.emplace_back();
    BOOST_TEST(!parse(longer));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      BOOST_TEST(!parse(std::span{bytes}.first(size)));
    }
  }
}

BOOST_AUTO_TEST_CASE(of_all_bytes_in_each_place_those_that_mean_nothing_are_refused) {
  for (const Message& message : kAll) {
    for (std::size_t place = 0; place < kMessageBytes; ++place) {
      for (unsigned value = 0; value < 256; ++value) {
        MessageBytes bytes = encode(message);
        bytes.at(place) = std::byte{static_cast<std::uint8_t>(value)};
        const auto read = parse(bytes);
        BOOST_TEST((!read || encode(*read) == bytes));
      }
    }
  }
  BOOST_TEST(!parse(encode({.kind = static_cast<Kind>(0)})));
  BOOST_TEST(!parse(encode({.kind = static_cast<Kind>(11)})));
  BOOST_TEST(!parse(encode({.kind = Kind::key, .x = 0x100})));
  BOOST_TEST(!parse(encode({.kind = Kind::pointer, .x = 0x8000})));
  BOOST_TEST(!parse(encode({.kind = Kind::hello, .x = 1})));
  BOOST_TEST(!parse(encode({.kind = Kind::state, .flag = 2})));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::display::test
