// SPDX-License-Identifier: MIT
// A guest that asks for what is not there, for ever, and where nothing may go.
#include "core/bounds.h"
#include "tests/unit/devices/fw_cfg/fw_cfg_rig.h"

using namespace dm;
using namespace dm::test;

namespace {
constexpr std::uint64_t kRam = std::uint64_t{16} << 20;
}

BOOST_FIXTURE_TEST_SUITE(fw_cfg_hostile, BootedGuest)

// K8
BOOST_AUTO_TEST_CASE(data_for_no_memory_is_an_error) {
  for (const std::uint64_t to :
       {kRam, kRam - 1, ~std::uint64_t{0}, ~std::uint64_t{0} - 100'000, std::uint64_t{1} << 52U}) {
    begin(of(0x12) | kRead, 200'000, to);
    BOOST_TEST(result() == 1U, to);
    begin(of(0x7777) | kRead, 200'000, to);  // zeros
    BOOST_TEST(result() == 1U, to);
  }
}

BOOST_AUTO_TEST_CASE(an_operation_that_is_not_in_memory_does_nothing) {
  for (const std::uint64_t at :
       {kRam, kRam - 15, ~std::uint64_t{0}, ~std::uint64_t{0} - 15, std::uint64_t{1} << 40U}) {
    begin(of(0) | kRead, 4, 0x5000, at);
    BOOST_TEST(!device->state().running);
  }
  BOOST_TEST(guest.peek<std::uint32_t>(0x5000) == 0U);
}

BOOST_AUTO_TEST_CASE(data_over_the_operation_ends_all_the_same) {
  begin(of(0x12) | kRead, 4096, kOperation - 100);
  BOOST_TEST(result() == 0U);
  begin(of(0x12) | kRead, 16, kOperation);
  BOOST_TEST(result() == 0U);
}

BOOST_AUTO_TEST_CASE(four_gib_of_zeros_come_in_pieces_and_end_where_memory_ends) {
  guest.set_auto_work(false);
  begin(of(0x7777) | kRead, 0xffffffff, 0x100000);
  unsigned units = 0;
  while (guest.work().run_one()) {
    BOOST_TEST_REQUIRE(++units < 100U);
  }
  BOOST_TEST(result() == 1U);
  BOOST_TEST(units == (kRam - 0x100000) / 262'144 + 1);
  BOOST_TEST(guest.work().meter().worst_unit().bytes <= bounds::kBytesPerUnit);
}

BOOST_AUTO_TEST_CASE(nothing_can_be_written) {
  begin(of(0x15) | kWrite, 4, 0x5000);
  BOOST_TEST(result() == 1U);
  BOOST_TEST(item(0x15, 7) == "console");
  guest.outb(0x511, 'x');
  guest.outb(0x510, 'x');
  guest.outl(0x510, 0x1234);
  BOOST_TEST(item(0x15, 7) == "console");
}

BOOST_AUTO_TEST_CASE(an_operation_of_every_kind_at_once_is_a_read) {
  begin(of(0) | kRead | kSkip | kWrite, 4, 0x5000);
  BOOST_TEST(result() == 0U);
  BOOST_TEST(std::memcmp(guest.ram().subspan(0x5000).data(), "QEMU", 4) == 0);
}

// K9
BOOST_AUTO_TEST_CASE(while_one_operation_runs_others_and_other_keys_are_ignored) {
  guest.set_auto_work(false);
  begin(of(0x12) | kRead, 700'001, 0x800000);
  const fw_cfg::State running = device->state();
  for (int i = 0; i < 1000; ++i) {
    guest.outl(0x514, 0);
    guest.outl(0x518, swapped(0x6000));
    guest.outw(0x510, 0x11);
  }
  BOOST_TEST(device->state().rest == running.rest);
  BOOST_TEST(device->state().key == running.key);
  guest.run_work();
  BOOST_TEST(result() == 0U);
  BOOST_TEST(holds(0x800000, initrd.bytes()));
}

BOOST_AUTO_TEST_CASE(skipping_never_leaves_an_item) {
  for (int i = 0; i < 10; ++i) {
    begin((i == 0 ? of(0x15) : 0) | kSkip, 0xffffffff, 0);
    BOOST_TEST(result() == 0U);
  }
  BOOST_TEST((read(2) == std::string{"\0\0", 2}));
}

// K10
BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_any_more_is_an_error_and_reads_as_zeros) {
  initrd.broken = true;
  begin(of(0x12) | kRead, 4096, 0x5000);
  BOOST_TEST(result() == 1U);
  BOOST_TEST((item(0x12, 3) == std::string{"\0\0\0", 3}));
  select(0x12);
  guest.rep_ins(0x511, 1, 0x5000, 512);
  initrd.broken = false;
  BOOST_TEST(item(0x12, 3) == "<<<");
}

// K11
BOOST_AUTO_TEST_CASE(a_state_that_no_device_could_have_is_refused) {
  fw_cfg::State state;
  state.running = true;
  BOOST_TEST(!device->restore(state));
  state = {};
  state.rest = 7;
  BOOST_TEST(!device->restore(state));
  state = {};
  state.target = 7;
  BOOST_TEST(!device->restore(state));
}

BOOST_AUTO_TEST_CASE(a_state_beyond_every_item_reads_zeros) {
  fw_cfg::State state;
  state.key = 0x12;
  state.offset = 0xffffffff;
  state.running = true;
  state.rest = 0xffffffff;
  state.target = ~std::uint64_t{0} - 5;
  state.operation = kOperation;
  guest.set_auto_work(false);
  guest.poke(kOperation, 0x77777777U);
  BOOST_TEST(device->restore(state));
  device->resume();
  guest.run_work();
  BOOST_TEST(result() == 1U);
  BOOST_TEST((read(2) == std::string{"\0\0", 2}));
}

BOOST_AUTO_TEST_SUITE_END()
