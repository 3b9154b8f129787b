// SPDX-License-Identifier: MIT
// PIO commands of a disk: their sectors, blocks, interrupts and errors.
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace dm;
using test::OneDisk;
using test::patterns;
using test::salted;
using test::same;
using test::stamp;

BOOST_FIXTURE_TEST_SUITE(ide_pio, OneDisk)

BOOST_AUTO_TEST_CASE(read_sectors_by_lba28_lba48_and_chs_find_the_same_bytes) {
  const std::uint64_t lba = (5 * 16 + 3) * 63 + 7 - 1;
  stamp(disk, lba, 3);
  ide.lba28(0, static_cast<std::uint32_t>(lba), 3);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(3), patterns(lba, 3)));
  ide.lba48(0, lba, 3);
  ide.command(0x24);
  BOOST_TEST(same(ide.read_data(3), patterns(lba, 3)));
  ide.chs(0, 5, 3, 7, 3);
  ide.command(0x21);
  BOOST_TEST(same(ide.read_data(3), patterns(lba, 3)));
  BOOST_TEST(ide.status() == 0x50);
}

BOOST_AUTO_TEST_CASE(after_a_transfer_the_registers_name_the_last_sector_and_count_is_zero) {
  ide.lba28(0, 0x1234, 5);
  ide.command(0x20);
  (void)ide.read_data(5);
  BOOST_TEST(ide.lba28_now() == 0x1238);
  BOOST_TEST(ide.in(2) == 0);
  ide.chs(0, 2, 15, 63, 2);  // ends on the first sector of the next cylinder
  ide.command(0x20);
  (void)ide.read_data(2);
  BOOST_TEST(ide.in(3) == 1);
  BOOST_TEST(ide.in(4) == 3);
  BOOST_TEST((ide.in(6) & 15) == 0);
  ide.lba48(0, 0x1f000, 2);
  ide.command(0x34);
  ide.write_data(salted(0x1f000, 2));
  BOOST_TEST(ide.wait() == 0x50);
  BOOST_TEST(ide.lba48_now() == 0x1f001);
}

BOOST_AUTO_TEST_CASE(count_zero_means_256_or_65536) {
  stamp(disk, 1000, 256);
  ide.lba28(0, 1000, 0);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(256), patterns(1000, 256)));
  BOOST_TEST(ide.alt_status() == 0x50);
  disk.stamp(65536);
  ide.lba48(0, 1, 0);
  ide.command(0x24);
  const auto data = ide.read_data(65536);
  BOOST_TEST(ide.alt_status() == 0x50);
  BOOST_TEST(same(std::span{data}.last(512), patterns(65536, 1)));
}

BOOST_AUTO_TEST_CASE(read_interrupts_before_each_block_and_not_after_the_last) {
  ide.lba28(0, 0, 3);
  ide.command(0x20);
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(ide.irq());
    BOOST_TEST(ide.status() == (ide.DRDY | ide.DSC | ide.DRQ));
    BOOST_TEST(!ide.irq());
    guest.rep_ins(ide.data_port(), 2, 0x10000, 256);
  }
  BOOST_TEST(!ide.irq());
  BOOST_TEST(ide.edges() == 3);
  BOOST_TEST(ide.status() == 0x50);
}

BOOST_AUTO_TEST_CASE(write_interrupts_after_each_block_and_not_before_the_first) {
  ide.lba28(0, 10, 3);
  ide.command(0x30);
  BOOST_TEST(ide.alt_status() == (ide.DRDY | ide.DSC | ide.DRQ));
  BOOST_TEST(!ide.irq());
  for (int i = 0; i < 3; ++i) {
    guest.rep_outs(ide.data_port(), 2, 0x10000, 256);
    BOOST_TEST(ide.irq());
    BOOST_TEST(ide.status() == (i < 2 ? ide.DRDY | ide.DSC | ide.DRQ : ide.DRDY | ide.DSC));
    BOOST_TEST(!ide.irq());
  }
  BOOST_TEST(ide.edges() == 3);
}

namespace {
struct Write {
  unsigned opcode;
  bool extended;
  unsigned block;
  bool durable;
};
std::ostream& operator<<(std::ostream& out, const Write& w) {
  return out << std::hex << w.opcode;
}
const Write kWrites[] = {{0x30, false, 1, false}, {0x31, false, 1, false}, {0x34, true, 1, false},
                         {0x39, true, 16, false}, {0x3c, false, 1, false}, {0xc5, false, 16, false},
                         {0xce, true, 16, true}};
}  // namespace

BOOST_DATA_TEST_CASE(every_pio_write_command_writes_exactly_its_sectors,
                     boost::unit_test::data::make(kWrites),
                     w) {
  for (const unsigned count : {1U, 2U, 15U, 16U, 17U, 40U}) {
    stamp(disk, 500, 60);
    disk.log.clear();
    if (w.extended) {
      ide.lba48(0, 505, count);
    } else {
      ide.lba28(0, 505, count);
    }
    ide.command(w.opcode);
    ide.write_data(salted(505, count), w.block);
    BOOST_TEST(ide.wait() == 0x50);
    BOOST_TEST(same(test::image(disk, 505, count), salted(505, count)));
    BOOST_TEST(same(test::image(disk, 500, 5), patterns(500, 5)));
    BOOST_TEST(same(test::image(disk, 505 + count, 15), patterns(505 + count, 15)));
    for (const auto& entry : disk.log) {
      BOOST_TEST((entry.op == BlockOp::write));
      BOOST_TEST(entry.durable == w.durable);
    }
    // Gathered: not a system call for each sector.
    BOOST_TEST(disk.log.size() == (count + 15) / 16);
  }
}

BOOST_AUTO_TEST_CASE(multiple_moves_blocks_of_the_size_that_was_set) {
  stamp(disk, 64, 21);
  for (const unsigned block : {1U, 2U, 4U, 8U, 16U}) {
    ide.select(0);
    ide.out(2, block);
    ide.command(0xc6);
    BOOST_TEST(ide.status() == 0x50);
    const auto before = ide.edges();
    ide.lba28(0, 64, 21);
    ide.command(0xc4);
    BOOST_TEST(same(ide.read_data(21, block), patterns(64, 21)));
    BOOST_TEST(ide.status() == 0x50);
    (void)before;
    ide.lba48(0, 64, 21);
    ide.command(0x29);
    unsigned blocks = 0;
    for (unsigned left = 21; left != 0; ++blocks) {
      BOOST_REQUIRE((ide.status() & ide.DRQ) != 0);
      const unsigned now = std::min(left, block);
      for (unsigned i = 0; i < now; ++i) {
        BOOST_REQUIRE((ide.alt_status() & ide.DRQ) != 0);
        BOOST_REQUIRE(!ide.irq());  // one interrupt a block, and Status has cleared it
        guest.rep_ins(ide.data_port(), 2, 0x10000, 256);
      }
      left -= now;
    }
    BOOST_TEST(blocks == (21 + block - 1) / block);
    BOOST_TEST(ide.status() == 0x50);
  }
}

BOOST_AUTO_TEST_CASE(multiple_sizes_that_would_overrun_the_buffer_abort) {  // B17
  ide.select(0);
  for (unsigned count = 0; count < 256; ++count) {
    ide.out(2, count);
    ide.command(0xc6);
    const bool good =
        count == 0 || count == 1 || count == 2 || count == 4 || count == 8 || count == 16;
    BOOST_REQUIRE_EQUAL(ide.status(), good ? 0x50 : 0x51);
  }
  ide.out(2, 0);
  ide.command(0xc6);
  for (const unsigned opcode : {0xc4U, 0xc5U, 0x29U, 0x39U, 0xceU}) {
    ide.lba28(0, 0, 1);
    ide.command(opcode);
    BOOST_TEST(ide.status() == 0x51);
    BOOST_TEST(ide.error() == ide.ABRT);
  }
}

BOOST_AUTO_TEST_CASE(a_failed_write_is_a_device_fault_with_the_address) {
  disk.fail_at(403, BlockStatus::no_space);
  ide.lba28(0, 400, 8);
  ide.command(0x30);
  ide.write_data(salted(400, 8));
  BOOST_TEST(ide.wait() == (ide.DRDY | ide.DSC | ide.DF | ide.ERR));
  BOOST_TEST(ide.irq());
  BOOST_TEST(ide.error() == ide.ABRT);
  BOOST_TEST(ide.lba28_now() == 403);
  BOOST_TEST(same(test::image(disk, 400, 3), salted(400, 3)));
}

BOOST_AUTO_TEST_CASE(a_command_that_failed_succeeds_when_it_is_given_again) {
  for (const auto error : {BlockStatus::no_space, BlockStatus::io_error}) {
    const auto data = patterns(400, 8, error == BlockStatus::no_space ? 1 : 2);
    disk.fail_at(403, error);
    ide.lba28(0, 400, 8);
    ide.command(0x30);
    ide.write_data(data);
    BOOST_TEST((ide.wait() & ide.ERR) != 0);
    disk.heal();
    ide.lba28(0, 400, 8);
    ide.command(0x30);
    ide.write_data(data);
    BOOST_TEST(ide.wait() == 0x50);
    BOOST_TEST(same(test::image(disk, 400, 8), data));
    disk.fail_at(400, error);
    ide.lba28(0, 400, 8);
    ide.command(0x20);
    BOOST_TEST(ide.wait() == 0x51);
    disk.heal();
    ide.lba28(0, 400, 8);
    ide.command(0x20);
    BOOST_TEST(same(ide.read_data(8), data));
    BOOST_TEST(ide.wait() == 0x50);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_acknowledged_before_the_write_has_returned) {
  disk.hold();
  ide.lba28(0, 50, 1);
  ide.command(0x30);
  ide.write_data(salted(50, 1));
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  BOOST_TEST(!ide.irq());
  BOOST_REQUIRE(disk.pending() == 1U);
  disk.complete();
  BOOST_TEST(ide.irq());
  BOOST_TEST(ide.status() == 0x50);
}

BOOST_AUTO_TEST_SUITE_END()
