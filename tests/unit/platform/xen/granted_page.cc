// SPDX-License-Identifier: MIT
#include "platform/xen/granted_page.h"

#include "tests/unit/platform/xen/fake_xen.h"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace dm::test {
namespace {

struct Rig : FreshFake {
  Rig() {
    BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM, 0, channel) == 0);
    fake().evtchn_fd = channel[0];
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  ~Rig() {
    ::close(channel[0]);
    ::close(channel[1]);
  }
  int channel[2] = {-1, -1};
};

BOOST_FIXTURE_TEST_SUITE(granted_page, Rig)

BOOST_AUTO_TEST_CASE(the_channel_is_offered_at_once_and_the_page_when_it_is_asked_for) {
  auto page = xen::GrantedPage::open(0);
  BOOST_TEST_REQUIRE(page.has_value());
  BOOST_TEST(fake().called("bind_unbound_port(0)"));
  BOOST_TEST((*page)->port() == 55U);
  BOOST_TEST(fake().count("share_page_notify") == 0U);
  const auto bytes = (*page)->replace(21);
  BOOST_TEST_REQUIRE(bytes.has_value());
  // peer, writable, the byte to be cleared at our end, the port to be rung then
  BOOST_TEST(fake().called("share_page_notify(0 1 21 55)"));
  BOOST_TEST((*page)->reference() == 1000U);
  BOOST_TEST(bytes->size() == 4096U);
  (*bytes)[4095] = std::byte{1};
}

BOOST_AUTO_TEST_CASE(a_new_page_takes_the_old_ones_place_and_the_channel_stays) {
  {
    auto page = xen::GrantedPage::open(0);
    BOOST_TEST_REQUIRE(page.has_value());
    BOOST_TEST((*page)->replace(21).has_value());
    BOOST_TEST((*page)->replace(21).has_value());
    BOOST_TEST(fake().count("unshare") == 1U);
    BOOST_TEST((*page)->reference() == 1001U);
    BOOST_TEST(fake().count("bind_unbound_port") == 1U);
    (*page)->notify();
    BOOST_TEST(fake().called("evtchn_notify(55)"));
  }
  BOOST_TEST(fake().count("unshare") == 2U);
  BOOST_TEST(fake().count("gntshr_close") == 1U);
  BOOST_TEST(fake().count("evtchn_close") == 1U);
}

BOOST_AUTO_TEST_CASE(an_event_is_read_and_the_port_unmasked) {
  auto page = xen::GrantedPage::open(0);
  BOOST_TEST_REQUIRE(page.has_value());
  const std::uint32_t port = 55;
  BOOST_TEST_REQUIRE(::send(channel[1], &port, sizeof port, 0) == sizeof port);
  BOOST_TEST((*page)->acknowledge());
  std::uint32_t unmasked = 0;
  BOOST_TEST_REQUIRE(::recv(channel[1], &unmasked, sizeof unmasked, MSG_DONTWAIT) ==
                     sizeof unmasked);
  BOOST_TEST(unmasked == port);
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_named) {
  fake().errors["gntshr_open"] = ENOENT;
  const auto page = xen::GrantedPage::open(0);
  BOOST_TEST_REQUIRE(!page.has_value());
  BOOST_TEST(page.error().message.find("CONFIG_XEN_GRANT_DEV_ALLOC") != std::string::npos);
  fake().errors.clear();
  fake().errors["bind_unbound_port"] = ENOSPC;
  BOOST_TEST(!xen::GrantedPage::open(0).has_value());
  fake().errors.clear();
  auto third = xen::GrantedPage::open(0);
  BOOST_TEST_REQUIRE(third.has_value());
  fake().errors["share_page_notify"] = ENOSPC;
  BOOST_TEST(!(*third)->replace(21).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
