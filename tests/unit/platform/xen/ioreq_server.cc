// SPDX-License-Identifier: MIT
#include "platform/xen/ioreq_server.h"

#include "platform/xen/dm_ops_library.h"
#include "platform/xen/xen_irq_sink.h"
#include "tests/unit/platform/xen/fake_xen.h"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

using namespace dm;
using namespace dm::xen;
using dm::test::fake;

namespace {

/// The event descriptor is one end of a socket pair; the test is the kernel at the other end.
struct Rig : dm::test::FreshFake {
  Rig() {
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    fake().evtchn_fd = ends[0];
  }
  ~Rig() {
    server.reset();
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  std::unique_ptr<IoreqServer> make(unsigned vcpus = 2) {
    auto made = IoreqServer::create(ops, *memory, 7, vcpus);
    BOOST_REQUIRE(made.has_value());
    return std::move(*made);
  }
  template <std::size_t N>
  void raise(const std::array<std::uint32_t, N>& ports) {
    BOOST_REQUIRE(::write(ends[1], ports.data(), sizeof ports) ==
                  static_cast<ssize_t>(sizeof ports));
  }
  /// Ports that were unmasked since.
  std::vector<std::uint32_t> unmasked() {
    std::array<std::uint32_t, 512> ports{};
    const ssize_t got = ::recv(ends[1], ports.data(), sizeof ports, MSG_DONTWAIT);
    return {ports.begin(), ports.begin() + (got > 0 ? got / 4 : 0)};
  }

  std::array<int, 2> ends{-1, -1};
  LibraryDmOps ops{DeviceModelHandle{xendevicemodel_open(nullptr, 0)}, 7};
  ForeignMemoryHandle memory{xenforeignmemory_open(nullptr, 0)};
  std::unique_ptr<IoreqServer> server;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ioreq_server, Rig)

BOOST_AUTO_TEST_CASE(creation_asks_for_no_ring_and_maps_frame_1_alone) {
  server = make();
  BOOST_TEST(fake().called("create_ioreq_server(7 0)"));
  BOOST_TEST(fake().called("map_resource(7 0 3 1 1 3 0)"));
  BOOST_TEST(server->slots() == fake().slots.data());
  BOOST_TEST(server->id() == 3);
  BOOST_TEST(fake().count("set_ioreq_server_state") == 0U);
}

BOOST_AUTO_TEST_CASE(enabling_comes_before_the_ports_are_read_and_every_vcpu_is_bound) {
  server = make();
  BOOST_REQUIRE(server->enable().has_value());
  BOOST_TEST(fake().called("bind_interdomain(7 100)"));
  BOOST_TEST(fake().called("bind_interdomain(7 101)"));
  server->notify(1);
  BOOST_TEST(fake().called("evtchn_notify(11)"));  // the local port
}

BOOST_AUTO_TEST_CASE(the_end_unmaps_the_page_then_destroys_the_server_then_closes_the_channels) {
  server = make();
  fake().calls.clear();
  server.reset();
  const std::vector<std::string> expected{"unmap_resource()", "destroy_ioreq_server(7 3)",
                                          "evtchn_close()"};
  BOOST_TEST(fake().calls == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_page_that_cannot_be_mapped_leaves_no_server_behind) {
  fake().errors["map_resource"] = ENOENT;
  BOOST_TEST(!IoreqServer::create(ops, *memory, 7, 2).has_value());
  BOOST_TEST(fake().called("destroy_ioreq_server(7 3)"));
  BOOST_TEST(fake().count("unmap_resource") == 0U);
  BOOST_TEST(fake().count("evtchn_close") == 1U);
}

BOOST_AUTO_TEST_CASE(a_server_that_was_never_made_is_not_destroyed) {
  fake().errors["create_ioreq_server"] = ENOSPC;
  const auto made = IoreqServer::create(ops, *memory, 7, 2);
  BOOST_REQUIRE(!made);
  BOOST_TEST(made.error().message.find("8 ioreq servers") != std::string::npos);
  BOOST_TEST(fake().count("destroy_ioreq_server") == 0U);
}

BOOST_AUTO_TEST_CASE(a_vcpu_without_a_port_or_a_refused_binding_fails_the_start) {
  server = make(3);  // Xen knows of two
  const auto enabled = server->enable();
  BOOST_REQUIRE(!enabled);
  BOOST_TEST(enabled.error().message.find("vCPU 2") != std::string::npos);

  fake().errors["bind_interdomain"] = EINVAL;
  BOOST_TEST(!server->enable().has_value());
}

BOOST_AUTO_TEST_CASE(one_to_128_vcpus_are_served_and_no_more) {
  BOOST_TEST(!IoreqServer::create(ops, *memory, 7, 0).has_value());
  BOOST_TEST(!IoreqServer::create(ops, *memory, 7, 129).has_value());
  fake().ports_given = 128;
  server = make(128);
  BOOST_REQUIRE(server->enable().has_value());
  BOOST_TEST(fake().count("bind_interdomain") == 128U);
  BOOST_TEST(fake().called("bind_interdomain(7 227)"));
}

BOOST_AUTO_TEST_CASE(acknowledge_takes_all_ports_and_unmasks_them_in_one_write) {
  server = make();
  raise(std::array<std::uint32_t, 3>{10, 11, 10});
  BOOST_TEST(server->acknowledge());
  const std::vector<std::uint32_t> expected{10, 11, 10};
  BOOST_TEST(unmasked() == expected, boost::test_tools::per_element());
  BOOST_TEST(server->counters().events == 3U);
}

BOOST_AUTO_TEST_CASE(acknowledge_with_nothing_pending_neither_blocks_nor_writes) {
  server = make();
  BOOST_TEST(server->acknowledge());
  BOOST_TEST(unmasked().empty());
}

BOOST_AUTO_TEST_CASE(more_ports_than_one_read_holds_are_all_unmasked) {
  server = make();
  std::array<std::uint32_t, 300> many{};
  for (std::uint32_t i = 0; i < many.size(); ++i) {
    many[i] = i;
  }
  raise(many);
  BOOST_TEST(server->acknowledge());
  BOOST_TEST(unmasked().size() == 300U);
  pollfd wait{.fd = server->descriptor(), .events = POLLIN, .revents = 0};
  BOOST_TEST(::poll(&wait, 1, 0) == 0);
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_ended_or_fails_says_the_guest_is_gone) {
  server = make();
  ::shutdown(ends[1], SHUT_RDWR);
  BOOST_TEST(!server->acknowledge());
  std::uint64_t events = 0;
  BOOST_TEST(!acknowledge_events(-1, events));
}

BOOST_AUTO_TEST_CASE(refused_claims_are_false_and_counted) {
  server = make();
  BOOST_TEST(server->claim_ports(PortRange{0x3f8, 0x3ff}));
  BOOST_TEST(server->claim_mmio(MmioRange{0x1000, 0x1fff}));
  BOOST_TEST(server->claim_pci(PciBdf{3, 0}));
  for (const int error : {EEXIST, ENOMEM}) {
    fake().errors["map_io_range"] = error;
    fake().errors["map_pcidev"] = error;
    BOOST_TEST(!server->claim_ports(PortRange{0x3f8, 0x3ff}));
    BOOST_TEST(!server->claim_mmio(MmioRange{0x1000, 0x1fff}));
    BOOST_TEST(!server->claim_pci(PciBdf{3, 0}));
  }
  BOOST_TEST(server->counters().claims_refused == 6U);
}

BOOST_AUTO_TEST_CASE(releases_name_what_was_claimed) {
  server = make();
  server->release_ports(PortRange{0x3f8, 0x3ff});
  server->release_mmio(MmioRange{0x1000, 0x1fff});
  server->release_pci(PciBdf{3, 1});
  BOOST_TEST(fake().called("unmap_io_range(7 3 0 1016 1023)"));
  BOOST_TEST(fake().called("unmap_io_range(7 3 1 4096 8191)"));
  BOOST_TEST(fake().called("unmap_pcidev(7 3 0 0 3 1)"));
}

BOOST_AUTO_TEST_CASE(interrupt_levels_are_one_call_each_and_failures_are_counted) {
  XenIrqSink sink{ops};
  sink.set_isa_level(4, true);
  sink.set_intx_level(3, 0, true);
  sink.set_link_route(2, 11);
  BOOST_TEST(fake().called("set_isa_irq_level(7 4 1)"));
  BOOST_TEST(fake().called("set_pci_intx_level(7 0 0 3 0 1)"));
  BOOST_TEST(fake().called("set_pci_link_route(7 2 11)"));
  BOOST_TEST(sink.failures() == 0U);
  fake().errors["set_isa_irq_level"] = ESRCH;
  sink.set_isa_level(4, false);
  BOOST_TEST(sink.failures() == 1U);
  BOOST_TEST(sink.last_error() == ESRCH);
}

BOOST_AUTO_TEST_SUITE_END()
