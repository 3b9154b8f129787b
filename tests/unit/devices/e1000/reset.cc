// SPDX-License-Identifier: MIT
// What a reset leaves in every register: the tables of the 8254x SDM's chapter 13, typed from there
// and not from the device's list. Where they say X, or nothing, it is 0.
#include "tests/unit/devices/e1000/packets.h"

#include <map>
#include <set>

namespace dm::test {

using D = E1000Driver;

namespace {

struct Value {
  std::uint32_t offset;
  std::uint32_t value;
  const char* section;
};

// All that are not 0, RAL0 and RAH0 apart, which are the card's address.
constexpr Value kAfterReset[]{
    {0x0000, 0x00000201, "13.4.1 CTRL: FD from the EEPROM, SPEED 10b"},
    {0x0004, 0x00000201, "13.4.1 CTRL, its second place"},
    {0x0008, 0x00000283, "13.4.2 STATUS: FD, LU, SPEED 10b, ASDV 10b"},
    {0x0010, 0x00000118, "13.4.3 EECD: DO, FWE 01b, EE_PRES"},
    {0x0038, 0x00008100, "13.4.11 VET"},
    {0x0e00, 0x07068302, "13.4.15 LEDCTL: modes 2, 3, 6 and 7, LED1 blinks"},
    {0x1000, 0x00100030, "13.4.16 PBA: 48 KiB and 16 KiB"},
    {0x2828, 0x01010000, "13.4.46 RXDCTL: GRAN, WTHRESH 1"},
    {0x3830, 0x01000400, "13.4.45 TSPMT: 400h, 100h"},
    {0x5820, 0x00222300, "MANC, as drivers of later parts know it"},
};
constexpr std::uint32_t kEndOfRegisters = 0x6000;
constexpr std::uint32_t kKeptByReset = 0x1000;  // PBA

bool is_address(std::uint32_t offset) {
  return offset == 0x0040 || offset == 0x0044 || offset == D::RA || offset == D::RA + 4;
}

struct Card : OneCard {
  void expect_reset(std::set<std::uint32_t> kept = {}) {
    std::map<std::uint32_t, std::uint32_t> wanted;
    for (const Value& v : kAfterReset) {
      wanted[v.offset] = v.value;
    }
    for (std::uint32_t at = 0; at < kEndOfRegisters; at += 4) {
      if (!is_address(at) && !kept.contains(at)) {
        BOOST_TEST(driver.get(at) == wanted[at], "register " << std::hex << at);
      }
    }
    BOOST_TEST(driver.get(D::RA) == 0x123e1600U);
    BOOST_TEST(driver.get(D::RA + 4) == 0x80005634U);
  }
  /// Every register that takes it, but for those that do something at once.
  void fill(std::uint32_t value) {
    const std::set<std::uint32_t> kActing{0x0000, 0x0004, 0x0010, 0x0014, 0x0018, 0x0020};
    for (std::uint32_t at = 0; at < kEndOfRegisters; at += 4) {
      if (!kActing.contains(at)) {
        driver.set(at, value);
      }
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_reset)

BOOST_FIXTURE_TEST_CASE(power_on_leaves_what_the_manual_says, Card) {
  expect_reset();
}

BOOST_FIXTURE_TEST_CASE(a_software_reset_leaves_the_same_but_for_pba, Card) {
  for (const std::uint32_t value : {0xffffffffU, 0x5a5a5a5aU, 0U}) {
    fill(value);
    const std::uint32_t pba = driver.get(kKeptByReset);
    driver.set(D::CTRL, 0xfbffffffU & ~D::CTRL_PHY_RST);
    driver.set(D::CTRL, D::CTRL_RST);
    BOOST_TEST(driver.get(kKeptByReset) == pba);
    expect_reset({kKeptByReset});
  }
}

BOOST_FIXTURE_TEST_CASE(a_pci_reset_and_the_end_of_s3_bring_all_of_it_back, Card) {
  fill(0xffffffff);
  card->reset();
  driver.map();
  expect_reset();
  fill(0x5a5a5a5a);
  card->wake();
  expect_reset();
}

BOOST_FIXTURE_TEST_CASE(ctrl_and_the_leds_come_from_the_eeprom, Card) {
  driver.eecd(D::EECD_REQ | D::EECD_CS);
  const auto instruction = [&](std::uint32_t bits, unsigned count) {
    driver.eecd(D::EECD_REQ);
    driver.eecd(D::EECD_REQ | D::EECD_CS);
    driver.shift_out(bits, count);
    driver.eecd(D::EECD_REQ);
  };
  instruction(0b100110000, 9);                             // EWEN
  instruction(0b101U << 22U | 0x0aU << 16U | 0x4a13, 25);  // FRCSPD, LRST, ILOS; no FD
  instruction(0b101U << 22U | 0x2fU << 16U | 0xff44, 25);
  driver.set(D::CTRL, D::CTRL_RST);
  BOOST_TEST(driver.get(D::CTRL) == 0x00000a88U);
  BOOST_TEST(driver.get(0x0e00) == 0x07cf8344U);  // reserved bits of the word go nowhere
}

// Nobody has written VET: the tag's type is 802.1Q's all the same.

BOOST_FIXTURE_TEST_CASE(a_driver_that_leaves_vet_alone_sends_tags_of_8021q, Card) {
  driver.open_tx();
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_VME);
  const Bytes bare = frame_to(kOther, 100);
  driver.put_memory(D::kTxBuffers, bare);
  driver.put_legacy(D::kTxBuffers, 100, D::EOP | D::IFCS | D::RS | D::VLE, 0, 0, 0x2005);
  driver.ring_doorbell();
  Bytes tagged = bare;
  const std::byte tag[]{std::byte{0x81}, std::byte{0}, std::byte{0x20}, std::byte{0x05}};
  tagged.insert(tagged.begin() + 12, std::begin(tag), std::end(tag));
  BOOST_REQUIRE(net.sent.size() == 1U);
  BOOST_TEST(same(net.sent[0].bytes, tagged));
}

BOOST_FIXTURE_TEST_CASE(a_driver_that_leaves_vet_alone_gets_tags_stripped_and_filtered, Card) {
  driver.open_rx(64, D::RCTL_SECRC | D::RCTL_VFE);
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_VME);
  driver.set(D::VFTA, 1U << 5U);
  Flow f;
  f.tag = 0x2005;
  arrive(packet(f, payload_of(200)));
  const auto got = driver.take();
  BOOST_TEST(same(got.bytes, packet(Flow{}, payload_of(200))));
  BOOST_TEST((got.last.status & D::RX_VP) != 0);
  BOOST_TEST(got.last.special == 0x2005);
  f.tag = 0x2006;
  arrive(packet(f, payload_of(200)));
  BOOST_TEST(driver.take().bytes.empty());
}

// 3.2.3.1: without EOP only address, length and DD of a receive descriptor are valid.
BOOST_FIXTURE_TEST_CASE(vp_and_the_tag_are_in_the_last_descriptor_of_a_frame, Card) {
  driver.open_rx(64, D::RCTL_SECRC, 256);
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_VME);
  Flow f;
  f.tag = 0x0123;
  arrive(packet(f, payload_of(700)));
  const std::size_t bytes = packet(Flow{}, payload_of(700)).size();
  BOOST_TEST_REQUIRE(bytes == 766U);
  for (unsigned i = 0; i < 2; ++i) {
    BOOST_TEST(driver.rx_status(i).status == D::DD);
    BOOST_TEST(driver.rx_status(i).special == 0);
    BOOST_TEST(driver.rx_status(i).length == 256);
  }
  const auto end = driver.rx_status(2);
  BOOST_TEST(end.length == bytes - 512);
  BOOST_TEST((end.status & (D::RX_EOP | D::RX_VP)) == (D::RX_EOP | D::RX_VP));
  BOOST_TEST(end.special == 0x0123);
}

// A frame is padded on the wire, where its tag is a part of it: what is left without it may have 56
// bytes. It counts as what it was on the wire.
BOOST_FIXTURE_TEST_CASE(a_short_tagged_frame_was_padded_with_its_tag, Card) {
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_VME);
  for (const std::uint32_t crc : {0U, 4U}) {
    driver.open_rx(64, crc == 0 ? D::RCTL_SECRC : 0);
    for (const std::size_t size : {18U, 46U, 59U, 60U, 61U, 63U, 64U, 65U}) {
      Bytes tagged = frame_to(kMac, size, 0x8100);
      arrive(tagged);
      Bytes wanted = tagged;
      wanted.resize(std::max<std::size_t>(size, 60));
      wanted.erase(wanted.begin() + 12, wanted.begin() + 16);
      wanted.resize(wanted.size() + crc);
      const auto got = driver.take();
      BOOST_TEST(same(got.bytes, wanted), size << " bytes");
      BOOST_TEST(got.last.length == std::max<std::size_t>(size, 60) - 4 + crc);
      BOOST_TEST(driver.get(0x4088) == std::max<std::size_t>(size, 60) + 4);  // GORCL
      (void)driver.get(0x408c);
    }
  }
  driver.set(D::CTRL, driver.get(D::CTRL) & ~D::CTRL_VME);
  driver.open_rx(64, D::RCTL_SECRC);
  arrive(frame_to(kMac, 30, 0x8100));
  BOOST_TEST(driver.take().bytes.size() == 60U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
