// SPDX-License-Identifier: MIT
#include "platform/xen/xen_frontend.h"

#include "tests/unit/platform/xen/fake_xen.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

using namespace dm;
using namespace dm::xen;
using dm::test::fake;

namespace {

struct Client final : EventClient {
  void on_event() noexcept override {
    ++events;
    if (frontend != nullptr) {
      frontend->unbind(other);
    }
  }
  int events = 0;
  XenFrontend* frontend = nullptr;  ///< unbinds `other` on an event
  std::uint32_t other = 0;
};

struct Rig : dm::test::FreshFake {
  Rig() {
    BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) == 0);
    fake().evtchn_fd = ends[0];
    auto opened = XenFrontend::open(7);
    BOOST_TEST_REQUIRE(opened.has_value());
    frontend = std::move(*opened);
  }
  ~Rig() {
    frontend.reset();
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  /// As the kernel gives them out.
  void pend(const std::vector<std::uint32_t>& ports) {
    BOOST_TEST_REQUIRE(::send(ends[1], ports.data(), ports.size() * 4, 0) > 0);
  }
  std::vector<std::uint32_t> unmasked() {
    std::array<std::uint32_t, 256> ports{};
    const ssize_t got = ::recv(ends[1], ports.data(), sizeof ports, 0);
    return {ports.begin(), ports.begin() + (got < 0 ? 0 : got / 4)};
  }

  int ends[2] = {-1, -1};
  std::unique_ptr<XenFrontend> frontend;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(xen_frontend, Rig)

BOOST_AUTO_TEST_CASE(grants_are_mapped_together_with_the_rights_that_are_needed) {
  const std::array<std::uint32_t, 3> grants{11, 12, 99};
  std::byte* const read_only = frontend->map_grants(grants, false);
  BOOST_TEST_REQUIRE(read_only != nullptr);
  BOOST_TEST(fake().called("map_grants(3 7 11 99 1)"));
  frontend->unmap_grants(read_only, 3);
  BOOST_TEST(fake().called("unmap_grants(3)"));
  std::byte* const writable = frontend->map_grants(grants, true);
  BOOST_TEST(fake().called("map_grants(3 7 11 99 3)"));
  frontend->unmap_grants(writable, 3);
  BOOST_TEST(fake().mapped.empty());
}

BOOST_AUTO_TEST_CASE(neither_no_grants_nor_too_many_reach_the_library) {
  const std::vector<std::uint32_t> many(257, 1);
  BOOST_TEST(frontend->map_grants(many, true) == nullptr);
  BOOST_TEST(frontend->map_grants({}, true) == nullptr);
  BOOST_TEST(fake().count("map_grants") == 0U);
  fake().errors["map_grants"] = EINVAL;
  BOOST_TEST(frontend->map_grants(std::span{many}.first(256), true) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_frame_that_is_not_there_is_given_back_at_once) {
  std::byte* const page = frontend->map_frame(0x1234);
  BOOST_TEST_REQUIRE(page != nullptr);
  BOOST_TEST(fake().called("foreignmemory_map(7 3 1 4660 4660)"));
  frontend->unmap_frame(page);
  fake().absent[0x99] = -EINVAL;
  BOOST_TEST(frontend->map_frame(0x99) == nullptr);
  BOOST_TEST(fake().mapped.empty());
}

BOOST_AUTO_TEST_CASE(events_are_unmasked_and_told_to_whom_they_concern) {
  Client a;
  Client b;
  const auto port_a = frontend->bind(100, a);
  const auto port_b = frontend->bind(101, b);
  BOOST_TEST_REQUIRE((port_a && port_b));
  BOOST_TEST(fake().called("bind_interdomain(7 100)"));
  pend({*port_b, 5000});
  BOOST_TEST(frontend->dispatch());
  BOOST_TEST(a.events == 0);
  BOOST_TEST(b.events == 1);
  BOOST_TEST((unmasked() == std::vector<std::uint32_t>{*port_b, 5000}));
  BOOST_TEST(frontend->dispatch());  // nothing is pending
  BOOST_TEST(b.events == 1);
  frontend->notify(*port_a);
  BOOST_TEST(fake().called("evtchn_notify(" + std::to_string(*port_a) + ")"));
}

BOOST_AUTO_TEST_CASE(who_was_unbound_by_an_earlier_event_hears_nothing) {
  Client a;
  Client b;
  const auto port_a = frontend->bind(100, a);
  const auto port_b = frontend->bind(101, b);
  a.frontend = frontend.get();
  a.other = *port_b;
  pend({*port_a, *port_b});
  BOOST_TEST(frontend->dispatch());
  BOOST_TEST(a.events == 1);
  BOOST_TEST(b.events == 0);
  BOOST_TEST(fake().called("evtchn_unbind(" + std::to_string(*port_b) + ")"));
}

BOOST_AUTO_TEST_CASE(a_channel_that_is_not_offered_is_not_bound) {
  Client client;
  fake().errors["bind_interdomain"] = EINVAL;
  BOOST_TEST(!frontend->bind(4, client).has_value());
  fake().errors.clear();
  for (std::uint32_t i = 0; i < XenFrontend::kMostChannels; ++i) {
    BOOST_TEST(frontend->bind(100 + i, client).has_value());
  }
  BOOST_TEST(!frontend->bind(1, client).has_value());
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_fails_is_told) {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  BOOST_TEST_REQUIRE(::dup2(nothing, ends[0]) == ends[0]);
  ::close(nothing);
  BOOST_TEST(!frontend->dispatch());
}

BOOST_AUTO_TEST_CASE(a_missing_device_file_is_named) {
  fake().errors["gnttab_open"] = ENOENT;
  const auto opened = XenFrontend::open(7);
  BOOST_TEST_REQUIRE(opened.has_error());
  BOOST_TEST(opened.error().message.find("/dev/xen/gntdev") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
