// SPDX-License-Identifier: MIT
// A CD-ROM drive as drivers find it: signature, transfers, errors.
#include "tests/unit/devices/ide/atapi_rig.h"

#include <boost/test/unit_test.hpp>

using namespace dm;
using drivers::AtapiDriver;
using drivers::IdeDriver;
using test::kBuffer;
using test::OneCd;

BOOST_FIXTURE_TEST_SUITE(ide_atapi, OneCd)

BOOST_AUTO_TEST_CASE(power_on_shows_the_signature_and_no_drdy) {
  test::CdMachine fresh{nullptr};
  fresh.ide.select(0);
  BOOST_TEST(fresh.ide.alt_status() == 0x00);
  BOOST_TEST(fresh.ide.error() == 0x01);
  BOOST_TEST(fresh.ide.in(2) == 0x01);
  BOOST_TEST(fresh.ide.in(3) == 0x01);
  BOOST_TEST(fresh.ide.in(4) == 0x14);
  BOOST_TEST(fresh.ide.in(5) == 0xeb);
  BOOST_TEST((fresh.cd.ready() == Sense{6, 0x29, 0}));
  BOOST_TEST((fresh.cd.ready() == Sense{2, 0x3a, 1}));
}

BOOST_AUTO_TEST_CASE(srst_diagnostic_and_device_reset_bring_the_signature_back) {
  for (const int way : {0, 1, 2}) {
    ide.out(4, 0);
    const auto before = ide.edges();
    if (way == 0) {
      ide.soft_reset();
    } else {
      ide.command(way == 1 ? 0x90 : 0x08);
    }
    BOOST_TEST(ide.alt_status() == 0x00);
    BOOST_TEST(ide.in(4) == 0x14);
    BOOST_TEST(ide.in(5) == 0xeb);
    BOOST_TEST(ide.error() == 0x01);
    BOOST_TEST(ide.edges() - before == (way == 1 ? 1U : 0U));
    (void)ide.status();
    BOOST_TEST((cd.ready() == Sense{0, 0, 0}));
  }
}

BOOST_AUTO_TEST_CASE(a_held_reset_is_not_ended_by_device_reset) {
  ide.control(ide.SRST);
  ide.command(0x08);
  BOOST_TEST((ide.alt_status() & ide.BSY) != 0);
  BOOST_TEST(validate(machine.controller->state()));
  ide.control(0);
  BOOST_TEST(ide.alt_status() == 0x00);
}

BOOST_AUTO_TEST_CASE(what_is_for_disks_aborts_and_tells_what_this_is) {
  for (const unsigned opcode : {0x20U, 0xecU}) {
    ide.select(0);
    ide.out(4, 0x55);
    ide.command(opcode);
    BOOST_TEST(ide.irq());
    BOOST_TEST(ide.status() == 0x51);
    BOOST_TEST(ide.error() == 0x04);
    BOOST_TEST(ide.in(4) == 0x14);
    BOOST_TEST(ide.in(5) == 0xeb);
  }
  // B7, CVE-2015-6855: also in an empty drive.
  test::CdMachine empty{nullptr};
  empty.ide.select(0);
  for (IdeDriver* const at : {&ide, &empty.ide}) {
    for (const unsigned opcode : {0x00U, 0xf8U, 0x27U, 0xb0U, 0xa2U, 0x25U, 0xcaU, 0x91U, 0xc6U}) {
      at->command(opcode);
      BOOST_TEST(at->status() == 0x51);
      BOOST_TEST(at->error() == 0x04);
    }
  }
  ide.command(0xe5);
  BOOST_TEST(ide.in(2) == 0xff);
  BOOST_TEST(ide.status() == 0x50);
  for (IdeDriver* const at : {&ide, &empty.ide}) {
    at->command(0xe7);  // FLUSH CACHE: nothing is ever cached
    BOOST_TEST(at->status() == 0x50);
  }
}

BOOST_AUTO_TEST_CASE(identify_packet_device_names_an_atapi_cd_rom) {
  ide.select(0);
  ide.out(1, 0x03);
  ide.out(2, 0x21);  // multiword DMA 1
  ide.command(0xef);
  BOOST_TEST(ide.status() == 0x50);
  ide.out(1, 0x03);
  ide.out(2, 0x44);  // Ultra DMA: there is none
  ide.command(0xef);
  BOOST_TEST(ide.status() == 0x51);
  ide.command(0xa1);
  const auto bytes = ide.read_data(1);
  std::array<std::uint16_t, 256> w{};
  std::memcpy(w.data(), bytes.data(), 512);
  BOOST_TEST(w[0] == 0x85c0);
  BOOST_TEST(w[49] == 0x0b00);
  BOOST_TEST(w[63] == 0x0207);
  BOOST_TEST((w[82] & 0x0010) != 0);
  BOOST_TEST(w[27] == ('S' << 8 | 'T'));
  unsigned sum = 0;
  for (const auto b : bytes) {
    sum += std::to_integer<unsigned>(b);
  }
  BOOST_TEST((sum & 255U) == 0U);
  BOOST_TEST(ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(a_block_is_read_by_pio_as_firmware_does_it) {
  const auto want = blocks(16, 3);
  const auto r = cd.packet(AtapiDriver::read10(16, 3), 2048);
  BOOST_TEST(r.status == 0x50);
  BOOST_TEST(r.reason == 3);
  BOOST_TEST(r.bursts == (std::vector<unsigned>{2048, 2048, 2048}),
             boost::test_tools::per_element());
  BOOST_TEST((r.data == want));
  BOOST_TEST(disc.log.size() == 1U);  // one read of the image brought them all
}

BOOST_AUTO_TEST_CASE(byte_count_limits_are_kept) {
  const auto want = blocks(5, 20);
  for (const unsigned limit : {0xffffU, 0xfffeU, 2047U, 512U, 3U, 2U, 4096U, 30001U}) {
    const auto r = cd.packet(AtapiDriver::read10(5, 20), limit);
    BOOST_TEST(r.status == 0x50);
    BOOST_TEST((r.data == want), limit);
    for (const unsigned burst : r.bursts) {
      BOOST_TEST(burst <= limit);
      BOOST_TEST(burst % 2 == 0);
    }
  }
  // An odd limit that holds everything is kept as it is.
  const auto r = cd.packet(cdb({0x12, 0, 0, 0, 5}), 5);
  BOOST_TEST(r.bursts == (std::vector<unsigned>{5}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(b10_a_byte_count_limit_of_zero_aborts_and_leaves_no_sense) {
  for (const unsigned limit : {0U, 1U}) {
    for (const auto& packet :
         {AtapiDriver::read10(0, 1), cdb({0x12, 0, 0, 0, 36}), AtapiDriver::read_cd(0, 1, 0xf8)}) {
      const auto r = cd.packet(packet, limit);
      BOOST_TEST(r.status == 0x51);
      BOOST_TEST(r.error == 0x04);
      BOOST_TEST(r.data.empty());
      BOOST_TEST((cd.sense() == Sense{0, 0, 0}));
    }
  }
  // No data, no limit.
  BOOST_TEST(cd.packet(cdb({0x00}), 0).ok());
  BOOST_TEST(cd.packet(AtapiDriver::read10(0, 0), 0).ok());
  BOOST_TEST(cd.packet(AtapiDriver::read_cd(0, 5, 0), 0).ok());
  BOOST_TEST(cd.packet(cdb({0x12, 0, 0, 0, 0}), 0).ok());
}

BOOST_AUTO_TEST_CASE(blocks_go_straight_to_memory_by_dma) {
  const auto want = blocks(100, 32);
  const Prd prd{kBuffer, 65536};
  const auto r = cd.packet_dma(AtapiDriver::read12(100, 32), {&prd, 1});
  BOOST_TEST(r.bm == 0x04);
  BOOST_TEST(r.status == 0x50);
  BOOST_TEST(r.reason == 3);
  BOOST_TEST((std::memcmp(guest.ram().data() + kBuffer, want.data(), want.size()) == 0));
  BOOST_TEST(disc.log.size() == 1U);
}

BOOST_AUTO_TEST_CASE(b3_odd_prd_tables_move_every_byte) {
  const auto want = blocks(7, 4);
  std::vector<Prd> prds;
  for (std::uint32_t at = 0, size = 2; at < 8192; size = size * 2 % 1022 + 2) {
    const std::uint32_t now = std::min(size, 8192 - at);
    prds.push_back({kBuffer + at, now});
    at += now;
  }
  BOOST_TEST(cd.packet_dma(AtapiDriver::read10(7, 4), prds).bm == 0x04);
  BOOST_TEST((std::memcmp(guest.ram().data() + kBuffer, want.data(), want.size()) == 0));
}

BOOST_AUTO_TEST_CASE(prd_tables_shorter_longer_and_nowhere) {
  const Prd longer{kBuffer, 8192};
  auto r = cd.packet_dma(AtapiDriver::read10(0, 1), {&longer, 1});
  BOOST_TEST(r.bm == 0x05);
  BOOST_TEST(r.status == 0x50);
  const Prd shorter{kBuffer, 2046};
  r = cd.packet_dma(AtapiDriver::read10(0, 1), {&shorter, 1});
  BOOST_TEST(r.bm == 0x00);
  const Prd nowhere{0xfee00000, 2048};
  r = cd.packet_dma(AtapiDriver::read10(0, 1), {&nowhere, 1});
  BOOST_TEST((r.bm & 0x07) == 0x06);
  BOOST_TEST(r.status == 0x51);
  BOOST_TEST((cd.sense() == Sense{0x0b, 0x4b, 0}));
}

BOOST_AUTO_TEST_CASE(small_replies_go_by_dma_too) {
  const Prd prd{kBuffer, 36};
  const auto r = cd.packet_dma(cdb({0x12, 0, 0, 0, 36}), {&prd, 1});
  BOOST_TEST(r.bm == 0x04);
  BOOST_TEST(r.status == 0x50);
  BOOST_TEST(guest.peek<std::uint8_t>(kBuffer) == 0x05);
  BOOST_TEST(guest.peek<std::uint8_t>(kBuffer + 1) == 0x80);
}

BOOST_AUTO_TEST_CASE(raw_frames_have_sync_header_and_user_data) {
  const auto want = blocks(4350, 0);
  const auto user = blocks(30, 14);
  const auto r = cd.packet(AtapiDriver::read_cd(30, 14, 0xf8));
  BOOST_REQUIRE(r.data.size() == 14U * 2352U);
  for (unsigned i = 0; i < 14; ++i) {
    const auto* const frame = r.data.data() + i * 2352;
    BOOST_TEST(frame[0] == 0);
    BOOST_TEST(frame[1] == 0xff);
    BOOST_TEST(frame[10] == 0xff);
    BOOST_TEST(frame[11] == 0);
    BOOST_TEST(frame[12] == 0x00);
    BOOST_TEST(frame[13] == 0x02);  // 180 frames and more: 2 s
    BOOST_TEST(frame[14] == ((30 + i) / 10 << 4 | (30 + i) % 10));
    BOOST_TEST(frame[15] == 1);
    BOOST_TEST((std::memcmp(frame + 16, user.data() + i * 2048, 2048) == 0));
  }
  const Prd prd{kBuffer, 14 * 2352};
  BOOST_TEST(cd.packet_dma(AtapiDriver::read_cd(30, 14, 0xf8), {&prd, 1}).bm == 0x04);
  BOOST_TEST((std::memcmp(guest.ram().data() + kBuffer, r.data.data(), r.data.size()) == 0));
  BOOST_TEST((cd.packet(AtapiDriver::read_cd(30, 14, 0x10)).data == user));
  // The same by time: 00:02:30 to 00:02:44.
  BOOST_TEST((cd.packet(cdb({0xb9, 0, 0, 0, 2, 30, 0, 2, 44, 0x10})).data == user));
}

BOOST_AUTO_TEST_CASE(read_cd_refuses_what_the_disc_does_not_have) {
  BOOST_TEST((cd.fails(AtapiDriver::read_cd(0, 1, 0x50)) == Sense{5, 0x24, 0}));
  BOOST_TEST((cd.fails(AtapiDriver::read_cd(0, 1, 0x10, 1)) == Sense{5, 0x64, 0}));  // audio
  BOOST_TEST((cd.fails(cdb({0xbe, 0, 0, 0, 0, 0, 0, 0, 1, 0x10, 1})) == Sense{5, 0x24, 0}));
  BOOST_TEST((cd.fails(cdb({0xb9, 0, 0, 0, 1, 0, 0, 2, 0, 0x10})) == Sense{5, 0x21, 0}));
  BOOST_TEST((cd.fails(cdb({0xb9, 0, 0, 0, 3, 0, 0, 2, 0, 0x10})) == Sense{5, 0x24, 0}));
}

BOOST_AUTO_TEST_CASE(b9_no_range_reaches_past_the_disc) {
  const Sense out_of_range{5, 0x21, 0};
  for (const auto& packet :
       {AtapiDriver::read10(kBlocks, 1), AtapiDriver::read10(0xffffffff, 1),
        AtapiDriver::read10(kBlocks - 1, 2), AtapiDriver::read10(0xffffffff, 0xffff),
        AtapiDriver::read12(1, 0xffffffff), AtapiDriver::read12(0xffffffff, 0xffffffff),
        AtapiDriver::read12(kBlocks + 1, 0), AtapiDriver::read_cd(0xffffffff, 1, 0xf8),
        AtapiDriver::read_cd(0xfffffff0, 0xffffff, 0x10),
        AtapiDriver::read_cd(kBlocks - 1, 2, 0xf8), AtapiDriver::read_cd(0xffffffff, 2, 0),
        cdb({0x2b, 0, 0, 0, 3, 0xe8})}) {
    BOOST_TEST((cd.fails(packet) == out_of_range));
  }
  BOOST_TEST(disc.log.empty());
  BOOST_TEST(cd.packet(AtapiDriver::read10(kBlocks - 1, 1)).ok());
  BOOST_TEST(cd.packet(AtapiDriver::read10(kBlocks, 0)).ok());
  BOOST_TEST(cd.packet(cdb({0x2b, 0, 0, 0, 3, 0xe7})).ok());
}

BOOST_AUTO_TEST_CASE(a_block_that_cannot_be_read_is_a_medium_error_after_the_good_ones) {
  const auto want = blocks(10, 5);
  disc.fail_at(13 * 4 + 2);
  auto r = cd.packet(AtapiDriver::read10(10, 5), 2048);
  BOOST_TEST(r.status == 0x51);
  BOOST_TEST(r.error == 0x30);
  BOOST_TEST((r.data == std::vector<std::uint8_t>(want.begin(), want.begin() + 3 * 2048)));
  BOOST_TEST((cd.sense() == Sense{3, 0x11, 0}));
  BOOST_TEST((cd.sense() == Sense{0, 0, 0}));
  const Prd prd{kBuffer, 5 * 2048};
  r = cd.packet_dma(AtapiDriver::read10(10, 5), {&prd, 1});
  BOOST_TEST(r.status == 0x51);
  BOOST_TEST(r.bm == 0x04);
  BOOST_TEST((cd.sense() == Sense{3, 0x11, 0}));
}

BOOST_AUTO_TEST_CASE(sense_lives_until_the_next_command) {
  BOOST_TEST(!cd.packet(cdb({0xff})).ok());
  BOOST_TEST((cd.sense() == Sense{5, 0x20, 0}));
  BOOST_TEST(!cd.packet(cdb({0xff})).ok());
  BOOST_TEST((cd.ready() == Sense{0, 0, 0}));
  BOOST_TEST((cd.sense() == Sense{0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(a_stop_of_the_bus_master_finishes_the_transfer_first) {
  const auto want = blocks(0, 4);
  const Prd prd{kBuffer, 8192};
  disc.hold();
  ide.prepare_dma({&prd, 1});
  cd.send(AtapiDriver::read10(0, 4), 1, 0);
  ide.bm_command(9);
  ide.bm_command(0);
  BOOST_TEST(disc.pending() == 0U);
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST((std::memcmp(guest.ram().data() + kBuffer, want.data(), want.size()) == 0));
}

BOOST_AUTO_TEST_CASE(overlap_is_not_offered) {
  ide.select(0);
  ide.out(1, 2);
  ide.command(0xa0);
  BOOST_TEST(ide.status() == 0x51);
  BOOST_TEST(ide.error() == 0x04);
}

BOOST_AUTO_TEST_CASE(pv_unplug_of_disks_leaves_the_drive) {
  BOOST_TEST(machine.controller->unplug({.ide_disks = true}));
  BOOST_TEST((cd.ready() == Sense{0, 0, 0}));
  BOOST_TEST(disc.is_open());
}

BOOST_AUTO_TEST_SUITE_END()
