// SPDX-License-Identifier: MIT
// Several frames of one doorbell: they go in one call, and what the host does with a part of them.
#include "core/bounds.h"
#include "tests/unit/devices/e1000/e1000_rig.h"

namespace dm::test {

using D = E1000Driver;

namespace {

struct Batch : OneCard {
  Batch() {
    driver.open_tx(64);
    guest.set_auto_work(false);
  }
  /// Frame `i` is 100 + i bytes long.
  void put(unsigned i) {
    driver.put_memory(D::kTxBuffers + i * 0x1000, frame_to(kOther, 100 + i));
    driver.put_legacy(D::kTxBuffers + i * 0x1000, 100 + i, D::EOP | D::IFCS | D::RS);
  }
  void ring_for(unsigned frames) {
    for (unsigned i = 0; i < frames; ++i) {
      put(i);
    }
    driver.ring_doorbell();
  }
  /// Each of them once, in order, with its own bytes.
  void expect(unsigned frames) {
    BOOST_REQUIRE(net.sent.size() == frames);
    for (unsigned i = 0; i < frames; ++i) {
      BOOST_TEST(same(net.sent[i].bytes, frame_to(kOther, 100 + i)));
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_transmit_batch)

BOOST_FIXTURE_TEST_CASE(the_frames_of_a_doorbell_go_in_one_call_for_sixteen_of_them, Batch) {
  ring_for(40);
  guest.run_work();
  expect(40);
  BOOST_TEST(net.calls == 3U);
  BOOST_TEST(driver.get(D::TDH) == 40U);
  for (unsigned i = 0; i < 40; ++i) {
    BOOST_TEST(driver.tx_status(i) == D::DD);
  }
}

BOOST_FIXTURE_TEST_CASE(one_frame_is_one_call_and_ends_in_the_same_unit, Batch) {
  ring_for(1);
  BOOST_TEST(guest.work().run_one());
  BOOST_TEST(guest.work().empty());
  expect(1);
  BOOST_TEST(net.calls == 1U);
}

/// A tap without headers, or an older kernel: each frame is a system call, and between two of them
/// every vCPU is looked after.
BOOST_FIXTURE_TEST_CASE(a_host_that_takes_one_frame_a_call_gets_one_in_each_unit, Batch) {
  net.together = 1;
  ring_for(10);
  for (unsigned unit = 1; unit <= 10; ++unit) {
    BOOST_TEST(guest.work().run_one());
    BOOST_TEST(net.sent.size() == unit);
  }
  BOOST_TEST(guest.work().empty());
  expect(10);
  BOOST_TEST(net.calls == 10U);
  BOOST_TEST(guest.work().meter().worst_unit().sends == 1U);
}

BOOST_FIXTURE_TEST_CASE(frames_that_find_no_room_are_sent_later_once_and_in_order, Batch) {
  for (unsigned room = 0; room < 12; ++room) {
    net.sent.clear();
    driver.open_tx(64);
    net.room = room;
    ring_for(12);
    guest.run_work();
    expect(room);
    BOOST_TEST(driver.get(D::TDH) == room);  // the ring waits at the first that is left
    for (unsigned i = 0; i < 12; ++i) {
      BOOST_TEST(driver.tx_status(i) == (i < room ? D::DD : 0));
    }
    net.make_room(1000);
    guest.run_work();
    expect(12);
    BOOST_TEST(driver.get(D::TDH) == 12U);
    for (unsigned i = 0; i < 12; ++i) {
      BOOST_TEST(driver.tx_status(i) == D::DD);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_frame_that_the_host_refuses_takes_none_of_the_others_with_it, Batch) {
  net.refuse_at = 4;
  ring_for(10);
  guest.run_work();
  BOOST_REQUIRE(net.sent.size() == 9U);
  for (unsigned i = 0; i < 9; ++i) {
    BOOST_TEST(net.sent[i].bytes.size() == 100 + i + (i < 4 ? 0U : 1U));
  }
  BOOST_TEST(card->chip().counters().tx_dropped == 1U);
  BOOST_TEST(driver.tx_status(4) == D::DD);
  BOOST_TEST(driver.tx_status(9) == D::DD);
}

BOOST_FIXTURE_TEST_CASE(each_frame_goes_by_the_context_that_stood_before_it, Batch) {
  const auto context = [&](std::uint8_t tucss, std::uint8_t tucso) {
    driver.put_context({.ipcss = 14,
                        .ipcso = 24,
                        .ipcse = 33,
                        .tucss = tucss,
                        .tucso = tucso,
                        .tucse = 0,
                        .paylen = 0,
                        .tucmd = D::TU_TCP,
                        .hdrlen = 0,
                        .mss = 0});
  };
  net.room = 2;
  for (unsigned i = 0; i < 4; ++i) {
    driver.put_memory(D::kTxBuffers + i * 0x1000, frame_to(kOther, 200 + i, 0x0800));
    context(static_cast<std::uint8_t>(34 + i), static_cast<std::uint8_t>(50 + 2 * i));
    driver.put_data(D::kTxBuffers + i * 0x1000, 200 + i, D::EOP | D::IFCS | D::RS, D::TXSM);
  }
  driver.ring_doorbell();
  guest.run_work();
  BOOST_TEST(net.sent.size() == 2U);
  BOOST_TEST(driver.get(D::TDH) == 4U);  // before the third frame's context
  net.make_room(100);
  guest.run_work();
  BOOST_REQUIRE(net.sent.size() == 4U);
  for (unsigned i = 0; i < 4; ++i) {
    BOOST_TEST(net.sent[i].bytes.size() == 200 + i);
    BOOST_TEST(net.sent[i].offload.needs_checksum);
    BOOST_TEST(net.sent[i].offload.checksum_start == 34 + i);
    BOOST_TEST(net.sent[i].offload.checksum_offset == 16 + i);
  }
}

BOOST_FIXTURE_TEST_CASE(each_frame_gets_its_own_tag_and_its_own_checksum, Batch) {
  driver.set(D::CTRL, driver.get(D::CTRL) | D::CTRL_VME);
  for (unsigned i = 0; i < 5; ++i) {
    driver.put_memory(D::kTxBuffers + i * 0x1000, frame_to(kOther, 100 + i));
    driver.put_legacy(D::kTxBuffers + i * 0x1000, 100 + i, D::EOP | D::IFCS | D::RS | D::VLE, 0, 0,
                      static_cast<std::uint16_t>(0x2000 + i));
  }
  driver.ring_doorbell();
  guest.run_work();
  BOOST_TEST(net.calls == 1U);
  BOOST_REQUIRE(net.sent.size() == 5U);
  for (unsigned i = 0; i < 5; ++i) {
    const Bytes& bytes = net.sent[i].bytes;
    BOOST_REQUIRE(bytes.size() == 104 + i);
    BOOST_TEST((bytes[12] == std::byte{0x81} && bytes[13] == std::byte{0x00}));
    BOOST_TEST((bytes[14] == std::byte{0x20} && bytes[15] == static_cast<std::byte>(i)));
    Bytes plain{bytes.begin(), bytes.begin() + 12};
    plain.insert(plain.end(), bytes.begin() + 16, bytes.end());
    BOOST_TEST(same(plain, frame_to(kOther, 100 + i)));
  }
}

BOOST_FIXTURE_TEST_CASE(frames_whose_pages_touch_stay_apart, Batch) {
  const Bytes both = frame_to(kOther, 600);
  driver.put_memory(D::kTxBuffers, both);
  driver.put_legacy(D::kTxBuffers, 300, D::EOP | D::IFCS | D::RS);
  driver.put_legacy(D::kTxBuffers + 300, 300, D::EOP | D::IFCS | D::RS);
  driver.ring_doorbell();
  guest.run_work();
  BOOST_TEST(net.calls == 1U);
  BOOST_REQUIRE(net.sent.size() == 2U);
  BOOST_TEST(same(net.sent[0].bytes, std::span{both}.first(300)));
  BOOST_TEST(same(net.sent[1].bytes, std::span{both}.subspan(300)));
}

BOOST_FIXTURE_TEST_CASE(a_frame_out_of_the_guests_memory_is_dropped_alone_and_counted_once, Batch) {
  put(0);
  put(1);
  driver.put_legacy(0x7fff'0000'0000, 200, D::EOP | D::IFCS | D::RS);
  driver.put_memory(D::kTxBuffers + 2 * 0x1000, frame_to(kOther, 102));
  driver.put_legacy(D::kTxBuffers + 2 * 0x1000, 102, D::EOP | D::IFCS | D::RS);
  driver.ring_doorbell();
  guest.run_work();
  expect(3);
  BOOST_TEST(card->chip().counters().tx_dropped == 1U);
  BOOST_TEST(card->chip().counters().master_aborts == 1U);
  for (unsigned i = 0; i < 4; ++i) {
    BOOST_TEST(driver.tx_status(i) == D::DD);
  }
}

BOOST_FIXTURE_TEST_CASE(a_packet_whose_end_comes_with_a_later_doorbell_is_sent_once, Batch) {
  put(0);
  const Bytes late = frame_to(kOther, 101);
  driver.put_memory(D::kTxBuffers + 0x1000, late);
  driver.put_data(D::kTxBuffers + 0x1000, 50, D::IFCS);
  driver.ring_doorbell();
  guest.run_work();
  expect(1);
  driver.put_data(D::kTxBuffers + 0x1000 + 50, 51, D::EOP | D::IFCS | D::RS);
  put(2);
  net.room = 0;
  driver.ring_doorbell();
  guest.run_work();
  net.make_room(10);
  guest.run_work();
  expect(3);
}

BOOST_FIXTURE_TEST_CASE(a_tail_of_the_rings_size_is_passed_once_though_the_host_was_full, Batch) {
  driver.open_tx(8);
  for (unsigned i = 0; i < 8; ++i) {
    put(i);
  }
  net.room = 5;
  driver.set(D::TDT, 8);
  guest.run_work();
  expect(5);
  net.make_room(100);
  guest.run_work();
  expect(8);
  BOOST_TEST(driver.get(D::TDH) == 0U);
  BOOST_TEST(guest.work().empty());
}

BOOST_FIXTURE_TEST_CASE(a_unit_takes_no_more_than_a_block_of_descriptors, Batch) {
  driver.open_tx(256);
  for (unsigned i = 0; i < 200; ++i) {
    driver.put_context({});
  }
  put(0);
  driver.ring_doorbell();
  unsigned units = 0;
  while (guest.work().run_one()) {
    ++units;
  }
  BOOST_TEST(units >= 200U / 64U);
  expect(1);
}

BOOST_FIXTURE_TEST_CASE(what_a_unit_hands_over_is_counted_by_frames_and_bytes, Batch) {
  ring_for(40);
  guest.run_work();
  const Cost worst = guest.work().meter().worst_unit();
  BOOST_TEST(worst.sends == bounds::kFramesPerSend);
  BOOST_TEST(worst.bytes <= bounds::kBytesPerUnit);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
