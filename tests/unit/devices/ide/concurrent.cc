// SPDX-License-Identifier: MIT
// PRD tables and TRIM ranges that another processor of the guest rewrites while the controller
// reads them. Data goes to and comes from what some descriptor named, and no sector is touched but
// those of the command.
#include "tests/rig/scribbler.h"
#include "tests/unit/devices/ide/ide_rig.h"

#include <random>

using namespace dm;
using test::OneDisk;

namespace {

constexpr std::uint32_t kTable = 0x8000;
constexpr std::uint32_t kTableBytes = 512 * 8;  // as much of a table as is read at most
constexpr std::uint32_t kArena = 0x400000;
constexpr std::uint32_t kArenaBytes = 0x100000;
constexpr unsigned kRounds = 300;

/// Regions inside the arena, and some where there is no memory; sizes of any kind; ends here and
/// there.
std::uint32_t prd_dword(std::size_t at, std::minstd_rand& random) {
  if (at % 2 == 0) {
    return random() % 64 == 0 ? 0xf0000000U
                              : kArena + static_cast<std::uint32_t>(random() % kArenaBytes);
  }
  const auto bytes =
      static_cast<std::uint32_t>(random() % 4 == 0 ? random() % 0x10000 : random() % 64 * 512);
  return bytes | (random() % 32 == 0 ? 0x80000000U : 0);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ide_concurrent, OneDisk)

BOOST_AUTO_TEST_CASE(tables_that_change_while_they_are_read_lead_nowhere_else) {
  constexpr std::uint64_t kLba = 5000;
  constexpr unsigned kSectorsMoved = 256;
  std::minstd_rand random{4};
  for (std::size_t at = 0; at < kTableBytes / 4; ++at) {
    guest.poke(kTable + at * 4, prd_dword(at, random));
  }
  const auto ram = guest.ram();
  const std::vector<std::byte> before(ram.begin(), ram.end());
  unsigned good = 0;
  {
    const rig::Scribbler other{ram.subspan(kTable, kTableBytes), prd_dword};
    for (unsigned round = 0; round < kRounds; ++round) {
      const bool to_memory = round % 2 == 0;
      disk.log.clear();
      ide.bm_command(0);
      ide.bm_status(ide.INTR | ide.BM_ERROR);
      ide.bm_table(kTable);
      ide.lba48(0, kLba, kSectorsMoved);
      ide.command(to_memory ? 0x25 : 0x35);
      const auto result = ide.run_dma(to_memory);
      good += result.status == 0x50 ? 1U : 0U;
      std::uint64_t moved = 0;
      for (const auto& entry : disk.log) {
        BOOST_REQUIRE(entry.offset >= kLba * 512);
        BOOST_REQUIRE(entry.offset + entry.length <= (kLba + kSectorsMoved) * 512);
        moved += entry.length;
      }
      BOOST_REQUIRE(moved <= std::uint64_t{kSectorsMoved} * 512);
      ide.bm_command(0);
      ide.soft_reset();
      if (round % 16 == 0) {
        other.let_run();
      }
    }
    BOOST_TEST(other.written() != 0U);
  }
  BOOST_TEST(good != 0U);
  const auto untouched = [&](std::size_t from, std::size_t to) {
    return std::equal(before.begin() + static_cast<std::ptrdiff_t>(from),
                      before.begin() + static_cast<std::ptrdiff_t>(to),
                      ram.begin() + static_cast<std::ptrdiff_t>(from));
  };
  BOOST_TEST(untouched(0, kTable));
  BOOST_TEST(untouched(kTable + kTableBytes, kArena));
  BOOST_TEST(untouched(kArena + kArenaBytes + 65536, ram.size()));
  const test::Prd prd{test::kBuffer, 512};
  test::stamp(disk, 7, 1);
  BOOST_TEST(ide.read_dma(0, 7, 1, {&prd, 1}).status == 0x50);
  BOOST_TEST(test::same(test::memory(guest, test::kBuffer, 512), test::patterns(7, 1)));
}

/// Ranges inside the disk and past its end, in turns: what is discarded is what was judged.
BOOST_AUTO_TEST_CASE(trim_ranges_that_change_while_they_are_read_stay_inside_the_disk) {
  const test::Prd prd{test::kBuffer, 512};
  const auto range = [](std::size_t at, std::minstd_rand& random) {
    if (at % 2 == 0) {  // LBA 31:0
      return random() % 4 == 0 ? 0xfffffff0U : static_cast<std::uint32_t>(random() % kSectors);
    }
    return static_cast<std::uint32_t>(random() % 64) << 16U;  // LBA 47:32, sectors
  };
  const rig::Scribbler other{guest.ram().subspan(test::kBuffer, 512), range};
  for (unsigned round = 0; round < kRounds; ++round) {
    disk.log.clear();
    ide.prepare_dma({&prd, 1});
    ide.lba48(0, 0, 1);
    ide.out(1, 0x01);  // TRIM
    ide.command(0x06);
    (void)ide.run_dma(false);
    for (const auto& entry : disk.log) {
      BOOST_REQUIRE(entry.offset + entry.length <= kSectors * 512);
    }
    if (round % 16 == 0) {
      other.let_run();
    }
  }
  BOOST_TEST(other.written() != 0U);
}

BOOST_AUTO_TEST_SUITE_END()
