// SPDX-License-Identifier: MIT
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace dm;
using drivers::IdeDriver;
using test::kBuffer;
using test::OneDisk;
using test::patterns;
using test::Prd;
using test::same;
using test::stamp;

namespace {

std::uint8_t set_feature(IdeDriver& ide, unsigned feature, unsigned count = 0) {
  ide.select(0);
  ide.out(1, feature);
  ide.out(2, count);
  ide.command(0xef);
  (void)ide.wait();
  return ide.status();
}
void write_one(IdeDriver& ide, std::uint64_t lba, std::uint64_t salt) {
  ide.lba28(0, static_cast<std::uint32_t>(lba), 1);
  ide.command(0x30);
  ide.write_data(patterns(lba, 1, salt));
  BOOST_TEST(ide.wait() == 0x50);
}
}  // namespace

BOOST_FIXTURE_TEST_SUITE(ide_durability, OneDisk)

BOOST_AUTO_TEST_CASE(flush_holds_bsy_until_the_data_is_safe) {
  // QEMU's ide-test /ide/flush.
  write_one(ide, 5, 1);
  disk.hold();
  ide.command(0xe7);
  BOOST_TEST((ide.alt_status() & (ide.BSY | ide.DRDY)) == (ide.BSY | ide.DRDY));
  BOOST_TEST(!ide.irq());
  disk.complete();
  BOOST_TEST(ide.irq());
  BOOST_TEST(ide.status() == 0x50);
  disk.power_cut();
  BOOST_TEST(same(test::image(disk, 5, 1), patterns(5, 1, 1)));
}

BOOST_AUTO_TEST_CASE(without_a_flush_a_power_cut_takes_the_cached_write) {
  write_one(ide, 5, 1);
  disk.power_cut();
  BOOST_TEST(!same(test::image(disk, 5, 1), patterns(5, 1, 1)));
}

BOOST_AUTO_TEST_CASE(every_command_that_promises_rest_flushes) {
  for (const unsigned opcode : {0xe7U, 0xeaU, 0xe0U, 0x94U, 0xe2U, 0x96U, 0xe6U, 0x99U}) {
    write_one(ide, 5, opcode);
    disk.log.clear();
    ide.command(opcode);
    BOOST_TEST(ide.wait() == 0x50);
    BOOST_REQUIRE(disk.log.size() == 1U);
    BOOST_TEST((disk.log[0].op == BlockOp::flush));
    disk.power_cut();
    BOOST_TEST(same(test::image(disk, 5, 1), patterns(5, 1, opcode)));
  }
}

BOOST_AUTO_TEST_CASE(a_failed_flush_is_never_success_again) {  // B33
  disk.fail_flushes();
  for (int i = 0; i < 3; ++i) {
    ide.command(0xe7);
    BOOST_TEST(ide.wait() == (ide.DRDY | ide.DSC | ide.DF | ide.ERR));
    BOOST_TEST(ide.irq());
    BOOST_TEST(ide.error() == ide.ABRT);
    ide.soft_reset();
  }
  BOOST_TEST(set_feature(ide, 0x82) == (ide.DRDY | ide.DSC | ide.DF | ide.ERR));
  BOOST_TEST((ide.identify(0)[85] & 0x20U) != 0U);  // the cache is still on: nothing was promised
}

BOOST_AUTO_TEST_CASE(switching_the_write_cache_off_flushes_and_makes_every_write_durable) {
  write_one(ide, 5, 1);
  disk.log.clear();
  BOOST_TEST(set_feature(ide, 0x82) == 0x50);
  BOOST_REQUIRE(disk.log.size() == 1U);
  BOOST_TEST((disk.log[0].op == BlockOp::flush));
  BOOST_TEST((ide.identify(0)[85] & 0x20U) == 0U);
  write_one(ide, 6, 2);
  BOOST_TEST(disk.log.back().durable);
  const Prd prd{kBuffer, 512};
  test::put_memory(guest, kBuffer, patterns(7, 1, 3));
  BOOST_TEST(ide.write_dma(0, 7, 1, {&prd, 1}).status == 0x50);
  BOOST_TEST(disk.log.back().durable);
  disk.power_cut();
  BOOST_TEST(same(test::image(disk, 5, 1), patterns(5, 1, 1)));
  BOOST_TEST(same(test::image(disk, 6, 1), patterns(6, 1, 2)));
  BOOST_TEST(same(test::image(disk, 7, 1), patterns(7, 1, 3)));
  BOOST_TEST(set_feature(ide, 0x02) == 0x50);
  write_one(ide, 8, 4);
  BOOST_TEST(!disk.log.back().durable);
}

BOOST_AUTO_TEST_CASE(fua_writes_survive_a_power_cut) {
  const Prd prd{kBuffer, 1024};
  test::put_memory(guest, kBuffer, patterns(50, 2, 5));
  ide.prepare_dma({&prd, 1});
  ide.lba48(0, 50, 2);
  ide.command(0x3d);
  BOOST_TEST(ide.run_dma(false).status == 0x50);
  disk.power_cut();
  BOOST_TEST(same(test::image(disk, 50, 2), patterns(50, 2, 5)));
}

BOOST_AUTO_TEST_CASE(a_flush_comes_after_the_writes_that_were_acknowledged_before_it) {
  for (unsigned i = 0; i < 4; ++i) {
    write_one(ide, 100 + i, i);
  }
  ide.command(0xea);
  BOOST_TEST(ide.wait() == 0x50);
  BOOST_TEST((disk.log.back().op == BlockOp::flush));
  for (unsigned i = 0; i < 4; ++i) {
    BOOST_TEST((disk.log[i].op == BlockOp::write));
  }
}

BOOST_AUTO_TEST_CASE(controller_flush_settles_and_flushes_every_disk) {
  rig::ScriptedBlock other{1 << 20};
  test::IdeMachine m{{&disk, &other, nullptr, nullptr}};
  m.ide0.lba28(1, 3, 1);
  m.ide0.command(0x30);
  m.ide0.write_data(patterns(3, 1, 8));
  BOOST_TEST(m.controller->flush());
  BOOST_TEST(disk.flushes_now == 1U);
  BOOST_TEST(other.flushes_now == 1U);
  other.power_cut();
  BOOST_TEST(same(test::image(other, 3, 1), patterns(3, 1, 8)));
  other.fail_flushes();
  BOOST_TEST(!m.controller->flush());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(ide_commands, OneDisk)

namespace {
const unsigned kNothing[] = {0x10, 0x95, 0xe1, 0x97, 0xe3};
}
BOOST_DATA_TEST_CASE(commands_without_effect_succeed_with_an_interrupt,
                     boost::unit_test::data::make(kNothing),
                     opcode) {
  ide.select(0);
  ide.command(opcode);
  BOOST_TEST(ide.irq());
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(disk.log.empty());
}

BOOST_AUTO_TEST_CASE(check_power_mode_says_active) {
  for (const unsigned opcode : {0x98U, 0xe5U}) {
    ide.select(0);
    ide.out(2, 0);
    ide.command(opcode);
    BOOST_TEST(ide.status() == 0x50);
    BOOST_TEST(ide.in(2) == 0xff);
  }
}

BOOST_AUTO_TEST_CASE(native_max_is_the_last_sector) {
  ide.select(0, 0x40);
  ide.command(0xf8);
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(ide.lba28_now() == kSectors - 1);
  ide.command(0x27);
  BOOST_TEST(ide.lba48_now() == kSectors - 1);
  rig::ScriptedBlock big{(1ULL << 30) * 512};
  test::IdeMachine m{{&big, nullptr, nullptr, nullptr}};
  m.ide0.select(0, 0x40);
  m.ide0.command(0xf8);
  BOOST_TEST(m.ide0.lba28_now() == 0x0ffffffeU);
  m.ide0.command(0x27);
  BOOST_TEST(m.ide0.lba48_now() == (1ULL << 30) - 1);
}

BOOST_AUTO_TEST_CASE(seek_and_verify_check_their_range) {
  ide.lba28(0, kSectors - 1, 1);
  ide.command(0x70);
  BOOST_TEST(ide.status() == 0x50);
  ide.lba28(0, 10, 0);
  ide.command(0x40);
  BOOST_TEST(ide.wait() == 0x50);
  BOOST_TEST(ide.lba28_now() == 265);
  ide.lba48(0, 10, 1000);
  ide.command(0x42);
  BOOST_TEST(ide.wait() == 0x50);
}

BOOST_AUTO_TEST_CASE(verify_finds_the_bad_sector) {
  disk.fail_at(777);
  ide.lba48(0, 0, 1000);
  ide.command(0x42);
  BOOST_TEST(ide.wait() == 0x51);
  BOOST_TEST(ide.irq());
  BOOST_TEST(ide.error() == ide.UNC);
  BOOST_TEST(ide.lba48_now() == 777U);
}

BOOST_AUTO_TEST_CASE(transfer_modes_that_exist_are_accepted_and_others_abort) {
  for (unsigned mode = 0; mode < 256; ++mode) {
    const bool good = mode <= 1 || (mode >= 0x08 && mode <= 0x0c) || (mode >= 0x20 && mode <= 0x22);
    BOOST_TEST(set_feature(ide, 3, mode) == (good ? 0x50 : 0x51), "mode " << mode);
  }
  // PIO modes leave the DMA mode alone: Linux sets both.
  BOOST_TEST(set_feature(ide, 3, 0x22) == 0x50);
  BOOST_TEST(set_feature(ide, 3, 0x0c) == 0x50);
  BOOST_TEST(ide.identify(0)[63] == 0x0407);
}

BOOST_AUTO_TEST_CASE(set_features_knows_its_subcommands) {
  for (unsigned feature = 0; feature < 256; ++feature) {
    static constexpr unsigned kGood[] = {0x02, 0x05, 0x42, 0x55, 0x66, 0x67, 0x69, 0x82,
                                         0x85, 0x96, 0x9a, 0xaa, 0xc2, 0xcc, 0x03};
    const bool good = std::ranges::find(kGood, feature) != std::end(kGood);
    BOOST_TEST(set_feature(ide, feature, 0) == (good ? 0x50 : 0x51), "feature " << feature);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(ide_trim, OneDisk)

namespace {
IdeDriver::DmaResult trim(IdeDriver& ide,
                          rig::SimGuest& guest,
                          std::span<const std::pair<std::uint64_t, std::uint64_t>> ranges,
                          unsigned blocks = 1,
                          unsigned features = 1) {
  std::memset(guest.ram().subspan(kBuffer, 65536).data(), 0, 65536);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    guest.poke<std::uint64_t>(kBuffer + 8 * i, ranges[i].first | ranges[i].second << 48U);
  }
  const Prd prd{kBuffer, blocks * 512};
  ide.prepare_dma({&prd, 1});
  ide.lba48(0, 0, blocks);
  ide.out(1, features);
  ide.command(0x06);
  return ide.run_dma(false);
}
using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
}  // namespace

BOOST_AUTO_TEST_CASE(valid_ranges_are_discarded_and_nothing_else) {
  // QEMU's ide-test /ide/bmdma/trim, first request.
  stamp(disk, 0, 40);
  const auto r = trim(ide, guest, Ranges{{2, 5}, {0, 0}, {20, 10}});
  BOOST_TEST(r.bm == 0x04);
  BOOST_TEST(r.status == 0x50);
  BOOST_TEST(same(test::image(disk, 0, 2), patterns(0, 2)));
  BOOST_TEST(same(test::image(disk, 2, 5), std::vector<std::byte>(5 * 512)));
  BOOST_TEST(same(test::image(disk, 7, 13), patterns(7, 13)));
  BOOST_TEST(same(test::image(disk, 20, 10), std::vector<std::byte>(10 * 512)));
  BOOST_TEST(same(test::image(disk, 30, 10), patterns(30, 10)));
  BOOST_TEST(disk.log.size() == 2U);
}

BOOST_AUTO_TEST_CASE(one_bad_range_aborts_before_anything_is_discarded) {  // B13
  stamp(disk, 0, 40);
  for (const auto& bad : Ranges{{kSectors - 1, 2},
                                {kSectors, 1},
                                {0xffffffffffffULL, 0xffff},
                                {kSectors - 65534, 65535}}) {
    const auto r = trim(ide, guest, Ranges{{2, 5}, bad});
    BOOST_TEST(r.bm == 0x04);
    BOOST_TEST(r.status == 0x51);
    BOOST_TEST(r.error == ide.ABRT);
    BOOST_TEST(r.irq);
  }
  BOOST_TEST(disk.log.empty());
  BOOST_TEST(same(test::image(disk, 0, 40), patterns(0, 40)));
}

BOOST_AUTO_TEST_CASE(all_512_ranges_of_eight_blocks_are_taken_one_unit_each) {
  Ranges ranges;
  for (unsigned i = 0; i < 512; ++i) {
    ranges.emplace_back(i * 4, 1);
  }
  BOOST_TEST(trim(ide, guest, ranges, 8).bm == 0x04);
  BOOST_TEST(disk.log.size() == 512U);
}

BOOST_AUTO_TEST_CASE(more_blocks_than_word_105_says_or_no_trim_bit_abort) {
  for (const auto& [blocks, features] : {std::pair{9U, 1U}, {0U, 1U}, {1U, 0U}, {1U, 2U}}) {
    ide.lba48(0, 0, blocks);
    ide.out(1, features);
    ide.command(0x06);
    BOOST_TEST(ide.status() == 0x51);
    BOOST_TEST(ide.error() == ide.ABRT);
  }
}

// QEMU's ide-test /ide/bmdma/trim: after a reset, the register's previous content is 01h.
BOOST_AUTO_TEST_CASE(a_count_that_was_written_once_is_taken_without_its_high_byte) {
  std::memset(guest.ram().subspan(kBuffer, 512).data(), 0, 512);
  guest.poke<std::uint64_t>(kBuffer, 2 | 5ULL << 48U);
  const Prd prd{kBuffer, 512};
  ide.prepare_dma({&prd, 1});
  ide.lba48(0, 0, 0x0101);
  ide.out(1, 1);
  ide.command(0x06);
  BOOST_TEST(ide.run_dma(false).status == 0x50);
}

BOOST_AUTO_TEST_CASE(ranges_are_copied_before_they_are_judged) {  // B23
  stamp(disk, 0, 40);
  guest.set_auto_work(false);
  guest.poke<std::uint64_t>(kBuffer, 2 | 5ULL << 48U);
  guest.poke<std::uint64_t>(kBuffer + 8, 20 | 5ULL << 48U);
  std::memset(guest.ram().subspan(kBuffer + 16, 496).data(), 0, 496);
  const Prd prd{kBuffer, 512};
  ide.prepare_dma({&prd, 1});
  ide.lba48(0, 0, 1);
  ide.out(1, 1);
  ide.command(0x06);
  ide.bm_command(1);
  BOOST_TEST(guest.work().run_one());
  guest.poke<std::uint64_t>(kBuffer + 8, 0xffffffffffffULL | 0xffffULL << 48U);
  guest.run_work();
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(same(test::image(disk, 20, 5), std::vector<std::byte>(5 * 512)));
}

BOOST_AUTO_TEST_CASE(a_failed_discard_is_no_error) {
  rig::ScriptedBlock fixed{1 << 20};
  test::IdeMachine m{{&fixed, nullptr, nullptr, nullptr}};
  m.ide0.enable();
  fixed.info.read_only = true;  // behind the drive's back: every discard fails
  BOOST_TEST(trim(m.ide0, m.guest, Ranges{{2, 5}}).status == 0x50);
}

BOOST_AUTO_TEST_CASE(a_reset_between_two_ranges_ends_the_command) {  // B14
  disk.hold();
  guest.poke<std::uint64_t>(kBuffer, 2 | 5ULL << 48U);
  guest.poke<std::uint64_t>(kBuffer + 8, 20 | 5ULL << 48U);
  const Prd prd{kBuffer, 512};
  ide.prepare_dma({&prd, 1});
  ide.lba48(0, 0, 1);
  ide.out(1, 1);
  ide.command(0x06);
  ide.bm_command(1);
  BOOST_TEST(disk.pending() == 1U);
  ide.soft_reset();
  BOOST_TEST(disk.pending() == 0U);
  BOOST_TEST(disk.log.size() == 1U);
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST((ide.bm_status() & ide.ACTIVE) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
