// SPDX-License-Identifier: MIT
// A card that is saved and loaded is the same card; what no card could be is refused.
#include "devices/rtl8139/state.h"

#include "tests/unit/devices/nic/packets.h"
#include "tests/unit/devices/rtl8139/rtl8139_rig.h"

#include <functional>

namespace dm::test {

using D = Rtl8139Driver;
using rtl8139::CardState;

BOOST_AUTO_TEST_SUITE(rtl8139_state)

BOOST_FIXTURE_TEST_CASE(a_loaded_card_goes_on_where_the_saved_one_was, OneRtl) {
  driver.open_plus(D::RXCHK);
  const Flow f{};
  const Bytes payload = payload_of(50000);
  driver.put_memory(D::kTxBuffers, for_segmentation(f, payload));
  net.make_room(1);
  driver.put(D::kTxBuffers, 50066, D::FS | D::LS | D::LGSEN | 500U << 16U);
  driver.poll();
  BOOST_TEST(net.sent.size() == 1U);
  arrive(frame_to_us(100));
  card->pause();
  const CardState saved = card->state();
  BOOST_TEST(saved.tx_sent == 32000U);
  const auto bytes = [](CardState s) { return state::save(s); };
  CardState loaded;
  BOOST_TEST(state::load(bytes(saved), loaded));
  BOOST_TEST((bytes(loaded) == bytes(saved)));
  card->reset();
  card->pause();
  BOOST_TEST(card->restore(loaded));
  net.make_room(100);
  card->resume();
  guest.run_work();
  BOOST_TEST_REQUIRE(net.sent.size() == 2U);
  BOOST_TEST(driver.irq());
  std::size_t count = 0;
  for (const auto& part : net.sent) {
    count += as_the_kernel_would(part.bytes, part.offload).size();
  }
  BOOST_TEST(count == 100U);
  BOOST_TEST(driver.take().has_value());
}

BOOST_FIXTURE_TEST_CASE(tctr_stands_still_while_the_card_is_paused, OneRtl) {
  driver.set32(D::TCTR, 0);
  guest.advance(30us);
  card->pause();
  guest.advance(1s);
  card->resume();
  BOOST_TEST(driver.get32(D::TCTR) == 1000U);
}

BOOST_FIXTURE_TEST_CASE(what_no_card_could_be_is_refused, OneRtl) {
  card->pause();
  const CardState good = card->state();
  BOOST_TEST(rtl8139::validate(good));
  const std::vector<std::function<void(CardState&)>> wrong{
      [](CardState& s) { s.tx_index = 64; },
      [](CardState& s) { s.rx_index = 64; },
      [](CardState& s) { s.classic_index = 4; },
      [](CardState& s) { s.classic_pending = 16; },
      [](CardState& s) { s.tx_sent = 65536; },
      [](CardState& s) { s.timer_seen = s.timer_elapsed + 1; },
      [](CardState& s) { s.timer_elapsed = ~std::uint64_t{0}; },
      [](CardState& s) { s.eeprom.bits = 26; },
      [](CardState& s) { s.eeprom.address = 64; },
      [](CardState& s) { s.file.bytes[0x3b] = 0x20; },  // CBR behind a ring of 8 KiB
      [](CardState& s) { s.file.bytes[0x3a] = 2; },
      [](CardState& s) { s.file.bytes[0x5e] = 0x10; },  // RERID
      [](CardState& s) { s.file.bytes[0xf0] = 1; },
  };
  for (const auto& change : wrong) {
    CardState bad = good;
    change(bad);
    BOOST_TEST(!rtl8139::validate(bad));
    BOOST_TEST(!card->restore(bad));
  }
}

BOOST_FIXTURE_TEST_CASE(a_card_that_was_unplugged_is_gone_and_quiet, OneRtl) {
  driver.open_plus();
  net.arrive(frame_to_us(100));
  BOOST_TEST(card->unplug({.nics = true}));
  BOOST_TEST(net.client == nullptr);
  BOOST_TEST(!driver.irq());
  BOOST_TEST(guest.config_read(kBdf, 0, 4) == 0xffffffffU);
  card->reset();
  card->wake();
  guest.run_work();
  BOOST_TEST(net.sent.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace dm::test
