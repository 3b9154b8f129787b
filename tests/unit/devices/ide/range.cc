// SPDX-License-Identifier: MIT
// Addresses: ranges past the end, CHS, large and tiny disks, and read-only ones.
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/unit_test.hpp>

using namespace dm;
using test::OneDisk;
using test::patterns;
using test::same;
using test::stamp;

BOOST_FIXTURE_TEST_SUITE(ide_range, OneDisk)

BOOST_AUTO_TEST_CASE(ranges_past_the_end_fail_before_anything_is_read) {  // B15
  struct Case {
    bool extended;
    std::uint64_t lba;
    unsigned count;
    std::uint64_t reported;
  };
  const Case cases[] = {{false, kSectors, 1, kSectors},
                        {false, kSectors - 1, 2, kSectors},
                        {false, 0x0fffffff, 1, 0x0fffffff},
                        {false, kSectors - 255, 0, kSectors},
                        {true, kSectors, 1, kSectors},
                        {true, kSectors - 65535, 0, kSectors},
                        {true, 0xffffffffffffULL, 0, 0xffffffffffffULL},
                        {true, 0xffffffffffffULL, 1, 0xffffffffffffULL},
                        {true, 0x800000000000ULL, 0xffff, 0x800000000000ULL}};
  for (const auto& c : cases) {
    for (const unsigned opcode :
         c.extended ? std::vector{0x24U, 0x34U, 0x29U, 0x39U, 0x25U, 0x35U, 0x3dU, 0xceU, 0x42U}
                    : std::vector{0x20U, 0x30U, 0xc4U, 0xc5U, 0xc8U, 0xcaU, 0x40U, 0x3cU}) {
      if (c.extended) {
        ide.lba48(0, c.lba, c.count);
      } else {
        ide.lba28(0, static_cast<std::uint32_t>(c.lba), c.count);
      }
      ide.command(opcode);
      BOOST_TEST(ide.irq());
      BOOST_TEST(ide.status() == 0x51);
      BOOST_TEST(ide.error() == (ide.IDNF | ide.ABRT));
      BOOST_TEST((c.extended ? ide.lba48_now() : ide.lba28_now()) == c.reported);
    }
  }
  BOOST_TEST(disk.log.empty());
  ide.lba28(0, static_cast<std::uint32_t>(kSectors - 256), 0);  // the very last is fine
  ide.command(0x20);
  (void)ide.read_data(256);
  BOOST_TEST(ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(a_disk_beyond_137_gb_is_reached_by_lba48_only) {
  const std::uint64_t sectors = (1ULL << 32) + 1000;
  rig::ScriptedBlock big{sectors * 512};
  test::IdeMachine m{{&big, nullptr, nullptr, nullptr}};
  const std::uint64_t lba = sectors - 4;
  stamp(big, lba, 4);
  m.ide0.lba48(0, lba, 4);
  m.ide0.command(0x24);
  BOOST_TEST(same(m.ide0.read_data(4), patterns(lba, 4)));
  BOOST_TEST(m.ide0.lba48_now() == sectors - 1);
  m.ide0.lba28(0, 0x0fffff00, 0);
  m.ide0.command(0x20);
  (void)m.ide0.read_data(256);
  BOOST_TEST(m.ide0.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(chs_addresses_outside_the_translation_do_not_wrap) {  // B16
  struct Chs {
    unsigned cylinder, head, sector;
  };
  for (const auto& c : {Chs{0, 0, 0}, {0, 0, 64}, {130, 0, 1}, {65535, 15, 63}, {0, 15, 255}}) {
    for (const unsigned opcode : {0x20U, 0x30U, 0xc8U, 0x40U, 0x70U}) {
      ide.chs(0, c.cylinder, c.head, c.sector, 1);
      ide.command(opcode);
      BOOST_TEST(ide.status() == 0x51);
      BOOST_TEST((ide.error() & ide.IDNF) != 0);
    }
  }
  ide.select(0, 15);
  ide.out(2, 0);
  ide.command(0x91);  // 0 sectors a track
  BOOST_TEST(ide.status() == 0x51);
  BOOST_TEST(ide.error() == ide.ABRT);
  ide.select(0, 3);
  ide.out(2, 255);
  ide.command(0x91);  // 4 heads, 255 sectors
  BOOST_TEST(ide.status() == 0x50);
  ide.chs(0, 0, 4, 1, 1);
  ide.command(0x20);
  BOOST_TEST((ide.error() & ide.IDNF) != 0);
  disk.stamp((2 * 4 + 3) * 255 + 254);
  ide.chs(0, 2, 3, 255, 1);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(1), patterns((2 * 4 + 3) * 255 + 254, 1)));
}

BOOST_AUTO_TEST_CASE(an_image_without_a_whole_sector_answers_everything_with_errors) {  // B7
  rig::ScriptedBlock tiny{511};
  test::IdeMachine m{{&tiny, nullptr, nullptr, nullptr}};
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    m.ide0.lba28(0, 0, 1);
    m.ide0.command(opcode);
    (void)m.ide0.wait();
    m.ide0.chs(0, 0, 0, 1, 1);
    m.ide0.command(opcode);
    (void)m.ide0.wait();
    m.ide0.soft_reset();
  }
  m.ide0.command(0xf8);
  BOOST_TEST(m.ide0.status() == 0x51);
  BOOST_TEST(m.ide0.error() == m.ide0.ABRT);
  m.ide0.command(0x20);
  BOOST_TEST((m.ide0.error() & m.ide0.IDNF) != 0);
}

BOOST_AUTO_TEST_CASE(a_read_only_image_refuses_every_write) {  // B31
  rig::ScriptedBlock fixed{1 << 20};
  fixed.stamp(0);
  fixed.info.read_only = true;
  test::IdeMachine m{{&fixed, nullptr, nullptr, nullptr}};
  for (const unsigned opcode :
       {0x30U, 0x31U, 0x34U, 0x35U, 0x39U, 0x3cU, 0x3dU, 0xc5U, 0xcaU, 0xcbU, 0xceU, 0x06U}) {
    m.ide0.lba28(0, 0, 1);
    m.ide0.out(1, 1);
    m.ide0.command(opcode);
    BOOST_TEST(m.ide0.status() == 0x51);
    BOOST_TEST(m.ide0.error() == m.ide0.ABRT);
  }
  BOOST_TEST(fixed.log.empty());
  m.ide0.lba28(0, 0, 1);
  m.ide0.command(0x20);
  BOOST_TEST(same(m.ide0.read_data(1), patterns(0, 1)));
}

BOOST_AUTO_TEST_SUITE_END()
