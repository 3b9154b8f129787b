// SPDX-License-Identifier: MIT
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace dm;
using drivers::IdeDriver;
using test::OneDisk;
using test::patterns;
using test::same;
using test::stamp;
using Prd = IdeDriver::Prd;

namespace {
constexpr std::uint32_t kBuffer = 0x200000;
}

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

BOOST_AUTO_TEST_CASE(various_prdts) {
  // QEMU's ide-test /ide/bmdma/various_prdts, thinned: sectors by powers of two, one region of
  // every eleventh size.
  unsigned requests = 0;
  for (unsigned sectors = 1; sectors <= 256; sectors *= 2) {
    for (unsigned size = 0; size < 65536; size += 256) {
      const unsigned region = size == 0 ? 65536 : size;
      const unsigned wanted = sectors * 512;
      if (size % 2816 != 0 && region != wanted && region + 256 != wanted &&
          region != wanted + 256) {
        continue;
      }
      for (const bool abort : {false, true}) {
        const Prd prd{0, size};
        ide.prepare_dma({&prd, 1}, 0x180000);  // the buffer is at address 0, as QEMU's test has it
        ide.lba28(0, 0, sectors);
        ide.command(0xc8);
        ide.bm_command(9);
        if (abort) {
          ide.bm_command(0);
        }
        const auto r = ide.poll_dma();
        const unsigned expected = region < wanted ? 0x00 : region == wanted || abort ? 0x04 : 0x05;
        BOOST_REQUIRE_MESSAGE(r.bm == expected, sectors << " sectors, region of " << region
                                                        << (abort ? ", aborted" : "") << ": "
                                                        << int{r.bm});
        BOOST_REQUIRE_EQUAL(r.status, 0x50);
        BOOST_REQUIRE_EQUAL(r.irq, (expected & 4U) != 0);
        BOOST_REQUIRE_EQUAL(ide.bm_status() & ide.ACTIVE, 0);
        ++requests;
      }
    }
  }
  BOOST_TEST(requests > 400U);
}

BOOST_AUTO_TEST_CASE(no_busmaster) {
  // QEMU's ide-test /ide/bmdma/no_busmaster: nothing can be fetched, so the table reads as zeros
  // and data goes nowhere.
  ide.enable(3);
  const std::vector<Prd> prds(512, Prd{0, 0});
  std::memset(guest.ram().data(), 0x5a, 0x4000);
  ide.bm_command(0);
  ide.bm_status(6);
  ide.bm_table(0x8000);
  ide.lba28(0, 0, 0);
  ide.command(0xc8);
  const auto r = ide.run_dma(true);
  BOOST_TEST(r.bm == 0x05);
  BOOST_TEST(r.status == 0x50);
  BOOST_TEST(std::to_integer<int>(guest.ram()[0]) == 0x5a);
}

BOOST_AUTO_TEST_CASE(a_write_without_bus_mastering_never_reaches_the_disk) {
  stamp(disk, 5, 1);
  ide.enable(3);
  const Prd prd{kBuffer, 512};
  const auto r = ide.write_dma(0, 5, 1, {&prd, 1});
  BOOST_TEST(r.bm == (ide.INTR | ide.BM_ERROR));
  BOOST_TEST(r.status == 0x51);
  BOOST_TEST(r.error == ide.ABRT);
  BOOST_TEST(same(test::image(disk, 5, 1), patterns(5, 1)));
  BOOST_TEST(disk.log.empty());
}

BOOST_AUTO_TEST_CASE(regions_may_be_scattered_uneven_and_out_of_order) {
  stamp(disk, 100, 16);
  const Prd prds[] = {{kBuffer + 0x9000, 2},
                      {kBuffer + 0x100, 4094},
                      {kBuffer + 0x3002, 510},
                      {kBuffer + 0x20000, 3000},
                      {kBuffer + 0x1800, 586}};
  BOOST_TEST(ide.read_dma(0, 100, 16, prds).bm == 0x04);
  std::vector<std::byte> got;
  for (const auto& prd : prds) {
    const auto part = test::memory(guest, prd.base, prd.bytes);
    got.insert(got.end(), part.begin(), part.end());
  }
  BOOST_TEST(same(got, patterns(100, 16)));
  BOOST_TEST(disk.log.size() == 1U);  // one vectored read
  // And back to another place.
  BOOST_TEST(ide.write_dma(0, 5000, 16, prds).bm == 0x04);
  BOOST_TEST(same(test::image(disk, 5000, 16), patterns(100, 16)));
}

BOOST_AUTO_TEST_CASE(odd_bases_and_counts_lose_their_lowest_bit) {
  stamp(disk, 3, 1);
  const Prd prd{kBuffer | 1U, 513};
  BOOST_TEST(ide.read_dma(0, 3, 1, {&prd, 1}).bm == 0x04);
  BOOST_TEST(same(test::memory(guest, kBuffer, 512), patterns(3, 1)));
}

BOOST_AUTO_TEST_CASE(many_tiny_regions_are_submitted_in_whole_sectors) {  // B2, B3, B4
  // 512 entries of 4 bytes: four sectors, and more spans than one transfer takes.
  stamp(disk, 10, 4);
  std::vector<Prd> prds;
  for (unsigned i = 0; i < 512; ++i) {
    prds.push_back({kBuffer + i * 16, 4});
  }
  BOOST_TEST(ide.read_dma(0, 10, 4, prds).bm == 0x04);
  std::vector<std::byte> got;
  for (const auto& prd : prds) {
    const auto part = test::memory(guest, prd.base, prd.bytes);
    got.insert(got.end(), part.begin(), part.end());
  }
  BOOST_TEST(same(got, patterns(10, 4)));
  // 256 spans that are no whole number of sectors: 2 + 255 * 4 bytes, and two more make 1024.
  std::vector<Prd> uneven = prds;
  uneven.resize(257);
  uneven.front().bytes = 2;
  uneven.back().bytes = 2;
  BOOST_TEST(ide.read_dma(0, 10, 2, uneven).bm == 0x04);
  for (const auto& entry : disk.log) {
    BOOST_TEST(entry.length % 512 == 0U);
  }
  // 512 entries of 2 bytes are two sectors, one entry less is short.
  for (auto& prd : prds) {
    prd.bytes = 2;
  }
  BOOST_TEST(ide.read_dma(0, 10, 2, prds).bm == 0x04);
  prds.pop_back();
  BOOST_TEST(ide.read_dma(0, 10, 2, prds).bm == 0x00);
}

BOOST_AUTO_TEST_CASE(a_table_without_an_end_is_read_for_512_entries) {  // B2
  for (unsigned i = 0; i < 1024; ++i) {
    guest.poke<std::uint32_t>(0x8000 + 8 * i, kBuffer);
    guest.poke<std::uint32_t>(0x8000 + 8 * i + 4, 64);
  }
  ide.bm_command(0);
  ide.bm_status(6);
  ide.bm_table(0x8000);
  ide.lba28(0, 0, 128);
  ide.command(0xc8);
  // 512 times 64 bytes are 64 sectors: too short for 128, whatever follows.
  BOOST_TEST(ide.run_dma(true).bm == 0x00);
  ide.bm_command(0);
  ide.lba28(0, 0, 64);
  ide.command(0xc8);
  BOOST_TEST(ide.run_dma(true).bm == 0x05);  // covers it, but has not ended
}

BOOST_AUTO_TEST_CASE(a_short_table_writes_nothing_and_raises_nothing) {
  stamp(disk, 20, 4);
  const Prd prd{kBuffer, 1536};
  const auto edges = ide.edges();
  const auto r = ide.write_dma(0, 20, 4, {&prd, 1});
  BOOST_TEST(r.bm == 0x00);
  BOOST_TEST(r.status == 0x50);
  BOOST_TEST(ide.edges() == edges);
  BOOST_TEST(same(test::image(disk, 20, 4), patterns(20, 4)));
  BOOST_TEST(disk.log.empty());
  // Time-out, reset, and the drive works again.
  ide.soft_reset();
  const Prd whole{kBuffer, 2048};
  BOOST_TEST(ide.read_dma(0, 20, 4, {&whole, 1}).bm == 0x04);
}

BOOST_AUTO_TEST_CASE(lba48_moves_32_mib_with_65536_sectors) {
  rig::SimGuest::Options options;
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
  const Prd prd{kBuffer, 512};
  ide.prepare_dma({&prd, 1});
  ide.lba28(0, 9, 1);
  ide.command(0xc8);
  ide.bm_command(9);
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

BOOST_AUTO_TEST_CASE(bm_status_bits_clear_by_writing_ones_and_keep_the_capable_bits) {
  ide.bm_status(0x60);
  BOOST_TEST(ide.bm_status() == 0x60);
  ide.command(0x10);  // a PIO-class interrupt latches too
  BOOST_TEST(ide.bm_status() == 0x64);
  ide.bm_status(0x60);
  BOOST_TEST(ide.bm_status() == 0x64);
  ide.bm_status(0x24);
  BOOST_TEST(ide.bm_status() == 0x20);
  BOOST_TEST(ide.irq());  // the line is the drive's business
  ide.bm_status(0x9b);
  BOOST_TEST(ide.bm_status() == 0x00);
}

BOOST_AUTO_TEST_CASE(bm_interrupt_bit_latches_edges_only) {
  ide.command(0x10);
  ide.bm_status(4);
  BOOST_TEST(ide.bm_status() == 0);
  (void)ide.status();
  BOOST_TEST(ide.bm_status() == 0);
  ide.control(ide.nIEN);
  ide.command(0x10);
  BOOST_TEST(ide.bm_status() == 0);
  ide.control(0);
  BOOST_TEST(ide.bm_status() == 4);
}

BOOST_AUTO_TEST_CASE(bus_master_registers_take_any_width) {
  guest.outl(0xc004, 0x12345677);
  BOOST_TEST(guest.inl(0xc004) == 0x12345674U);
  BOOST_TEST(guest.inw(0xc006) == 0x1234);
  guest.outb(0xc005, 0xaa);
  BOOST_TEST(guest.inl(0xc004) == 0x1234aa74U);
  guest.outw(0xc006, 0x5678);
  BOOST_TEST(guest.inl(0xc004) == 0x5678aa74U);
  BOOST_TEST(guest.inb(0xc001) == 0xff);
  BOOST_TEST(guest.inb(0xc003) == 0xff);
  guest.outb(0xc000, 0xf8);
  BOOST_TEST(guest.inb(0xc000) == 0x08);
  guest.outb(0xc008, 0x08);
  BOOST_TEST(guest.inl(0xc008) == 0xff00ff08U);
  BOOST_TEST(guest.inb(0xc000) == 0x08);
  guest.outl(0xc006, 0xffffffff);  // crosses into the secondary channel
  BOOST_TEST(guest.inl(0xc004) == 0xffffaa74U);
}

BOOST_AUTO_TEST_CASE(start_without_a_command_waits_and_stop_ends_it) {  // B21
  const Prd prd{kBuffer, 512};
  ide.prepare_dma({&prd, 1});
  ide.bm_command(9);
  BOOST_TEST(ide.bm_status() == ide.ACTIVE);
  ide.bm_command(9);  // the same value again changes nothing
  BOOST_TEST(ide.bm_status() == ide.ACTIVE);
  ide.bm_command(0);
  BOOST_TEST(ide.bm_status() == 0);
  // A command without a start waits with BSY; a stop is nothing to it.
  stamp(disk, 2, 1);
  ide.lba28(0, 2, 1);
  ide.command(0xc8);
  ide.bm_command(0);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  BOOST_TEST(disk.log.empty());
  BOOST_TEST(ide.run_dma(true).bm == 0x04);
}

BOOST_AUTO_TEST_CASE(a_start_serves_one_command) {
  const Prd prd{kBuffer, 1024};
  ide.prepare_dma({&prd, 1});
  ide.lba28(0, 2, 1);
  ide.command(0xc8);
  ide.bm_command(9);
  BOOST_TEST(ide.bm_status() == 0x05);  // longer: stays active
  (void)ide.status();
  ide.lba28(0, 3, 1);
  ide.command(0xc8);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  ide.bm_command(0);
  ide.bm_status(4);
  BOOST_TEST(ide.run_dma(true).bm == 0x05);
}

BOOST_AUTO_TEST_CASE(start_latches_the_table_address) {  // B21
  stamp(disk, 2, 1);
  guest.set_auto_work(false);
  const Prd first{kBuffer, 512};
  const Prd second{kBuffer + 0x1000, 512};
  ide.prepare_dma({&first, 1});
  ide.put_prds(0x9000, {&second, 1});
  ide.lba28(0, 2, 1);
  ide.command(0xc8);
  ide.bm_command(9);
  ide.bm_table(0x9000);
  guest.run_work();
  BOOST_TEST(same(test::memory(guest, kBuffer, 512), patterns(2, 1)));
  BOOST_TEST(same(test::memory(guest, kBuffer + 0x1000, 512), std::vector<std::byte>(512)));
}

BOOST_AUTO_TEST_CASE(a_storm_of_starts_and_stops_changes_no_data) {  // B21
  stamp(disk, 2, 8);
  const Prd prd{kBuffer, 4096};
  for (int i = 0; i < 1000; ++i) {
    guest.set_auto_work(i % 3 == 0);
    ide.prepare_dma({&prd, 1});
    if (i % 2 == 0) {
      ide.lba28(0, 2, 8);
      ide.command(0xc8);
    }
    ide.bm_command(9);
    ide.bm_command(i % 5 == 0 ? 0 : 9);
    ide.bm_command(0);
    ide.soft_reset();
  }
  guest.set_auto_work(true);
  guest.run_work();
  BOOST_TEST(same(test::image(disk, 2, 8), patterns(2, 8)));
  BOOST_TEST(ide.read_dma(0, 2, 8, {&prd, 1}).bm == 0x04);
  BOOST_TEST(same(test::memory(guest, kBuffer, 4096), patterns(2, 8)));
}

BOOST_AUTO_TEST_CASE(stopping_waits_until_nothing_moves_any_more) {
  stamp(disk, 2, 8);
  disk.hold();
  const Prd prd{kBuffer, 4096};
  ide.prepare_dma({&prd, 1});
  ide.lba28(0, 2, 8);
  ide.command(0xc8);
  ide.bm_command(9);
  BOOST_TEST(disk.pending() == 1U);
  ide.bm_command(0);
  BOOST_TEST(disk.pending() == 0U);
  BOOST_TEST(ide.bm_status() == 0x04);
  BOOST_TEST(same(test::memory(guest, kBuffer, 4096), patterns(2, 8)));
}

namespace {
struct Bad {
  const char* what;
  std::uint32_t base;
  std::uint32_t bytes;
};
std::ostream& operator<<(std::ostream& out, const Bad& b) {
  return out << b.what;
}
const Bad kBad[] = {{"a hole", 0x80000000, 4096},
                    {"the end of memory", 0x1000000 - 2048, 4096},
                    {"the end of the address space", 0xfffffffe, 4096},
                    {"a wrap past 4 GiB", 0xfffff000, 65536},
                    {"the VGA hole's successor, an MMIO page", 0xfee00000, 4096}};
}  // namespace

BOOST_DATA_TEST_CASE(dma_to_what_is_not_memory_is_a_bus_error,
                     boost::unit_test::data::make(kBad),
                     bad) {  // B22
  stamp(disk, 2, 8);
  const Prd prd{bad.base, bad.bytes};
  for (const bool write : {false, true}) {
    const auto r = write ? ide.write_dma(0, 2, 8, {&prd, 1}) : ide.read_dma(0, 2, 8, {&prd, 1});
    BOOST_TEST((r.bm & ide.ACTIVE) == 0);
    BOOST_TEST((r.bm & (ide.INTR | ide.BM_ERROR)) == (ide.INTR | ide.BM_ERROR));
    BOOST_TEST(r.status == 0x51);
    BOOST_TEST(r.error == ide.ABRT);
    BOOST_TEST(r.irq);
  }
  BOOST_TEST(same(test::image(disk, 2, 8), patterns(2, 8)));
  BOOST_TEST(disk.log.empty());
  const Prd good{kBuffer, 4096};
  BOOST_TEST(ide.read_dma(0, 2, 8, {&good, 1}).bm == 0x04);
}

BOOST_AUTO_TEST_CASE(a_table_that_is_not_memory_is_a_bus_error) {  // B22
  for (const std::uint32_t at : {0x80000000U, 0xfffffffcU, 0x1000000U - 4U, 0x00ffffffU}) {
    ide.bm_command(0);
    ide.bm_status(6);
    ide.bm_table(at);
    ide.lba28(0, 0, 1);
    ide.command(0xc8);
    const auto r = ide.run_dma(true);
    BOOST_TEST(r.bm == (ide.INTR | ide.BM_ERROR));
    BOOST_TEST(r.status == 0x51);
  }
}

BOOST_AUTO_TEST_CASE(a_table_may_end_with_memory_and_cross_pages) {
  stamp(disk, 30, 4);
  // Entries on both sides of a page boundary, one across it, the table 4-byte aligned only.
  const Prd prds[] = {{kBuffer, 512}, {kBuffer + 4096, 512}, {kBuffer + 8192, 1024}};
  ide.prepare_dma(prds, 0x8ff4);
  ide.lba28(0, 30, 4);
  ide.command(0xc8);
  BOOST_TEST(ide.run_dma(true).bm == 0x04);
  BOOST_TEST(same(test::memory(guest, kBuffer + 8192, 1024), patterns(32, 2)));
  const Prd last{kBuffer, 512};
  ide.prepare_dma({&last, 1}, 0x1000000 - 8);
  ide.lba28(0, 30, 1);
  ide.command(0xc8);
  BOOST_TEST(ide.run_dma(true).bm == 0x04);
}

BOOST_AUTO_TEST_CASE(the_table_is_read_once) {  // B23
  // 2 MiB in two submissions; between them the guest rewrites the table.
  stamp(disk, 0, 4096);
  guest.set_auto_work(false);
  std::vector<Prd> prds;
  for (unsigned i = 0; i < 32; ++i) {
    prds.push_back({kBuffer + i * 65536, 65536});
  }
  ide.prepare_dma(prds);
  ide.lba48(0, 0, 4096);
  ide.command(0x25);
  ide.bm_command(9);
  BOOST_TEST(guest.work().run_one());
  std::memset(guest.ram().subspan(0x8000, 256).data(), 0xff, 256);
  guest.run_work();
  BOOST_TEST(ide.bm_status() == 0x04);
  BOOST_TEST(same(test::memory(guest, kBuffer, 4096 * 512), patterns(0, 4096)));
}

BOOST_AUTO_TEST_CASE(losing_bus_mastering_half_way_stops_the_data) {  // B24
  guest.set_auto_work(false);
  stamp(disk, 0, 4096);
  std::vector<Prd> prds;
  for (unsigned i = 0; i < 32; ++i) {
    prds.push_back({kBuffer + i * 65536, 65536});
  }
  ide.prepare_dma(prds);
  ide.lba48(0, 8192, 4096);
  ide.command(0x35);
  ide.bm_command(1);
  BOOST_TEST(guest.work().run_one());
  BOOST_TEST(disk.log.size() == 1U);
  guest.config_write(ide.kBdf, 4, 2, 3);
  guest.run_work();
  BOOST_TEST(ide.bm_status() == (ide.INTR | ide.BM_ERROR));
  BOOST_TEST(ide.status() == 0x51);
  BOOST_TEST(disk.log.size() == 1U);
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
  const Prd prd{kBuffer, 4096};
  ide.prepare_dma({&prd, 1});
  ide.lba28(0, 2, 8);
  ide.command(0xc8);
  ide.bm_command(9);
  guest.memory().invalidate();
  disk.complete();
  BOOST_TEST(same(test::memory(guest, kBuffer, 4096), patterns(2, 8)));
  guest.memory().invalidate();
  BOOST_TEST(guest.memory().mapped_windows() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ide_bus_master)

namespace {
/// RAM on both sides of 4 GiB, which the simulated guest does not have.
struct HighMemory final : MemoryMapper {
  std::byte* map(std::uint64_t number, WindowPages& present) noexcept override {
    if (number != 2047 && number != 2048) {
      return nullptr;
    }
    present.set();
    return windows.at(number - 2047).data();
  }
  void unmap(std::byte* /*window*/) noexcept override {}
  void put(std::uint64_t gpa, std::uint64_t value) {
    std::memcpy(windows.at((gpa >> 21U) - 2047).data() + gpa % (1U << 21U), &value, sizeof value);
  }
  std::vector<std::vector<std::byte>> windows{2, std::vector<std::byte>(std::size_t{1} << 21U)};
};
constexpr std::uint64_t kTop = std::uint64_t{1} << 32U;
}  // namespace

BOOST_AUTO_TEST_CASE(no_address_passes_4_gib_even_where_there_is_memory) {  // B22
  HighMemory high;
  GuestMemory memory{high, {.windows = 4}};
  ide::BusMaster bm{memory};
  bm.enable(true);
  const auto start = [&](std::uint64_t table) {
    for (unsigned i = 0; i < 4; ++i) {
      bm.write(static_cast<std::uint8_t>(4 + i),
               static_cast<std::uint8_t>(table >> (8 * i) & 0xffU));
    }
    (void)bm.write_command(0);
    return bm.write_command(1);
  };
  high.put(kTop - 8, 0x80000000'00000000U | std::uint64_t{1024} << 32U | 0xfffffe00U);
  BOOST_TEST(start(kTop - 8));
  BOOST_TEST((bm.begin(1024, Dma::to_guest) == ide::PrdFit::equal));
  {
    DmaBuffer buffer;
    BOOST_TEST((bm.gather(buffer, 1024).piece == ide::BusMaster::Piece::fault));
    BOOST_TEST(buffer.empty());
  }
  // The region ends exactly at 4 GiB.
  high.put(kTop - 8, 0x80000000'00000000U | std::uint64_t{512} << 32U | 0xfffffe00U);
  BOOST_TEST(start(kTop - 8));
  BOOST_TEST((bm.begin(512, Dma::to_guest) == ide::PrdFit::equal));
  {
    DmaBuffer buffer;
    BOOST_TEST(bm.gather(buffer, 512).bytes == 512U);
  }
  // A table that would go on beyond.
  high.put(kTop - 8, std::uint64_t{512} << 32U | 0xfffff000U);
  high.put(kTop, 0x80000000'00000000U | std::uint64_t{512} << 32U | 0xfffff200U);
  BOOST_TEST(start(kTop - 8));
  BOOST_TEST((bm.begin(1024, Dma::to_guest) == ide::PrdFit::fault));
}

BOOST_AUTO_TEST_SUITE_END()
