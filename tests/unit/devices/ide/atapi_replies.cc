// SPDX-License-Identifier: MIT
// What packet commands answer, byte by byte from SFF-8020i, MMC-3 and SPC-2.
#include "tests/unit/devices/ide/atapi_rig.h"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace dm;
using drivers::AtapiDriver;
using test::OneCd;
using Bytes = std::vector<std::uint8_t>;

BOOST_FIXTURE_TEST_SUITE(ide_atapi_replies, OneCd)

BOOST_AUTO_TEST_CASE(inquiry_says_cd_rom_and_its_pages_name_the_drive) {
  const auto all = cd.packet(cdb({0x12, 0, 0, 0, 255})).data;
  BOOST_REQUIRE(all.size() == 36U);
  BOOST_TEST((Bytes{all.begin(), all.begin() + 8} == Bytes{5, 0x80, 0, 0x21, 31, 0, 0, 0}));
  BOOST_TEST((cd.packet(cdb({0x12, 1, 0, 0, 255})).data == Bytes{5, 0, 0, 3, 0, 0x80, 0x83}));
  const auto serial = cd.packet(cdb({0x12, 1, 0x80, 0, 255})).data;
  BOOST_TEST((std::string{serial.begin() + 4, serial.begin() + 11} == "DM00003"));
  BOOST_TEST(cd.packet(cdb({0x12, 1, 0x83, 0, 255})).data.size() == 28U);
  BOOST_TEST((cd.fails(cdb({0x12, 1, 0xb0, 0, 255})) == Sense{5, 0x24, 0}));
  BOOST_TEST((cd.fails(cdb({0x12, 0, 0x80, 0, 255})) == Sense{5, 0x24, 0}));
}

BOOST_AUTO_TEST_CASE(b11_b12_a_reply_is_never_longer_than_it_is_nor_than_there_is_room) {
  for (const unsigned room : {0U, 1U, 3U, 7U, 8U, 255U, 0xffffU}) {
    const unsigned high = room >> 8U;
    const unsigned low = room & 255U;
    for (const auto& [packet, whole] : std::vector<std::pair<AtapiDriver::Cdb, unsigned>>{
             {cdb({0x12, 1, 0x83, high, low}), 28},
             {cdb({0x46, 0, 0, 0, 0, 0, 0, high, low}), 8 + 12 + 8 + 8 + 8 + 12 + 4 + 4},
             {cdb({0x46, 0, 0xff, 0xff, 0, 0, 0, high, low}), 8},
             {cdb({0x46, 2, 0, 3, 0, 0, 0, high, low}), 16},
             {cdb({0x5a, 0, 0x3f, 0, 0, 0, 0, high, low}), 8 + 8 + 8 + 16 + 22},
             {cdb({0x43, 2, 0, 0, 0, 0, 0, high, low}), 20},
             {cdb({0x51, 0, 0, 0, 0, 0, 0, high, low}), 34},
             {cdb({0x52, 1, 0, 0, 0, 1, 0, high, low}), 36},
             {cdb({0xbd, 0, 0, 0, 0, 0, 0, 0, high, low}), 8},
             {cdb({0x4a, 1, 0, 0, 0x10, 0, 0, high, low}), 8},
             {cdb({0x4a, 1, 0, 0, 0x02, 0, 0, high, low}), 4}}) {
      const auto r = cd.packet(packet);
      BOOST_TEST(r.ok());
      BOOST_TEST(r.data.size() == std::min(room, whole));
    }
  }
}

BOOST_AUTO_TEST_CASE(capacity_and_table_of_contents_agree) {
  // 1000 blocks end at 00:15:25 (1150 frames).
  BOOST_TEST((cd.packet(cdb({0x25})).data == Bytes{0, 0, 3, 0xe7, 0, 0, 8, 0}));
  BOOST_TEST((cd.packet(cdb({0x43, 0, 0, 0, 0, 0, 0, 0, 255})).data ==
              Bytes{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 3, 0xe8}));
  BOOST_TEST((cd.packet(cdb({0x43, 2, 0, 0, 0, 0, 0xaa, 0, 255})).data ==
              Bytes{0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 15, 25}));
  BOOST_TEST((cd.packet(cdb({0x43, 2, 1, 0, 0, 0, 0, 0, 255})).data ==
              Bytes{0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 2, 0}));
  // Format 2 as byte 2 has it, and as bits 7:6 of byte 9 did.
  const auto raw = cd.packet(cdb({0x43, 2, 2, 0, 0, 0, 0, 0, 255})).data;
  BOOST_TEST(raw.size() == 48U);
  BOOST_TEST((Bytes{raw.begin() + 4 + 22, raw.begin() + 4 + 33} ==
              Bytes{1, 0x14, 0, 0xa2, 0, 0, 0, 0, 0, 15, 25}));
  BOOST_TEST((cd.packet(cdb({0x43, 2, 0, 0, 0, 0, 0, 0, 255, 0x80})).data == raw));
  BOOST_TEST((cd.fails(cdb({0x43, 0, 0, 0, 0, 0, 2, 0, 255})) == Sense{5, 0x24, 0}));
  BOOST_TEST((cd.fails(cdb({0x43, 0, 5, 0, 0, 0, 0, 0, 255})) == Sense{5, 0x24, 0}));
}

BOOST_AUTO_TEST_CASE(configuration_names_the_profile_of_the_disc) {
  auto r = cd.packet(cdb({0x46, 0, 0, 0, 0, 0, 0, 0, 8})).data;
  BOOST_TEST((r == Bytes{0, 0, 0, 60, 0, 0, 0, 8}));
  rig::ScriptedBlock dvd{std::uint64_t{4} << 30};
  BOOST_TEST(drive.eject(false));
  r = cd.packet(cdb({0x46, 0, 0, 0, 0, 0, 0, 0, 8})).data;
  BOOST_TEST(r[7] == 0);
  drive.insert(dvd.open());
  r = cd.packet(cdb({0x46, 2, 0, 0, 0, 0, 0, 0, 255})).data;
  BOOST_TEST((r == Bytes{0, 0, 0, 16, 0, 0, 0, 0x10, 0, 0, 3, 8, 0, 0x10, 1, 0, 0, 8, 0, 0}));
  BOOST_TEST((cd.fails(cdb({0x46, 3, 0, 0, 0, 0, 0, 0, 8})) == Sense{5, 0x24, 0}));
  BOOST_TEST(drive.eject(false));
}

BOOST_AUTO_TEST_CASE(dvd_structures_are_those_of_a_dvd) {
  BOOST_TEST((cd.fails(cdb({0xad, 0, 0, 0, 0, 0, 0, 0, 8, 0})) == Sense{5, 0x30, 2}));
  rig::ScriptedBlock dvd{std::uint64_t{4} << 30};
  BOOST_TEST(drive.eject(false));
  drive.insert(dvd.open());
  (void)cd.ready();
  const auto physical = cd.packet(cdb({0xad, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})).data;
  BOOST_REQUIRE(physical.size() == 2052U);
  BOOST_TEST((Bytes{physical.begin(), physical.begin() + 16} ==
              Bytes{8, 2, 0, 0, 1, 0x0f, 1, 0, 0, 3, 0, 0, 0, 0x22, 0xff, 0xff}));
  BOOST_TEST(cd.packet(cdb({0xad, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff})).data.size() == 8U);
  BOOST_TEST(cd.packet(cdb({0xad, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff})).data.size() == 16U);
  BOOST_TEST((cd.fails(cdb({0xad, 0, 0, 0, 0, 0, 1, 0, 8, 0})) == Sense{5, 0x24, 0}));
  BOOST_TEST((cd.fails(cdb({0xad, 0, 0, 0, 0, 0, 0, 2, 8, 0})) == Sense{5, 0x24, 0}));
  BOOST_TEST(drive.eject(false));
}

BOOST_AUTO_TEST_CASE(mode_pages_are_shown_and_error_recovery_can_be_set) {
  const auto page = [&](unsigned control) {
    return cd.packet(cdb({0x5a, 0, control << 6U | 1U, 0, 0, 0, 0, 0, 255})).data;
  };
  BOOST_TEST((page(0) == Bytes{0, 14, 1, 0, 0, 0, 0, 0, 1, 6, 0, 5, 0, 0, 0, 0}));
  BOOST_TEST((page(1) == Bytes{0, 14, 1, 0, 0, 0, 0, 0, 1, 6, 0xff, 0xff, 0, 0, 0, 0}));
  BOOST_TEST((cd.fails(cdb({0x5a, 0, 0xc1, 0, 0, 0, 0, 0, 255})) == Sense{5, 0x39, 0}));
  BOOST_TEST((cd.fails(cdb({0x5a, 0, 0x08, 0, 0, 0, 0, 0, 255})) == Sense{5, 0x24, 0}));
  BOOST_TEST(cd.packet(cdb({0x1a, 0, 0x2a, 0, 255})).data.size() == 26U);
  const Bytes list{0, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0x20, 9, 0, 0, 0, 0};
  const auto select = cdb({0x55, 0x10, 0, 0, 0, 0, 0, 0, 16});
  for (const unsigned limit : {0xffffU, 6U}) {  // in one burst, and in three
    BOOST_TEST(cd.packet(select, limit, list).ok());
    BOOST_TEST((page(0) == Bytes{0, 14, 1, 0, 0, 0, 0, 0, 1, 6, 0x20, 9, 0, 0, 0, 0}));
    BOOST_TEST((page(2) == Bytes{0, 14, 1, 0, 0, 0, 0, 0, 1, 6, 0, 5, 0, 0, 0, 0}));
  }
  for (std::size_t i = 0; i < 16; ++i) {
    guest.poke<std::uint8_t>(0x200000 + i, i == 11 ? std::uint8_t{3} : list[i]);
  }
  const Prd prd{0x200000, 16};
  BOOST_TEST(cd.packet_dma(select, {&prd, 1}, false).status == 0x50);
  BOOST_TEST(page(0)[11] == 3);
  Bytes wrong = list;
  wrong[9] = 7;
  BOOST_TEST(!cd.packet(select, 0xfffe, wrong).ok());
  BOOST_TEST((cd.sense() == Sense{5, 0x26, 0}));
  BOOST_TEST((cd.fails(cdb({0x55, 0x11, 0, 0, 0, 0, 0, 0, 16})) == Sense{5, 0x24, 0}));
  BOOST_TEST((cd.fails(cdb({0x55, 0x10, 0, 0, 0, 0, 0, 0xff, 0xff})) == Sense{5, 0x1a, 0}));
  BOOST_TEST(cd.packet(cdb({0x55, 0x10})).ok());
}

BOOST_AUTO_TEST_CASE(capabilities_show_the_lock) {
  const auto lock = cdb({0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255});
  BOOST_TEST(cd.packet(lock).data.at(8 + 6) == 0x29);
  BOOST_TEST(cd.packet(cdb({0x1e, 0, 0, 0, 1})).ok());
  BOOST_TEST(cd.packet(lock).data.at(8 + 6) == 0x2b);
  ide.soft_reset();
  BOOST_TEST(cd.packet(lock).data.at(8 + 6) == 0x29);
}

BOOST_AUTO_TEST_CASE(sub_channel_track_mechanism_and_events) {
  BOOST_TEST((cd.packet(cdb({0x42, 0, 0, 0, 0, 0, 0, 0, 255})).data == Bytes{0, 0x15, 0, 0}));
  BOOST_TEST((cd.packet(cdb({0x42, 2, 0x40, 1, 0, 0, 0, 0, 255})).data ==
              Bytes{0, 0x15, 0, 12, 1, 0x14, 1, 1, 0, 0, 2, 0, 0, 0, 0, 0}));
  BOOST_TEST((cd.fails(cdb({0x42, 0, 0x40, 9, 0, 0, 0, 0, 255})) == Sense{5, 0x24, 0}));
  BOOST_TEST((cd.fails(cdb({0x52, 1, 0, 0, 0, 2, 0, 0, 36})) == Sense{5, 0x24, 0}));
  BOOST_TEST((cd.fails(cdb({0x52, 0, 0, 0, 3, 0xe8, 0, 0, 36})) == Sense{5, 0x24, 0}));
  BOOST_TEST((cd.fails(cdb({0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8})) == Sense{5, 0x24, 0}));
  BOOST_TEST((cd.packet(cdb({0x4a, 1, 0, 0, 2, 0, 0, 0, 8})).data == Bytes{0, 2, 0x80, 0x10}));
}

BOOST_AUTO_TEST_CASE(any_packet_at_all_ends) {
  std::uint32_t x = 12345;
  const auto random = [&x] {
    x ^= x << 13U;
    x ^= x >> 17U;
    x ^= x << 5U;
    return x;
  };
  for (unsigned i = 0; i < 3000; ++i) {
    AtapiDriver::Cdb packet{};
    for (auto& b : packet) {
      b = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 4);
    }
    packet[0] = static_cast<std::uint8_t>(i);
    if (packet[0] == 0xa8 || packet[0] == 0x28 || packet[0] == 0xbe) {
      packet[6] = packet[7] = 0;
    }
    const auto r = cd.packet(packet, random() & 0xffffU, Bytes(16, 1));
    BOOST_TEST_REQUIRE((r.status == 0x50 || r.status == 0x51));
  }
}

BOOST_AUTO_TEST_SUITE_END()
