// SPDX-License-Identifier: MIT
// Requests that no hypervisor sends (security cases, section E): every one is answered, with work
// that is bounded by a page of items. Layout and numbers: Xen public header hvm/ioreq.h.
#include "core/obs/log.h"
#include "tests/rig/sim_guest.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

namespace {

using dm::IoAccess;
using dm::IoHandler;
using dm::rig::RawRequest;
using dm::rig::SimGuest;

constexpr std::uint64_t kOnes = ~std::uint64_t{0};

struct Register {
  std::uint64_t read(IoAccess /*a*/) noexcept {
    ++accesses;
    return 0x1122334455667788;
  }
  void write(IoAccess /*a*/, std::uint64_t value) noexcept {
    ++accesses;
    last = value;
  }
  std::size_t read_run(IoAccess a, std::span<std::byte> to) noexcept {
    accesses += to.size() / a.size;
    std::memset(to.data(), 0x5a, to.size());
    return to.size();
  }
  std::size_t write_run(IoAccess a, std::span<const std::byte> from) noexcept {
    accesses += from.size() / a.size;
    return from.size();
  }
  std::uint64_t accesses = 0;
  std::uint64_t last = 0;
};

struct Rig {
  Rig() {
    dm::log::set_sink([](dm::log::Level, std::string_view) noexcept {});
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  ~Rig() { dm::log::set_sink(nullptr); }

  SimGuest guest{{.ram = std::size_t{4} << 20, .vcpus = 3}};
  Register device;
  dm::PioClaim ports = guest.pio().claim({0x1f0, 0x1f7},
                                         IoHandler::bind_with_runs<&Register::read,
                                                                   &Register::write,
                                                                   &Register::read_run,
                                                                   &Register::write_run>(device),
                                         "ports");
  dm::PioClaim last_port = guest.pio().claim(
      {0xffff, 0xffff}, IoHandler::bind<&Register::read, &Register::write>(device), "last");
  dm::MmioClaim memory = guest.mmio().claim(
      {0xf0000000, 0xf0000fff}, IoHandler::bind<&Register::read, &Register::write>(device), "bar");
};

BOOST_FIXTURE_TEST_SUITE(hostile_requests, Rig)

BOOST_AUTO_TEST_CASE(e4_every_shape_of_request_is_answered_with_at_most_a_page_of_items) {
  std::vector<RawRequest> shapes;
  for (const unsigned type : {0U, 1U, 2U, 3U, 7U, 8U, 255U}) {
    for (const std::uint32_t size : {0U, 1U, 2U, 3U, 4U, 5U, 8U, 16U, 0x80000000U, 0xffffffffU}) {
      for (const std::uint32_t count : {0U, 1U, 3U, 0xffffffffU}) {
        for (unsigned bits = 0; bits < 8; ++bits) {
          shapes.push_back({.count = count,
                            .size = size,
                            .type = static_cast<std::uint8_t>(type),
                            .data_is_ptr = (bits & 1U) != 0,
                            .read = (bits & 2U) != 0,
                            .descending = (bits & 4U) != 0});
        }
      }
    }
  }
  for (RawRequest request : shapes) {
    for (const std::uint64_t addr :
         {std::uint64_t{0x1f0}, std::uint64_t{0xffff}, std::uint64_t{0xf0000ffe}, kOnes}) {
      for (const std::uint64_t data : {std::uint64_t{0x2fff}, guest.ram().size() - 1, kOnes}) {
        const std::uint64_t before = device.accesses;
        request.addr = addr;
        request.data = data;
        guest.send(request);  // throws unless it is answered
        BOOST_REQUIRE_LE(device.accesses - before, 4096U);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(e2_ports_beyond_64_ki_reach_no_device) {
  for (const std::uint64_t addr :
       {std::uint64_t{0x10000}, std::uint64_t{0x101f0}, std::uint64_t{1} << 32 | 0x1f0, kOnes}) {
    BOOST_TEST(guest.send({.addr = addr, .size = 1, .type = 0, .read = true}) == kOnes);
    guest.send({.addr = addr, .data = 1, .size = 1, .type = 0});
  }
  BOOST_TEST(guest.send({.addr = 0xffff, .size = 2, .type = 0, .read = true}) == kOnes);
  BOOST_TEST(device.accesses == 0U);
}

BOOST_AUTO_TEST_CASE(e4_items_across_two_pages_go_whole_in_both_directions) {
  guest.rep_ins(0x1f0, 4, 0x2ffe, 2, true);
  BOOST_TEST(guest.peek<std::uint32_t>(0x2ffe) == 0x55667788U);
  BOOST_TEST(guest.peek<std::uint32_t>(0x2ffa) == 0x55667788U);
  BOOST_TEST(guest.peek<std::uint16_t>(0x2ff8) == 0);
  BOOST_TEST(guest.peek<std::uint16_t>(0x3002) == 0);
  guest.poke<std::uint32_t>(0x4ffe, 0xcafe1234);
  guest.send({.addr = 0xf0000000, .data = 0x4ffe, .size = 4, .type = 1, .data_is_ptr = true});
  BOOST_TEST(device.last == 0xcafe1234U);
}

// E6: the guest has given one of two pages away.
BOOST_AUTO_TEST_CASE(e6_a_string_into_a_hole_loses_only_the_items_there) {
  guest.sim_memory().set_present(3, false);
  guest.poke<std::uint32_t>(0x2ff8, 0x01020304);
  guest.poke<std::uint32_t>(0x2ffc, 0x05060708);
  const std::uint64_t before = device.accesses;
  guest.rep_outs(0x1f0, 4, 0x2ff8, 4);
  BOOST_TEST(device.accesses - before == 4U);
  BOOST_TEST(device.last == 0xffffffffU);
  guest.rep_outs(0x1f0, 4, 0x2ffe, 1);  // half of the item is there: that is none of it
  BOOST_TEST(device.last == 0xffffffffU);
  guest.rep_ins(0x1f0, 4, 0x2ffe, 1);
  BOOST_TEST(guest.peek<std::uint16_t>(0x2ffe) == 0x0506);
}

BOOST_AUTO_TEST_CASE(e13_slots_beyond_the_vcpus_are_never_looked_at) {
  guest.fill_slot({.addr = 0x1f0, .data = 7, .size = 1, .type = 0}, 3);
  guest.fill_slot({.addr = 0x1f0, .data = 7, .size = 1, .type = 0}, 127);
  BOOST_TEST(!guest.server().any_ready());
  BOOST_TEST(guest.server().serve_ready() == 0U);
  BOOST_TEST(device.accesses == 0U);
}

// vCPUs that never ran have a slot of zeros; one that is waiting for its answer to be fetched, or
// holds a state that does not exist, is not served again.
BOOST_AUTO_TEST_CASE(e13_slots_that_are_not_ready_are_left_alone) {
  std::byte* const page = guest.ioreq_port().slots();
  for (unsigned state = 0; state < 16; ++state) {
    if (state == 1) {
      continue;  // READY
    }
    guest.fill_slot({.addr = 0x1f0, .data = 7, .size = 1, .type = 0}, 2);
    page[2 * 32 + 30] = static_cast<std::byte>(state);
    BOOST_TEST(guest.server().serve_ready() == 0U);
    BOOST_TEST((page[2 * 32 + 30] == static_cast<std::byte>(state)));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
