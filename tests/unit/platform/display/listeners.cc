// SPDX-License-Identifier: MIT
#include "platform/display/listeners.h"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

namespace dm::display::test {
namespace {

[[nodiscard]] VncConfig at(const char* host, unsigned display, std::optional<unsigned> last = {}) {
  return {.host = host, .path = {}, .display = display, .last = last, .websocket = {}};
}

BOOST_AUTO_TEST_SUITE(display_listeners)

BOOST_AUTO_TEST_CASE(a_display_that_is_taken_is_followed_by_the_next) {
  const auto first = listen_for_viewers(at("127.0.0.1", 51, 90));
  BOOST_TEST_REQUIRE(first.has_value());
  const auto second = listen_for_viewers(at("127.0.0.1", 51, 90));
  BOOST_TEST_REQUIRE(second.has_value());
  BOOST_TEST(first->host == "127.0.0.1");
  BOOST_TEST(std::stoi(second->service) > std::stoi(first->service));
  const auto none =
      listen_for_viewers(at("127.0.0.1", static_cast<unsigned>(std::stoi(first->service)) - 5900));
  BOOST_TEST_REQUIRE(none.has_error());
  BOOST_TEST(none.error().message.find("vncdisplay") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(addresses_are_numbers_of_either_kind) {
  const auto six = listen_for_viewers(at("::1", 60, 99));
  if (six.has_value()) {  // a machine may be without
    BOOST_TEST(six->host == "::1");
  }
  const auto name = listen_for_viewers(at("guests.example", 60, 99));
  BOOST_TEST_REQUIRE(name.has_error());
  BOOST_TEST(name.error().message.find("in numbers") != std::string::npos);
  const auto elsewhere = listen_for_viewers(at("192.0.2.77", 60, 99));
  BOOST_TEST_REQUIRE(elsewhere.has_error());
  BOOST_TEST(elsewhere.error().message.find("192.0.2.77") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_unix_socket_is_its_owner_s_and_is_left_for_the_supervisor) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("stubdm-listen-" + std::to_string(::getpid()));
  {
    VncConfig vnc;
    vnc.path = path;
    const auto listens = listen_for_viewers(vnc);
    BOOST_TEST_REQUIRE(listens.has_value());
    BOOST_TEST(listens->host.empty());
    BOOST_TEST(listens->service == path);
    BOOST_TEST((std::filesystem::status(path).permissions() ==
                (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)));
  }
  BOOST_TEST(std::filesystem::exists(path));
  std::filesystem::remove(path);
}

BOOST_AUTO_TEST_CASE(browsers_have_a_socket_of_their_own) {
  VncConfig vnc = at("127.0.0.1", 70, 99);
  vnc.websocket = std::uint16_t{0};
  const auto listens = listen_for_viewers(vnc);
  BOOST_TEST_REQUIRE(listens.has_value());
  BOOST_TEST(listens->browsers.get() >= 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::display::test
