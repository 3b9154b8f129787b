// SPDX-License-Identifier: MIT
// DMA commands of a disk: their sectors, their interrupt, their errors.
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/unit_test.hpp>

using namespace dm;
using test::kBuffer;
using test::OneDisk;
using test::patterns;
using test::Prd;
using test::same;
using test::stamp;

BOOST_FIXTURE_TEST_SUITE(ide_dma, OneDisk)

BOOST_AUTO_TEST_CASE(simple_rw) {
  // QEMU's ide-test /ide/bmdma/simple_rw.
  const std::vector<std::byte> fives(512, std::byte{0x55});
  const std::vector<std::byte> aas(512, std::byte{0xaa});
  const Prd prd{kBuffer, 512};
  unsigned sector = 0;
  for (const auto& data : {fives, aas}) {
    test::put_memory(guest, kBuffer, data);
    ide.prepare_dma({&prd, 1});
    ide.lba28(0, sector++, 1);
    ide.command(0xca);
    const auto r = ide.run_dma(false);
    BOOST_TEST(r.bm == 0x04);  // exactly: the capable bits are software's
    BOOST_TEST(r.status == 0x50);
    BOOST_TEST(r.irq);
    BOOST_TEST(!ide.irq());
  }
  sector = 0;
  for (const auto& data : {fives, aas}) {
    ide.prepare_dma({&prd, 1});
    ide.lba28(0, sector++, 1);
    ide.command(0xc8);
    BOOST_TEST(ide.run_dma(true).bm == 0x04);
    BOOST_TEST(same(test::memory(guest, kBuffer, 512), data));
  }
}

BOOST_AUTO_TEST_CASE(every_dma_opcode_moves_its_sectors_either_way_round) {
  stamp(disk, 1000, 8);
  const Prd prd{kBuffer, 4096};
  for (const unsigned opcode : {0xc8U, 0xc9U, 0x25U}) {
    for (const bool start_first : {false, true}) {
      ide.prepare_dma({&prd, 1});
      std::memset(guest.ram().subspan(kBuffer, 4096).data(), 0, 4096);
      if (start_first) {
        ide.bm_command(9);
        BOOST_TEST(ide.bm_status() == ide.ACTIVE);
      }
      if (opcode == 0x25) {
        ide.lba48(0, 1000, 8);
      } else {
        ide.lba28(0, 1000, 8);
      }
      ide.command(opcode);
      const auto r = start_first ? ide.poll_dma() : ide.run_dma(true);
      BOOST_TEST(r.bm == 0x04);
      BOOST_TEST(r.status == 0x50);
      BOOST_TEST(same(test::memory(guest, kBuffer, 4096), patterns(1000, 8)));
    }
  }
  for (const unsigned opcode : {0xcaU, 0xcbU, 0x35U, 0x3dU}) {
    disk.log.clear();
    test::put_memory(guest, kBuffer, patterns(1000, 8, opcode));
    ide.prepare_dma({&prd, 1});
    if (opcode == 0x35 || opcode == 0x3d) {
      ide.lba48(0, 1000, 8);
    } else {
      ide.lba28(0, 1000, 8);
    }
    ide.command(opcode);
    BOOST_TEST(ide.run_dma(false).bm == 0x04);
    BOOST_TEST(same(test::image(disk, 1000, 8), patterns(1000, 8, opcode)));
    BOOST_REQUIRE(disk.log.size() == 1U);
    BOOST_TEST(disk.log[0].durable == (opcode == 0x3d));
  }
}

BOOST_AUTO_TEST_CASE(lba48_moves_32_mib_with_65536_sectors) {
  rig::ScriptedBlock big{65536 * 512};
  test::IdeMachine m{{&big, nullptr, nullptr, nullptr}};
  m.ide0.enable();
  stamp(big, 0, 1);
  stamp(big, 65535, 1);
  // 512 regions of 64 KiB; the RAM is smaller, so they repeat.
  std::vector<Prd> prds(512, Prd{kBuffer, 65536});
  const auto r = m.ide0.read_dma(0, 0, 0, prds);
  BOOST_TEST(r.bm == 0x04);
  BOOST_TEST(same(test::memory(m.guest, kBuffer + 65024, 512), patterns(65535, 1)));
  for (const auto& entry : big.log) {
    BOOST_TEST(entry.length <= 1U << 20);
  }
  BOOST_TEST(big.log.size() == 32U);
}

BOOST_AUTO_TEST_CASE(one_unit_of_work_is_one_submission) {
  guest.set_auto_work(false);
  std::vector<Prd> prds(64, Prd{kBuffer, 65536});
  ide.prepare_dma(prds);
  ide.lba48(0, 0, 8192);
  ide.command(0x25);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  ide.bm_command(9);
  BOOST_TEST(ide.bm_status() == ide.ACTIVE);
  BOOST_TEST(disk.log.empty());  // answered first
  unsigned units = 0;
  while (guest.work().run_one()) {
    ++units;
    BOOST_TEST(disk.log.size() == units);
  }
  BOOST_TEST(units == 4U);
  BOOST_TEST(ide.bm_status() == ide.INTR);
}

BOOST_AUTO_TEST_CASE(the_interrupt_follows_the_data_and_the_end_of_activity) {
  stamp(disk, 9, 1);
  disk.hold();
  start_read(9, 1);
  BOOST_TEST(ide.bm_status() == ide.ACTIVE);
  BOOST_TEST(ide.alt_status() == (ide.BSY | ide.DRDY | ide.DSC));
  BOOST_TEST(!ide.irq());
  disk.complete();
  BOOST_TEST(ide.irq());
  BOOST_TEST(ide.bm_status() == ide.INTR);
  BOOST_TEST(ide.alt_status() ==
             0x50);  // DRQ gone when the bus master says so, or Linux sees an HSM violation
  BOOST_TEST(same(test::memory(guest, kBuffer, 512), patterns(9, 1)));
}

BOOST_AUTO_TEST_CASE(a_read_error_names_the_sector) {
  stamp(disk, 40, 8);
  disk.fail_at(44);
  const Prd prd{kBuffer, 4096};
  const auto r = ide.read_dma(0, 40, 8, {&prd, 1});
  BOOST_TEST(r.bm == 0x04);
  BOOST_TEST(r.status == 0x51);
  BOOST_TEST(r.error == ide.UNC);
  BOOST_TEST(ide.lba48_now() == 44U);
}

BOOST_AUTO_TEST_CASE(a_write_error_is_a_device_fault) {
  disk.fail_at(44, BlockStatus::no_space);
  const Prd prd{kBuffer, 4096};
  const auto r = ide.write_dma(0, 40, 8, {&prd, 1});
  BOOST_TEST(r.bm == 0x04);
  BOOST_TEST(r.status == (ide.DRDY | ide.DSC | ide.DF | ide.ERR));
  BOOST_TEST(r.error == ide.ABRT);
  BOOST_TEST(ide.lba48_now() == 44U);
}

// What the medium could not do once it may do a moment later: an image's file system gets room
// again. A driver then gives the same command anew, without a reset.
BOOST_AUTO_TEST_CASE(a_command_that_failed_succeeds_when_it_is_given_again) {
  const Prd prd{kBuffer, 4096};
  for (const auto error : {BlockStatus::no_space, BlockStatus::io_error}) {
    const auto data = patterns(40, 8, error == BlockStatus::no_space ? 1 : 2);
    test::put_memory(guest, kBuffer, data);
    disk.fail_at(44, error);
    BOOST_TEST(ide.write_dma(0, 40, 8, {&prd, 1}).status == 0x71);  // DRDY, DF, DSC, ERR
    disk.heal();
    const auto again = ide.write_dma(0, 40, 8, {&prd, 1});
    BOOST_TEST(again.bm == ide.INTR);
    BOOST_TEST(again.irq);
    BOOST_TEST(again.status == 0x50);
    BOOST_TEST(same(test::image(disk, 40, 8), data));
    disk.fail_at(41, error);
    BOOST_TEST(ide.read_dma(0, 40, 8, {&prd, 1}).status == 0x51);
    disk.heal();
    std::memset(guest.ram().subspan(kBuffer, 4096).data(), 0, 4096);
    BOOST_TEST(ide.read_dma(0, 40, 8, {&prd, 1}).status == 0x50);
    BOOST_TEST(same(test::memory(guest, kBuffer, 4096), data));
  }
}

BOOST_AUTO_TEST_CASE(out_of_range_fails_at_once_and_the_bus_master_stays_idle) {
  const Prd prd{kBuffer, 512};
  ide.prepare_dma({&prd, 1});
  ide.lba28(0, static_cast<std::uint32_t>(kSectors), 1);
  ide.command(0xc8);
  BOOST_TEST(ide.irq());
  BOOST_TEST(ide.status() == 0x51);
  ide.bm_command(9);
  BOOST_TEST(ide.bm_status() == (ide.ACTIVE | ide.INTR));  // it waits for a drive that is done
  ide.bm_command(0);
  BOOST_TEST(ide.bm_status() == ide.INTR);
}

BOOST_AUTO_TEST_CASE(both_channels_transfer_at_the_same_time) {
  rig::ScriptedBlock first{1 << 20};
  rig::ScriptedBlock second{1 << 20};
  test::IdeMachine m{{&first, nullptr, &second, nullptr}};
  m.ide0.enable();
  stamp(first, 0, 8);
  stamp(second, 100, 8);
  first.hold();
  second.hold();
  const Prd a{kBuffer, 4096};
  const Prd b{kBuffer + 4096, 4096};
  m.ide0.prepare_dma({&a, 1}, 0x8000);
  m.ide1.prepare_dma({&b, 1}, 0x9000);
  m.ide0.lba28(0, 0, 8);
  m.ide0.command(0xc8);
  m.ide1.lba28(0, 100, 8);
  m.ide1.command(0xc8);
  m.ide0.bm_command(9);
  m.ide1.bm_command(9);
  second.complete();  // out of order
  BOOST_TEST(m.ide1.poll_dma().bm == 0x04);
  BOOST_TEST(m.ide0.bm_status() == m.ide0.ACTIVE);
  first.complete();
  BOOST_TEST(m.ide0.poll_dma().bm == 0x04);
  BOOST_TEST(same(test::memory(m.guest, kBuffer, 4096), patterns(0, 8)));
  BOOST_TEST(same(test::memory(m.guest, kBuffer + 4096, 4096), patterns(100, 8)));
}

BOOST_AUTO_TEST_CASE(reads_mark_pages_dirty_and_writes_do_not) {
  struct Sink final : DirtySink {
    void written(std::uint64_t first, std::uint64_t count) noexcept override {
      if (first <= kBuffer / 4096 && kBuffer / 4096 < first + count) {
        ++hits;
      }
      pages += count;
    }
    unsigned hits = 0;
    std::uint64_t pages = 0;
  } sink;
  guest.memory().track_dirty(&sink);
  const Prd prd{kBuffer, 8192};
  BOOST_TEST(ide.write_dma(0, 0, 16, {&prd, 1}).bm == 0x04);
  BOOST_TEST(sink.pages == 0U);
  BOOST_TEST(ide.read_dma(0, 0, 16, {&prd, 1}).bm == 0x04);
  BOOST_TEST(sink.hits == 1U);
  BOOST_TEST(sink.pages == 2U);
  guest.memory().track_dirty(nullptr);
}

BOOST_AUTO_TEST_CASE(memory_stays_mapped_across_invalidate_while_a_read_is_under_way) {
  stamp(disk, 2, 8);
  disk.hold();
  start_read(2, 8);
  guest.memory().invalidate();
  disk.complete();
  BOOST_TEST(same(test::memory(guest, kBuffer, 4096), patterns(2, 8)));
  guest.memory().invalidate();
  BOOST_TEST(guest.memory().mapped_windows() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
