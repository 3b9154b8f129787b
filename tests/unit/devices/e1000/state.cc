// SPDX-License-Identifier: MIT
// Saved, loaded, and loaded from bytes that somebody made up.
#include "devices/e1000/state.h"

#include "tests/unit/devices/e1000/packets.h"

#include <random>

namespace dm::test {

using D = E1000Driver;
using e1000::CardState;

namespace {

/// Saves the card and loads it where it is, which changes nothing. What was saved.
CardState loaded_into_itself(e1000::E1000& card) {
  card.pause();
  CardState saved = card.state();
  BOOST_TEST(card.restore(saved));
  CardState loaded = card.state();
  BOOST_TEST(state::hash(loaded) == state::hash(saved));
  card.resume();
  return saved;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(e1000_state)

BOOST_FIXTURE_TEST_CASE(a_card_goes_on_in_another_machine_in_the_middle_of_everything, OneCard) {
  driver.open_tx(64);
  driver.open_rx(64);
  driver.set(D::IMS, D::TXDW | D::RXT0);
  driver.set(D::TIDV, 100);
  const Flow f{.udp = true};
  const Bytes payload = payload_of(8000);
  put_long_datagram(driver, payload);
  net.room = 3;
  driver.ring_doorbell();
  BOOST_TEST(net.sent.size() == 3U);
  driver.set(D::EECD, D::EECD_REQ | D::EECD_CS);
  driver.shift_out(6, 3);  // in the middle of an EEPROM access
  card->pause();
  CardState state = card->state();
  const auto bytes = state::save(state);

  rig::SimGuest guest2;
  rig::ScriptedNet net2;
  const auto card2 = make_card(guest2, net2);
  D driver2{guest2, kBdf};
  std::copy(guest.ram().begin(), guest.ram().end(), guest2.ram().begin());
  CardState loaded;
  BOOST_TEST(state::load(bytes, loaded));
  BOOST_TEST(state::hash(loaded) == state::hash(state));
  card2->pause();
  BOOST_REQUIRE(card2->restore(loaded));
  CardState again = card2->state();
  BOOST_TEST(state::hash(again) == state::hash(state));
  card2->resume();
  guest2.run_work();
  std::vector<Bytes> wire;
  for (const auto& part : {&net.sent, &net2.sent}) {
    for (const auto& sent : *part) {
      const auto made = as_the_kernel_would(sent.bytes, sent.offload);
      wire.insert(wire.end(), made.begin(), made.end());
    }
  }
  const auto wanted = segments(f, payload, 1000);
  BOOST_REQUIRE(wire.size() == wanted.size());
  for (std::size_t i = 0; i < wire.size(); ++i) {
    BOOST_TEST(same(wire[i], wanted[i]));
  }
  BOOST_TEST(driver2.tx_status(1) == D::DD);
  driver2.shift_out(1, 6);
  BOOST_TEST(driver2.shift_in() == driver2.read_eeprom(1));
  net2.arrive(frame_to_us(100));
  guest2.run_work();
  BOOST_TEST(driver2.irq());
  BOOST_TEST(driver2.rx_status(0).length == 100);
}

BOOST_FIXTURE_TEST_CASE(nothing_moves_between_pause_and_resume, OneCard) {
  driver.open_tx(64);
  driver.open_rx(64);
  card->pause();
  const Bytes before{guest.ram().begin(), guest.ram().end()};
  driver.put_legacy(D::kTxBuffers, 60, D::EOP | D::RS);
  const Bytes with_descriptor{guest.ram().begin(), guest.ram().end()};
  driver.ring_doorbell();
  arrive(frame_to_us(100));
  net.set_link(false);
  net.set_link(true);
  guest.run_work();
  BOOST_TEST(net.sent.empty());
  BOOST_TEST(std::equal(with_descriptor.begin(), with_descriptor.end(), guest.ram().begin()));
  card->resume();
  guest.run_work();
  BOOST_TEST(net.sent.size() == 1U);
  BOOST_TEST(driver.take().bytes.size() == 100U);
}

// Delays are in units of 1.024 us (8254x manual, 13.4.30 and 13.4.44).
BOOST_FIXTURE_TEST_CASE(a_delayed_interrupt_waits_for_its_delay_anew_after_a_load, OneCard) {
  driver.open_tx(64);
  driver.open_rx(64);
  driver.set(D::IMS, D::TXDW | D::RXT0);
  driver.set(D::TIDV, 1000);
  driver.set(D::RDTR, 2000);
  driver.send(frame_to(kOther, 60), D::EOP | D::RS | D::IDE);
  arrive(frame_to_us(100));
  guest.advance(500us);
  BOOST_TEST(!driver.irq());
  const CardState state = loaded_into_itself(*card);
  BOOST_TEST(state.tx_delayed);
  BOOST_TEST(state.rx_delayed);
  guest.advance(1023us);
  BOOST_TEST(!driver.irq());
  guest.advance(2us);
  BOOST_TEST(driver.get(D::ICR) == (D::TXDW | D::TXQE));
  guest.advance(1022us);
  BOOST_TEST(!driver.irq());
  guest.advance(2us);
  BOOST_TEST(driver.get(D::ICR) == D::RXT0);
}

// ITR is in units of 256 ns (8254x manual, 13.4.18).
BOOST_FIXTURE_TEST_CASE(an_interrupt_that_itr_holds_back_is_held_back_after_a_load, OneCard) {
  driver.set(D::IMS, D::TXDW);
  driver.set(D::ITR, 4000);  // 1.024 ms
  driver.set(D::ICS, D::TXDW);
  (void)driver.get(D::ICR);
  driver.set(D::ICS, D::TXDW);
  BOOST_TEST(!driver.irq());
  (void)loaded_into_itself(*card);
  guest.advance(1023us);
  BOOST_TEST(!driver.irq());
  guest.advance(2us);
  BOOST_TEST(driver.irq());
  CardState state = card->state();
  BOOST_TEST(card->restore(state));
  BOOST_TEST(driver.irq());
  state.pin = true;
  state.file.word[D::IMS / 4] = 0;
  BOOST_TEST(!card->restore(state));
}

// Its guest cannot see it, and its state stays what was saved, whatever the cable here is like.
BOOST_AUTO_TEST_CASE(a_card_that_has_left_is_loaded_as_it_was_and_has_no_pin) {
  OneCard from;
  OneCard to;
  from.card->unplug({.nics = true});
  CardState saved = from.card->state();
  to.net.set_link(false);
  to.card->unplug({.nics = true});
  BOOST_TEST(to.card->restore(saved));
  BOOST_TEST((to.card->state().file.word == saved.file.word));
  BOOST_TEST((to.card->state().phy.reg == saved.phy.reg));
  saved.file.word[D::ICR / 4] = D::RXT0;
  saved.file.word[D::IMS / 4] = D::RXT0;
  saved.rx_delayed = true;
  BOOST_TEST(to.card->restore(saved));
  BOOST_TEST(!to.driver.irq());
  to.guest.run_work();
  BOOST_TEST(!to.driver.irq());
}

BOOST_FIXTURE_TEST_CASE(impossible_numbers_are_refused, OneCard) {
  driver.open_tx(64);
  driver.put_legacy(D::kTxBuffers, 60, D::RS);
  driver.ring_doorbell();
  card->pause();
  const CardState good = card->state();
  BOOST_TEST(e1000::validate(good));
  BOOST_TEST(good.packet.open);
  const auto refused = [&](auto change) {
    CardState bad = good;
    change(bad);
    const auto hash = [&] {
      CardState now = card->state();
      return state::hash(now);
    };
    const auto before = hash();
    const bool taken = card->restore(bad);
    return !taken && hash() == before;
  };
  BOOST_TEST(refused([](CardState& s) { s.packet.fragments = 129; }));
  BOOST_TEST(refused([](CardState& s) { s.packet.fragments = 0; }));
  BOOST_TEST(refused([](CardState& s) { s.packet.bytes = 0x40001; }));
  BOOST_TEST(refused([](CardState& s) { s.packet.bytes = 61; }));
  BOOST_TEST(refused([](CardState& s) { s.packet.length[0] = 0x100000; }));
  BOOST_TEST(refused([](CardState& s) { s.packet.sent = 1; }));
  BOOST_TEST(refused([](CardState& s) { s.packet.report[0] = 4; }));
  BOOST_TEST(refused([](CardState& s) { s.packet.open = false; }));
  BOOST_TEST(refused([](CardState& s) { s.eeprom.bits = 26; }));
  BOOST_TEST(refused([](CardState& s) { s.eeprom.out_bits = 17; }));
  BOOST_TEST(refused([](CardState& s) { s.eeprom.address = 64; }));
  BOOST_TEST(refused([](CardState& s) { s.file.word[D::RDLEN / 4] = 0x100000; }));
  BOOST_TEST(refused([](CardState& s) { s.file.word[D::TDH / 4] = 0x10000; }));
  BOOST_TEST(refused([](CardState& s) { s.file.word[D::ICR / 4] = 0x20000; }));
  BOOST_TEST(refused([](CardState& s) { s.file.word[D::TDBAL / 4] = 8; }));
  BOOST_TEST(refused([](CardState& s) { s.file.word[D::STATUS / 4] = 0; }));
  BOOST_TEST(refused([](CardState& s) { s.file.word[0x0204 / 4] = 1; }));  // an alias
  BOOST_TEST(refused([](CardState& s) { s.segment_context.paylen = 0x100000; }));
}

BOOST_FIXTURE_TEST_CASE(a_head_outside_of_the_ring_may_be_loaded_and_does_nothing, OneCard) {
  driver.open_tx(64);
  driver.open_rx(64);
  card->pause();
  CardState state = card->state();
  state.file.word[D::TDH / 4] = 0xffff;
  state.file.word[D::RDH / 4] = 0xffff;
  state.file.word[D::TDT / 4] = 0xfffe;
  state.packet.slot.fill(0xffff);
  BOOST_TEST(card->restore(state));
  card->resume();
  arrive(frame_to_us(100));
  guest.run_work();
  BOOST_TEST(net.sent.empty());
}

BOOST_FIXTURE_TEST_CASE(loaded_bytes_can_be_anything, OneCard) {
  driver.open_tx(64);
  driver.open_rx(64);
  driver.put_legacy(D::kTxBuffers, 60, D::RS);
  driver.ring_doorbell();
  CardState state = card->state();
  const auto good = state::save(state);
  std::mt19937 random{7};
  unsigned taken = 0;
  for (unsigned round = 0; round < 3000; ++round) {
    auto bytes = good;
    for (unsigned i = 0; i <= round % 8; ++i) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random() & 0xffU);
    }
    if (round % 10 == 0) {
      bytes.resize(random() % bytes.size());
    }
    CardState loaded;
    if (!state::load(bytes, loaded)) {
      continue;
    }
    ++taken;
    card->pause();
    if (card->restore(loaded)) {
      card->resume();
      driver.map();
      driver.ring_doorbell();
      if (net.waiting() < 4) {
        net.arrive(frame_to_us(100));
      }
      guest.run_work();
      driver.put_legacy(D::kTxBuffers, 60, D::RS | D::EOP);
      driver.ring_doorbell();
    }
    net.sent.clear();
    net.offered.clear();
  }
  BOOST_TEST(taken != 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
