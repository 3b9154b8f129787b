// SPDX-License-Identifier: MIT
#include "ioreq/slot.h"

#include "tests/rig/sim_guest.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstring>

namespace {

using dm::ioreq::Request;
using dm::rig::SimGuest;

BOOST_AUTO_TEST_SUITE(request_slots)

BOOST_AUTO_TEST_CASE(every_field_of_a_slot_is_copied) {
  SimGuest guest{{.vcpus = 4}};
  guest.fill_slot({.addr = 0x1122334455667788,
                   .data = 0x99aabbccddeeff00,
                   .count = 0x01020304,
                   .size = 8,
                   .type = 1,
                   .data_is_ptr = true,
                   .read = true,
                   .descending = true},
                  3);
  dm::ioreq::SlotPage page{guest.ioreq_port().slots()};
  Request request{};
  BOOST_TEST(!page.take(0, request));
  BOOST_TEST_REQUIRE(page.take(3, request));
  BOOST_TEST(request.addr == 0x1122334455667788U);
  BOOST_TEST(request.data == 0x99aabbccddeeff00U);
  BOOST_TEST(request.count == 0x01020304U);
  BOOST_TEST(request.size == 8U);
  BOOST_TEST(request.type == 1);
  BOOST_TEST(request.data_is_ptr);
  BOOST_TEST(request.is_read);
  BOOST_TEST(request.descending);
}

// hvm/ioreq.h: STATE_IOREQ_NONE 0 -> READY 1 -> INPROCESS 2 -> IORESP_READY 3; the state shares its
// byte with the flags.
BOOST_AUTO_TEST_CASE(the_state_rises_step_by_step_and_its_neighbours_stay) {
  SimGuest guest;
  guest.fill_slot({.data_is_ptr = true, .read = true}, 0);
  dm::ioreq::SlotPage page{guest.ioreq_port().slots()};
  const auto* const flags = guest.ioreq_port().slots() + 30;
  BOOST_TEST(std::to_integer<int>(*flags) == 0x31);
  Request request{};
  BOOST_TEST(page.ready(0));
  BOOST_TEST(page.take(0, request));
  BOOST_TEST(std::to_integer<int>(*flags) == 0x32);
  BOOST_TEST(!page.take(0, request));
  page.answer(0, 0xabcd);
  BOOST_TEST(std::to_integer<int>(*flags) == 0x33);
  BOOST_TEST(!page.ready(0));
}

BOOST_AUTO_TEST_CASE(an_answer_changes_data_and_state_and_nothing_else) {
  SimGuest guest{{.vcpus = 3}};
  guest.fill_slot({.addr = 0x80, .data = 5, .count = 1, .size = 4, .read = true}, 1);
  std::array<std::byte, 4096> before{};
  std::memcpy(before.data(), guest.ioreq_port().slots(), before.size());
  guest.server().serve_ready();
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool data = i >= 32 + 8 && i < 32 + 16;
    const bool state = i == 32 + 30;
    BOOST_TEST((data || state || guest.ioreq_port().slots()[i] == before[i]));
  }
  BOOST_TEST(guest.take_answer(1) == 0xffffffffU);
  BOOST_TEST(guest.ioreq_port().notified(1) == 1U);
}

BOOST_AUTO_TEST_CASE(slots_in_any_other_state_are_left_alone) {
  for (const unsigned state : {0U, 2U, 3U, 4U, 15U}) {
    SimGuest guest;
    guest.ioreq_port().slots()[30] = static_cast<std::byte>(state);
    BOOST_TEST(guest.server().serve_ready() == 0U);
    BOOST_TEST(std::to_integer<unsigned>(guest.ioreq_port().slots()[30]) == state);
    BOOST_TEST(guest.ioreq_port().notified(0) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(all_128_vcpus_are_served_in_one_look) {
  SimGuest guest{{.vcpus = 128}};
  for (unsigned vcpu = 0; vcpu < 128; ++vcpu) {
    guest.fill_slot({.addr = 0x60, .size = 1, .read = true}, vcpu);
  }
  BOOST_TEST(guest.server().any_ready());
  BOOST_TEST(guest.server().serve_ready() == 128U);
  for (unsigned vcpu = 0; vcpu < 128; ++vcpu) {
    BOOST_TEST(guest.take_answer(vcpu) == 0xffU);
    BOOST_TEST(guest.ioreq_port().notified(vcpu) == 1U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
