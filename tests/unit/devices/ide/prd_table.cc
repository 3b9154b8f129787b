// SPDX-License-Identifier: MIT
// PRD tables, as guests make them and as hostile ones do.
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace dm;
using test::kBuffer;
using test::OneDisk;
using test::patterns;
using test::Prd;
using test::same;
using test::stamp;

BOOST_FIXTURE_TEST_SUITE(ide_prd_table, OneDisk)

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

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ide_prd_table_in_high_memory)

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
  BOOST_TEST((bm.begin(1024, Dma::to_guest) == ata::TransferPort::Fit::equal));
  {
    DmaBuffer buffer;
    BOOST_TEST((bm.gather(buffer, 1024).piece == ide::BusMaster::Piece::fault));
    BOOST_TEST(buffer.empty());
  }
  // The region ends exactly at 4 GiB.
  high.put(kTop - 8, 0x80000000'00000000U | std::uint64_t{512} << 32U | 0xfffffe00U);
  BOOST_TEST(start(kTop - 8));
  BOOST_TEST((bm.begin(512, Dma::to_guest) == ata::TransferPort::Fit::equal));
  {
    DmaBuffer buffer;
    BOOST_TEST(bm.gather(buffer, 512).bytes == 512U);
  }
  // A table that would go on beyond.
  high.put(kTop - 8, std::uint64_t{512} << 32U | 0xfffff000U);
  high.put(kTop, 0x80000000'00000000U | std::uint64_t{512} << 32U | 0xfffff200U);
  BOOST_TEST(start(kTop - 8));
  BOOST_TEST((bm.begin(1024, Dma::to_guest) == ata::TransferPort::Fit::fault));
}

BOOST_AUTO_TEST_SUITE_END()
