// SPDX-License-Identifier: MIT
// Discs that come and go, the tray and its lock, and a drive that moves to another machine.
#include "tests/unit/devices/ide/atapi_rig.h"

#include <boost/test/unit_test.hpp>

using namespace dm;
using drivers::AtapiDriver;
using test::kBuffer;
using test::OneCd;

BOOST_FIXTURE_TEST_SUITE(ide_atapi_media, OneCd)

BOOST_AUTO_TEST_CASE(an_ejected_disc_is_gone_and_a_new_one_is_announced_once) {
  BOOST_TEST(drive.eject(false));
  BOOST_TEST(!disc.is_open());
  BOOST_TEST((cd.ready() == Sense{2, 0x3a, 2}));
  BOOST_TEST((cd.event() == std::array<unsigned, 2>{3, 1}));  // removal; tray open, nothing in it
  BOOST_TEST((cd.event() == std::array<unsigned, 2>{0, 1}));
  rig::ScriptedBlock other{std::uint64_t{500} * 2048};
  drive.insert(other.open());
  BOOST_TEST((cd.event() == std::array<unsigned, 2>{2, 2}));  // new medium; present
  BOOST_TEST((cd.event() == std::array<unsigned, 2>{0, 2}));
  BOOST_TEST((cd.ready() == Sense{6, 0x28, 0}));
  BOOST_TEST((cd.ready() == Sense{0, 0, 0}));
  const auto r = cd.packet(cdb({0x25}));
  BOOST_TEST((r.data == std::vector<std::uint8_t>{0, 0, 1, 0xf3, 0, 0, 8, 0}));
  BOOST_TEST(drive.eject(false));
}

BOOST_AUTO_TEST_CASE(attention_waits_for_a_command_that_may_be_refused) {
  BOOST_TEST(drive.eject(false));
  rig::ScriptedBlock other{std::uint64_t{500} * 2048};
  drive.insert(other.open());
  BOOST_TEST(cd.packet(cdb({0x12, 0, 0, 0, 36})).ok());
  BOOST_TEST(cd.packet(cdb({0x46, 0, 0, 0, 0, 0, 0, 0, 64})).ok());
  BOOST_TEST((cd.sense() == Sense{6, 0x28, 0}));  // REQUEST SENSE may tell it as well
  BOOST_TEST((cd.ready() == Sense{0, 0, 0}));
  BOOST_TEST(drive.eject(false));
}

BOOST_AUTO_TEST_CASE(an_empty_drive_ejects_without_complaint) {
  test::CdMachine empty{nullptr};
  (void)empty.cd.ready();
  BOOST_TEST(empty.cd.packet(cdb({0x1e, 0, 0, 0, 1})).ok());
  BOOST_TEST(empty.drive->eject(false));
  BOOST_TEST(empty.drive->eject(false));
  BOOST_TEST((empty.cd.ready() == Sense{2, 0x3a, 2}));
}

BOOST_AUTO_TEST_CASE(a_locked_tray_keeps_its_disc_and_asks_the_guest) {
  BOOST_TEST(cd.packet(cdb({0x1e, 0, 0, 0, 1})).ok());
  BOOST_TEST(!drive.eject(false));
  BOOST_TEST(disc.is_open());
  BOOST_TEST((cd.fails(cdb({0x1b, 0, 0, 0, 2})) == Sense{5, 0x53, 2}));
  BOOST_TEST((cd.event() == std::array<unsigned, 2>{1, 2}));  // eject request
  BOOST_TEST((cd.event() == std::array<unsigned, 2>{0, 2}));
  BOOST_TEST(cd.packet(cdb({0x1e})).ok());
  BOOST_TEST(cd.packet(cdb({0x1b, 0, 0, 0, 2})).ok());
  BOOST_TEST(drive.tray_open());
  BOOST_TEST(drive.eject(false));
  BOOST_TEST(!disc.is_open());
}

BOOST_AUTO_TEST_CASE(force_takes_the_disc_out_of_a_locked_tray) {
  BOOST_TEST(cd.packet(cdb({0x1e, 0, 0, 0, 1})).ok());
  BOOST_TEST(drive.eject(true));
  BOOST_TEST((cd.ready() == Sense{2, 0x3a, 2}));
}

BOOST_AUTO_TEST_CASE(the_guest_opens_and_closes_its_own_tray) {
  BOOST_TEST(cd.packet(cdb({0x1b, 0, 0, 0, 2})).ok());
  BOOST_TEST((cd.ready() == Sense{2, 0x3a, 2}));
  BOOST_TEST(disc.is_open());  // it lies in the tray
  BOOST_TEST(cd.packet(cdb({0x1b, 0, 0, 0, 3})).ok());
  BOOST_TEST((cd.ready() == Sense{6, 0x28, 0}));
  BOOST_TEST((cd.ready() == Sense{0, 0, 0}));
  BOOST_TEST(cd.packet(cdb({0x1b, 0, 0, 0, 0x30})).ok());  // a power condition
  BOOST_TEST(cd.packet(cdb({0x1b, 0, 0, 0, 1})).ok());
}

BOOST_AUTO_TEST_CASE(b28_a_disc_that_goes_under_a_read_ends_it_with_not_ready) {
  rig::ScriptedBlock other{std::uint64_t{2} * 2048};  // much smaller
  // By DMA, with the read in flight: it is settled, and its data are whole.
  const auto want = blocks(0, 4);
  const Prd prd{kBuffer, 8192};
  disc.hold();
  ide.prepare_dma({&prd, 1});
  cd.send(AtapiDriver::read10(0, 4), 1, 0);
  ide.bm_command(9);
  BOOST_TEST(drive.eject(false));
  BOOST_TEST(ide.poll_dma().bm == 0x04);
  BOOST_TEST((std::memcmp(guest.ram().data() + kBuffer, want.data(), want.size()) == 0));
  disc.hold(false);
  // By PIO: what is in the buffer is given, the rest is not there any more.
  drive.insert(disc.open());
  (void)cd.ready();
  cd.send(AtapiDriver::read10(900, 40), 0, 2048);
  BOOST_TEST(drive.eject(false));
  drive.insert(other.open());
  const auto r = cd.finish_pio();
  BOOST_TEST(r.status == 0x51);
  BOOST_TEST(r.data.size() == 16U * 2048U);
  BOOST_TEST((cd.sense() == Sense{6, 0x28, 0}));
  BOOST_TEST((cd.ready() == Sense{0, 0, 0}));
  BOOST_TEST(other.log.empty());
  // A command that waits for the bus master.
  ide.prepare_dma({&prd, 1});
  cd.send(AtapiDriver::read10(0, 2), 1, 0);
  BOOST_TEST(drive.eject(false));
  ide.bm_command(9);
  BOOST_TEST(ide.status() == 0x51);
  ide.bm_command(0);
  BOOST_TEST((cd.sense() == Sense{2, 0x3a, 2}));
}

BOOST_AUTO_TEST_CASE(a_backend_that_keeps_its_request_loses_it_with_the_disc) {
  disc.hold();
  disc.break_drain();
  cd.send(AtapiDriver::read10(0, 4), 0, 2048);
  BOOST_TEST(drive.eject(false));
  guest.run_work();
  BOOST_TEST(ide.status() == 0x51);
  BOOST_TEST((cd.sense() == Sense{2, 0x3a, 2}));
}

BOOST_AUTO_TEST_CASE(a_disc_without_a_whole_block_is_no_disc) {
  rig::ScriptedBlock tiny{1536};
  test::CdMachine m{&tiny};
  (void)m.cd.ready();
  BOOST_TEST((m.cd.ready() == Sense{2, 0x3a, 1}));
  BOOST_TEST((m.cd.fails(cdb({0x25})) == Sense{2, 0x3a, 1}));
}

BOOST_AUTO_TEST_CASE(commands_that_need_a_disc_say_so_and_others_do_not) {
  BOOST_TEST(drive.eject(false));
  for (const unsigned op :
       {0x00U, 0x25U, 0x28U, 0x2bU, 0x42U, 0x43U, 0x51U, 0x52U, 0xa8U, 0xadU, 0xb9U, 0xbeU}) {
    BOOST_TEST((cd.fails(cdb({op})) == Sense{2, 0x3a, 2}), op);
  }
  for (const unsigned op : {0x12U, 0x46U, 0xbbU, 0xbdU, 0x1eU}) {
    BOOST_TEST(cd.packet(cdb({op})).ok(), op);
  }
}

BOOST_AUTO_TEST_CASE(a_read_goes_on_in_another_machine) {
  const auto want = blocks(3, 40);
  cd.send(AtapiDriver::read10(3, 40), 0, 4096);
  (void)ide.status();
  guest.rep_ins(ide.data_port(), 2, 0x10000, 5);
  test::CdMachine to{&disc};
  test::carry_over(machine, to);
  to.guest.rep_ins(to.ide.data_port(), 2, 0x10000, 4096 / 2 - 5);
  BOOST_TEST((std::memcmp(to.guest.ram().data() + 0x10000, want.data() + 10, 4086) == 0));
  const auto rest = to.cd.finish_pio();
  BOOST_TEST(rest.status == 0x50);
  BOOST_TEST((rest.data == std::vector<std::uint8_t>(want.begin() + 4096, want.end())));
}

BOOST_AUTO_TEST_CASE(a_packet_and_a_dma_command_go_on_in_another_machine) {
  const auto want = blocks(9, 2);
  const Prd prd{kBuffer, 4096};
  ide.prepare_dma({&prd, 1});
  cd.send(AtapiDriver::read10(9, 2), 1, 0);
  test::CdMachine to{&disc};
  test::carry_over(machine, to);
  BOOST_TEST(to.ide.run_dma(true).bm == 0x04);
  BOOST_TEST((std::memcmp(to.guest.ram().data() + kBuffer, want.data(), want.size()) == 0));
}

BOOST_AUTO_TEST_CASE(another_disc_than_the_saved_one_is_announced_and_never_read_past) {
  cd.send(AtapiDriver::read10(900, 40), 0, 2048);
  (void)ide.status();
  const auto bytes = save(machine);
  rig::ScriptedBlock small{std::uint64_t{2} * 2048};
  test::CdMachine to{&small};
  BOOST_TEST_REQUIRE(load(to, bytes));
  BOOST_TEST(to.cd.finish_pio({}, true).status == 0x51);
  BOOST_TEST(small.log.empty());
  BOOST_TEST((to.cd.sense() == Sense{6, 0x28, 0}));
  test::CdMachine none{nullptr};
  BOOST_TEST_REQUIRE(load(none, bytes));
  BOOST_TEST(none.cd.finish_pio({}, true).status == 0x51);
  BOOST_TEST((none.cd.ready() == Sense{2, 0x3a, 1}));
}

BOOST_AUTO_TEST_CASE(b25_impossible_states_are_refused) {
  cd.send(AtapiDriver::read10(0, 40), 0, 2048);
  machine.controller->pause();
  const auto good = machine.controller->state();
  BOOST_TEST(validate(good));
  const auto broken = [&](auto change) {
    auto state = good;
    change(state.drives[2].cd);
    return validate(state);
  };
  using ata::CdState;
  BOOST_TEST(!broken([](CdState& s) { s.end = CdState::kBuffer + 2; }));
  BOOST_TEST(!broken([](CdState& s) { s.filled = CdState::kBuffer + 1; }));
  BOOST_TEST(!broken([](CdState& s) { s.pos = s.end; }));
  BOOST_TEST(!broken([](CdState& s) { s.pos = 1; }));
  BOOST_TEST(!broken([](CdState& s) { s.byte_limit = 1; }));
  BOOST_TEST(!broken([](CdState& s) { s.frame = 0; }));
  BOOST_TEST(!broken([](CdState& s) { s.lba = 0xffffffff; }));
  BOOST_TEST(!broken([](CdState& s) { s.phase = ata::Phase::work; }));
  BOOST_TEST(!broken([](CdState& s) { s.phase = ata::Phase::data_out; }));
  BOOST_TEST(!broken([](CdState& s) { s.phase = ata::Phase::wait_dma; }));
  BOOST_TEST(!broken([](CdState& s) { s.dma_mode = 0x40; }));
  BOOST_TEST(!broken([](CdState& s) { s.attention = 4; }));
  BOOST_TEST(!broken([](CdState& s) { s.events = 8; }));
  BOOST_TEST(!broken([](CdState& s) { s.command = 0x20; }));
}

BOOST_AUTO_TEST_SUITE_END()
