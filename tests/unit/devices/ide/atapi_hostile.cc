// SPDX-License-Identifier: MIT
// A CD-ROM drive and a guest that does things at the wrong time: data phases, busy drives, resets.
#include "tests/unit/devices/ide/atapi_rig.h"

#include <boost/test/unit_test.hpp>

#include <cstring>

using namespace dm;
using drivers::AtapiDriver;
using test::kBuffer;
using test::OneCd;

BOOST_FIXTURE_TEST_SUITE(ide_atapi_hostile, OneCd)

BOOST_AUTO_TEST_CASE(b8_a_new_command_ends_the_data_phase_of_the_last_reset_one) {
  cd.send(AtapiDriver::read10(0, 4), 0, 2048);
  guest.rep_ins(ide.data_port(), 2, 0x10000, 100);
  ide.command(0x08);  // DEVICE RESET is taken with DRQ set
  BOOST_TEST(ide.alt_status() == 0x00);
  guest.rep_ins(ide.data_port(), 2, 0x10000, 1024);  // nothing moves
  const auto r = cd.packet(cdb({0x12, 0, 0, 0, 36}));
  BOOST_TEST(r.data.size() == 36U);
  BOOST_TEST(r.data[0] == 0x05);
}

BOOST_AUTO_TEST_CASE(b8_start_stop_unit_has_no_data_phase) {  // CVE-2015-5154, XSA-138
  for (const unsigned what : {0U, 1U, 0x30U, 2U, 3U}) {
    const auto r = cd.packet(cdb({0x1b, 0, 0, 0, what}));
    BOOST_TEST(r.status == 0x50);
    BOOST_TEST(r.bursts.empty());
    for (int i = 0; i < 10; ++i) {
      BOOST_TEST(guest.inw(ide.data_port()) == 0);
      guest.outw(ide.data_port(), 0xffff);
    }
    BOOST_TEST(ide.alt_status() == 0x50);
    BOOST_TEST(cd.packet(cdb({0x12, 0, 0, 0, 36})).data.size() == 36U);
  }
}

BOOST_AUTO_TEST_CASE(b8_b19_a_command_in_a_data_phase_moves_no_pointer) {
  const auto want = blocks(0, 1);
  cd.send(AtapiDriver::read10(0, 1), 0, 2048);
  guest.rep_ins(ide.data_port(), 2, 0x10000, 100);
  for (const unsigned opcode : {0xa0U, 0xa1U, 0xecU, 0x90U, 0x00U, 0xefU}) {
    ide.command(opcode);
    ide.out(4, 0xff);
    BOOST_TEST((ide.alt_status() & ide.DRQ) != 0);
  }
  guest.rep_ins(ide.data_port(), 2, 0x10000 + 200, 1024 - 100);
  BOOST_TEST((std::memcmp(guest.ram().data() + 0x10000, want.data(), want.size()) == 0));
  BOOST_TEST(ide.wait() == 0x50);
  BOOST_TEST(guest.inw(ide.data_port()) == 0);
}

BOOST_AUTO_TEST_CASE(b18_the_data_port_gives_and_takes_nothing_at_the_wrong_time) {
  BOOST_TEST(guest.inw(ide.data_port()) == 0);
  guest.outw(ide.data_port(), 0x1234);
  ide.select(0);
  ide.command(0xa0);
  BOOST_TEST(guest.inw(ide.data_port()) == 0);  // the packet is expected, not offered
  BOOST_TEST(ide.alt_status() == 0x58);
  for (int i = 0; i < 3; ++i) {
    guest.outl(ide.data_port(), i == 0 ? 0x12U : i == 1 ? 0x0024U : 0U);
  }
  BOOST_TEST((ide.alt_status() & ide.BSY) == 0);
  // 36 bytes in words of 32 bits, and then more than there is.
  const auto r = ide.wait();
  BOOST_TEST((r & ide.DRQ) != 0);
  for (int i = 0; i < 20; ++i) {
    (void)guest.inl(ide.data_port());
    guest.outw(ide.data_port(), 0xffff);
  }
  BOOST_TEST(ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(b19_commands_to_a_busy_drive_are_ignored_but_device_reset) {
  blocks(0, 4);
  disc.hold();
  cd.send(AtapiDriver::read10(0, 4), 0, 2048);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  ide.command(0xa1);
  ide.out(4, 0x77);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  ide.command(0x08);
  BOOST_TEST(disc.pending() == 0U);
  BOOST_TEST(ide.alt_status() == 0x00);
  disc.hold(false);
  BOOST_TEST((cd.ready() == Sense{0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(b27_a_reset_with_a_read_under_way_leaves_nothing_behind) {
  const Prd prd{kBuffer, 8192};
  // By SRST or by DEVICE RESET, the read settled or late.
  for (const unsigned way : {0U, 1U, 2U, 3U}) {
    const bool broken = (way & 1U) != 0;
    disc.hold();
    disc.break_drain(broken);
    ide.prepare_dma({&prd, 1});
    cd.send(AtapiDriver::read10(0, 4), 1, 0);
    ide.bm_command(9);
    BOOST_TEST(disc.pending() == 1U);
    if ((way & 2U) != 0) {
      ide.command(0x08);
    } else {
      ide.soft_reset();
    }
    BOOST_TEST(ide.alt_status() == 0x00);
    BOOST_TEST((ide.bm_status() & 1) == 0);
    const auto edges = ide.edges();
    disc.break_drain(false);
    if (broken) {
      ide.command(0xa0);  // waits for what still uses memory
      BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
      disc.complete();
      guest.run_work();
      BOOST_TEST(ide.alt_status() == 0x58);
      ide.soft_reset();
    }
    disc.hold(false);
    BOOST_TEST(ide.edges() == edges);
    ide.bm_command(0);
    BOOST_TEST(cd.packet(AtapiDriver::read10(0, 1)).ok());
  }
}

BOOST_AUTO_TEST_CASE(b20_each_drive_of_a_channel_has_its_own_data) {
  rig::ScriptedBlock other{std::uint64_t{8} << 20};
  test::CdMachine m{&disc, &other};
  (void)m.cd.ready();
  const auto want = blocks(0, 1);
  test::stamp(other, 3, 1);
  m.cd.send(AtapiDriver::read10(0, 1), 0, 2048);
  m.guest.rep_ins(m.ide.data_port(), 2, 0x10000, 10);
  // The drive is busy with DRQ: the selection does not change under it.
  m.ide.select(1);
  m.guest.rep_ins(m.ide.data_port(), 2, 0x10014, 1014);
  BOOST_TEST((std::memcmp(m.guest.ram().data() + 0x10000, want.data(), 2048) == 0));
  BOOST_TEST(m.ide.wait() == 0x50);
  m.ide.lba28(1, 3, 1);
  m.ide.command(0x20);
  BOOST_TEST(test::same(m.ide.read_data(1), test::patterns(3, 1)));
}

BOOST_AUTO_TEST_SUITE_END()
