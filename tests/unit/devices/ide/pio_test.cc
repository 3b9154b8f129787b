// SPDX-License-Identifier: MIT
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace dm;
using test::OneDisk;
using test::patterns;
using test::same;
using test::stamp;

namespace {
std::vector<std::byte> salted(std::uint64_t lba, std::uint64_t n) {
  return patterns(lba, n, 7);
}
}  // namespace

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

BOOST_AUTO_TEST_CASE(sequential_reads_cost_one_backend_read_for_64_kib) {
  // SeaBIOS and boot loaders read a kernel with single commands of a few sectors; each must not
  // cost a system call.
  stamp(disk, 2048, 1024);
  for (unsigned at = 0; at < 1024; at += 8) {
    ide.lba28(0, 2048 + at, 8);
    ide.command(0x20);
    BOOST_TEST(same(ide.read_data(8), patterns(2048 + at, 8)));
  }
  BOOST_TEST(disk.log.size() <= 10U);
  for (const auto& entry : disk.log) {
    BOOST_TEST(entry.length <= 65536U);
  }
}

BOOST_AUTO_TEST_CASE(a_long_command_reads_64_kib_at_a_time) {
  stamp(disk, 0, 256);
  ide.lba28(0, 0, 0);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(256), patterns(0, 256)));
  BOOST_TEST(disk.log.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_hit_is_offered_before_the_command_write_is_answered) {
  guest.set_auto_work(false);
  ide.lba28(0, 0, 1);
  ide.command(0x20);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  guest.run_work();
  (void)ide.read_data(1);
  ide.lba28(0, 1, 1);
  ide.command(0x20);
  guest.run_work();
  (void)ide.read_data(1);
  ide.lba28(0, 2, 1);
  ide.command(0x20);
  BOOST_TEST((ide.alt_status() & ide.DRQ) != 0);
}

BOOST_AUTO_TEST_CASE(reading_ahead_never_passes_the_end_of_the_disk) {
  stamp(disk, kSectors - 20, 20);
  for (unsigned at = 0; at < 20; ++at) {
    ide.lba28(0, static_cast<std::uint32_t>(kSectors - 20 + at), 1);
    ide.command(0x20);
    BOOST_TEST(same(ide.read_data(1), patterns(kSectors - 20 + at, 1)));
  }
}

BOOST_AUTO_TEST_CASE(a_write_empties_the_read_ahead) {
  stamp(disk, 100, 16);
  for (unsigned at = 0; at < 3; ++at) {
    ide.lba28(0, 100 + at, 1);
    ide.command(0x20);
    (void)ide.read_data(1);
  }
  ide.lba28(0, 104, 1);
  ide.command(0x30);
  ide.write_data(salted(104, 1));
  BOOST_TEST(ide.wait() == 0x50);
  ide.lba28(0, 104, 1);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(1), salted(104, 1)));
  // By DMA too.
  const drivers::IdeDriver::Prd prd{0x20000, 512};
  test::put_memory(guest, 0x20000, patterns(105, 1, 9));
  BOOST_TEST(ide.write_dma(0, 105, 1, {&prd, 1}).status == 0x50);
  ide.lba28(0, 105, 1);
  ide.command(0x20);
  BOOST_TEST(same(ide.read_data(1), patterns(105, 1, 9)));
}

BOOST_AUTO_TEST_CASE(a_bad_sector_fails_only_the_command_that_asks_for_it) {
  for (const bool silent : {false, true}) {
    disk.heal();
    disk.hide_progress(silent);
    stamp(disk, 200, 16);
    disk.fail_at(206);
    for (unsigned at = 0; at < 6; ++at) {
      ide.lba28(0, 200 + at, 1);
      ide.command(0x20);
      BOOST_TEST(same(ide.read_data(1), patterns(200 + at, 1)));
    }
    ide.lba28(0, 206, 1);
    ide.command(0x20);
    BOOST_TEST(ide.wait() == 0x51);
    BOOST_TEST(ide.irq());
    BOOST_TEST(ide.error() == ide.UNC);
    BOOST_TEST(ide.lba28_now() == 206);
    ide.lba28(0, 207, 1);
    ide.command(0x20);
    BOOST_TEST(same(ide.read_data(1), patterns(207, 1)));
  }
}

BOOST_AUTO_TEST_CASE(a_read_error_names_the_failing_sector_after_the_good_ones) {
  stamp(disk, 300, 10);
  disk.fail_at(304);
  ide.lba48(0, 300, 10);
  ide.command(0x24);
  BOOST_TEST(same(ide.read_data(4), patterns(300, 4)));
  BOOST_TEST(ide.wait() == 0x51);
  BOOST_TEST(ide.error() == ide.UNC);
  BOOST_TEST(ide.lba48_now() == 304);
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

BOOST_AUTO_TEST_CASE(the_data_port_without_drq_or_in_the_wrong_direction_moves_nothing) {  // B18
  disk.stamp(7);
  BOOST_TEST(guest.inw(0x1f0) == 0);
  guest.outw(0x1f0, 0xffff);
  ide.lba28(0, 7, 1);
  ide.command(0x20);
  guest.outw(0x1f0, 0xffff);
  guest.outl(0x1f0, 0xffffffff);
  guest.poke<std::uint64_t>(0x30000, ~0ULL);
  guest.rep_outs(0x1f0, 2, 0x30000, 4);
  BOOST_TEST(same(ide.read_data(1), patterns(7, 1)));
  BOOST_TEST(guest.inl(0x1f0) == 0U);
  ide.lba28(0, 8, 1);
  ide.command(0x30);
  for (int i = 0; i < 300; ++i) {
    BOOST_TEST(guest.inw(0x1f0) == 0);
  }
  guest.rep_ins(0x1f0, 2, 0x30000, 256);
  ide.write_data(salted(8, 1));
  BOOST_TEST(ide.wait() == 0x50);
  BOOST_TEST(same(test::image(disk, 8, 1), salted(8, 1)));
}

BOOST_AUTO_TEST_CASE(a_dword_at_the_last_word_gives_that_word_and_zeros) {  // B18
  disk.stamp(7);
  ide.lba28(0, 7, 1);
  ide.command(0x20);
  guest.rep_ins(0x1f0, 2, 0x10000, 255);
  std::uint16_t last = 0;
  std::memcpy(&last, patterns(7, 1).data() + 510, 2);
  BOOST_TEST(guest.inl(0x1f0) == last);
  BOOST_TEST(ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(a_dword_run_over_an_odd_number_of_words_stays_inside_the_block) {
  stamp(disk, 7, 1);
  ide.lba28(0, 7, 1);
  ide.command(0x20);
  (void)guest.inw(0x1f0);
  guest.ram()[0x10000 + 512] = std::byte{0x77};
  guest.rep_ins(0x1f0, 4, 0x10000, 128);  // two bytes more than there are
  const auto got = test::memory(guest, 0x10000, 512);
  const auto want = patterns(7, 1);
  BOOST_TEST(same(std::span{got}.first(510), std::span{want}.subspan(2)));
  BOOST_TEST(std::to_integer<int>(got[510]) == 0);
  BOOST_TEST(ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_longer_than_the_data_reads_zeros_at_its_end) {
  stamp(disk, 7, 1);
  ide.lba28(0, 7, 1);
  ide.command(0x20);
  std::memset(guest.ram().subspan(0x10000, 4096).data(), 0x55, 4096);
  guest.rep_ins(0x1f0, 2, 0x10000, 2048);
  const auto got = test::memory(guest, 0x10000, 4096);
  BOOST_TEST(same(std::span{got}.first(512), patterns(7, 1)));
  BOOST_TEST(same(std::span{got}.subspan(512), std::vector<std::byte>(4096 - 512)));
}

BOOST_AUTO_TEST_CASE(a_run_over_several_blocks_takes_them_all) {
  stamp(disk, 7, 8);
  ide.lba28(0, 7, 8);
  ide.command(0x20);
  guest.rep_ins(0x1f0, 2, 0x10000, 2048);
  BOOST_TEST(same(test::memory(guest, 0x10000, 4096), patterns(7, 8)));
  BOOST_TEST(ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(a_descending_run_fills_memory_downwards) {
  stamp(disk, 7, 1);
  ide.lba28(0, 7, 1);
  ide.command(0x20);
  guest.rep_ins(0x1f0, 2, 0x10000 + 510, 256, true);
  const auto got = test::memory(guest, 0x10000, 512);
  const auto want = patterns(7, 1);
  for (unsigned i = 0; i < 256; ++i) {
    BOOST_REQUIRE((got[2 * i] == want[510 - 2 * i] && got[2 * i + 1] == want[511 - 2 * i]));
  }
}

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
