// SPDX-License-Identifier: MIT
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace dm;
using test::OneDisk;
using test::TwoDisks;

namespace {

/// What SeaBIOS's ata_detect does before it believes in a drive.
bool seabios_probe(drivers::IdeDriver& ide, unsigned unit) {
  if (ide.status() == 0xff) {
    return false;  // floating
  }
  const unsigned dh = 0xa0U | unit << 4U;
  ide.out(6, dh);
  (void)ide.wait();
  ide.out(6, dh);
  const auto read_back = ide.in(6);
  ide.out(2, 0x55);
  ide.out(3, 0xaa);
  if (ide.in(2) != 0x55 || ide.in(3) != 0xaa || read_back != dh) {
    return false;
  }
  ide.control(0x08 | ide.nIEN | ide.SRST);
  ide.control(0x08 | ide.nIEN);
  (void)ide.wait();
  ide.out(6, dh);
  ide.command(0xa1);  // IDENTIFY PACKET DEVICE first
  if ((ide.wait() & (ide.ERR | ide.DRQ)) == ide.DRQ) {
    return false;  // a CD-ROM
  }
  const auto s = ide.status();
  const bool there = s != 0 && (s & ide.DRDY) != 0;
  if (there) {
    (void)ide.identify(unit);
  }
  ide.control(0x08);
  return there;
}

/// Linux: ata_devchk, ata_sff_softreset, ata_sff_dev_classify.
bool linux_probe(drivers::IdeDriver& ide, unsigned unit) {
  ide.select(unit);
  for (const auto& [count, low] : {std::pair{0x55U, 0xaaU}, {0xaaU, 0x55U}, {0x55U, 0xaaU}}) {
    ide.out(2, count);
    ide.out(3, low);
  }
  if (ide.in(2) != 0x55 || ide.in(3) != 0xaa) {
    return false;
  }
  ide.soft_reset();
  ide.select(unit);
  (void)ide.wait();
  const unsigned error = ide.error();
  const bool ata = ide.in(4) == 0 && ide.in(5) == 0;
  return ide.in(2) == 1 && ide.in(3) == 1 && ata && (error == 1 || (unit == 0 && error == 0x81)) &&
         ide.alt_status() != 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(ide_probes)

BOOST_AUTO_TEST_CASE(every_population_is_found_as_it_is) {
  for (unsigned mask = 0; mask < 16; ++mask) {
    rig::ScriptedBlock disk{1 << 20};
    test::IdeMachine::Disks disks{};
    for (unsigned i = 0; i < 4; ++i) {
      disks[i] = (mask >> i & 1U) != 0 ? &disk : nullptr;
    }
    test::IdeMachine m{disks};
    for (unsigned i = 0; i < 4; ++i) {
      auto& ide = i < 2 ? m.ide0 : m.ide1;
      const bool expected = (mask >> i & 1U) != 0;
      BOOST_TEST(seabios_probe(ide, i % 2) == expected,
                 "SeaBIOS, drives " << mask << ", position " << i);
      BOOST_TEST(linux_probe(ide, i % 2) == expected,
                 "Linux, drives " << mask << ", position " << i);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_channel_without_drives_reads_zero_everywhere) {
  test::IdeMachine m{{}};
  for (unsigned reg = 0; reg < 8; ++reg) {
    m.ide0.out(reg, 0xff);
    if (reg != 0) {
      BOOST_TEST(m.ide0.in(reg) == 0);
    }
  }
  BOOST_TEST(m.guest.inw(0x1f0) == 0);
  BOOST_TEST(m.ide0.alt_status() == 0);
  m.ide0.command(0xec);
  m.ide0.command(0x90);
  m.ide0.command(0xe7);  // B5: no drive behind it
  m.ide0.soft_reset();
  BOOST_TEST(m.ide0.status() == 0);
  BOOST_TEST(m.ide0.edges() == 0);
}

BOOST_FIXTURE_TEST_CASE(an_absent_slave_reads_status_and_error_zero_and_the_masters_registers,
                        OneDisk) {
  ide.select(1);
  ide.out(2, 0x12);
  ide.out(3, 0x34);
  ide.out(4, 0x56);
  ide.out(5, 0x78);
  BOOST_TEST(ide.in(1) == 0);
  BOOST_TEST(ide.in(2) == 0x12);
  BOOST_TEST(ide.in(3) == 0x34);
  BOOST_TEST(ide.in(4) == 0x56);
  BOOST_TEST(ide.in(5) == 0x78);
  BOOST_TEST(ide.in(6) == 0xb0);
  BOOST_TEST(ide.in(7) == 0);
  BOOST_TEST(ide.alt_status() == 0);
  ide.command(0xec);
  ide.command(0x20);
  ide.command(0xe7);  // B5: no drive behind it
  BOOST_TEST(ide.alt_status() == 0);
  BOOST_TEST(!ide.irq());
  BOOST_TEST(disk.log.empty());
  ide.select(0);
  BOOST_TEST(ide.status() == 0x50);
}

BOOST_AUTO_TEST_CASE(an_absent_master_reads_status_zero_while_the_slave_works) {
  rig::ScriptedBlock slave{1 << 20};
  test::IdeMachine m{{nullptr, &slave, nullptr, nullptr}};
  m.ide0.select(0);
  BOOST_TEST(m.ide0.status() == 0);
  m.ide0.select(1);
  BOOST_TEST(m.ide0.status() == 0x50);
  BOOST_TEST(m.ide0.identify(1)[0] == 0x0040);
}

BOOST_AUTO_TEST_SUITE_END()
