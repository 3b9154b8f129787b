// SPDX-License-Identifier: MIT
// Saving in the middle of everything, loading what is hostile.
#include "core/state/describe.h"
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace dm::test {
namespace {

struct StateRig : UartRig {
  [[nodiscard]] std::vector<std::byte> saved() const {
    UartState copy = state();
    return state::save(copy);
  }
  [[nodiscard]] static UartState loaded(const std::vector<std::byte>& bytes) {
    UartState result;
    BOOST_REQUIRE(state::load(std::span{bytes}, result));
    return result;
  }
  [[nodiscard]] static std::uint64_t hash(const UartState& s) {
    UartState copy = s;
    return state::hash(copy);
  }
  /// Everything at once: output held back, input with a break inside, two latched interrupts, odd
  /// registers.
  void in_the_middle() {
    com1.start(0x0f, 3);
    guest.outb(0x3ff, 0x3c);
    com1.set_divisor(3);
    other.type("abc");
    other.send_break();
    other.type("de");
    guest.advance(10ms);
    static_cast<void>(guest.inb(0x3f8));
    guest.advance(10ms);
    other.set_lines({.dcd = false});
    other.set_room(0);
    for (const char c : std::string{"HELD"}) {
      guest.outb(0x3f8, static_cast<std::uint8_t>(c));
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(uart_state, StateRig)

BOOST_AUTO_TEST_CASE(save_load_save_is_the_identity_in_mid_transfer) {
  in_the_middle();
  const auto first = saved();
  const UartState copy = loaded(first);
  BOOST_TEST(hash(copy) == hash(state()));
  BOOST_REQUIRE(port->uart().restore(copy));
  BOOST_TEST((saved() == first));
}

BOOST_AUTO_TEST_CASE(a_restored_port_goes_on_where_the_saved_one_stood) {
  in_the_middle();
  const auto bytes = saved();

  UartRig target;
  target.port->uart().pause();
  BOOST_REQUIRE(target.port->uart().restore(loaded(bytes)));
  target.port->uart().resume();
  BOOST_TEST(target.other.sent == "HELD");
  BOOST_TEST(target.guest.inb(0x3ff) == 0x3c);
  BOOST_TEST(target.guest.inb(0x3f9) == 0x0f);
  BOOST_TEST(target.com1.source() == 0x0c);
  BOOST_TEST(target.guest.inb(0x3f8) == 'b');
  BOOST_TEST((target.guest.inb(0x3fd) & 0x91) == 0x81);  // the break is still inside
  BOOST_TEST(target.guest.inb(0x3f8) == 'c');
  BOOST_TEST((target.guest.inb(0x3fd) & 0x91) == 0x91);
  BOOST_TEST((target.com1.receive() == std::string{"\0de", 3}));
  BOOST_TEST((target.guest.inb(0x3fe) & 0x0f) == 0x08);
}

BOOST_AUTO_TEST_CASE(the_backend_of_the_new_place_is_told_everything) {
  guest.outb(0x3fb, 0x1f);
  com1.set_divisor(2);
  guest.outb(0x3fb, 0x5f);
  guest.outb(0x3fc, 0x0b);
  UartRig target;
  BOOST_REQUIRE(target.port->uart().restore(loaded(saved())));
  BOOST_TEST((target.other.lines.back() == ScriptedChardev::Line{57600, 8, 2, 'e'}));
  BOOST_TEST(target.other.outputs.back() == "DTR RTS");
  BOOST_TEST((target.other.breaks == std::vector<bool>{true}));
}

BOOST_AUTO_TEST_CASE(a_restored_level_is_adopted_and_not_sent) {
  com1.start(UartDriver::kIerThre);
  BOOST_TEST(irq());
  UartRig target;
  BOOST_REQUIRE(target.port->uart().restore(loaded(saved())));
  BOOST_TEST(target.guest.isa_edges(kIrq) == 0U);
  BOOST_TEST(target.com1.source() == 0x02);
  BOOST_TEST(!target.irq());
  target.guest.outb(0x3f8, 'n');
  BOOST_TEST(target.irq());
  BOOST_TEST(target.guest.isa_edges(kIrq) == 1U);
}

BOOST_AUTO_TEST_CASE(a_running_time_out_runs_on_after_a_restore) {
  com1.start(UartDriver::kIerData, 3);
  other.type("a");
  guest.advance(100us);
  UartRig target;
  BOOST_REQUIRE(target.port->uart().restore(loaded(saved())));
  BOOST_TEST(!target.irq());
  target.guest.advance(348us);
  BOOST_TEST(target.com1.source() == 0x0c);
}

BOOST_AUTO_TEST_CASE(nothing_moves_while_paused) {
  com1.start(0x0f, 0);
  static_cast<void>(com1.source());
  other.set_room(0);
  guest.outb(0x3f8, 'o');
  port->uart().pause();
  const auto before = hash(state());
  other.set_room(10);
  other.type("in");
  other.set_lines({.cts = false});
  BOOST_TEST(hash(state()) == before);
  BOOST_TEST(other.sent.empty());
  BOOST_TEST(other.unread() == "in");
  port->uart().resume();
  BOOST_TEST(other.sent == "o");
  BOOST_TEST(com1.receive() == "in");
  BOOST_TEST(guest.inb(0x3fe) == 0xa1);
}

// Found by fuzzing: the saved state of a paused machine had to stay what it was.
BOOST_AUTO_TEST_CASE(a_break_that_comes_while_paused_waits_for_resume) {
  com1.start(0x0f, 0);
  static_cast<void>(com1.source());
  port->uart().pause();
  const auto before = hash(state());
  other.send_break();
  BOOST_TEST(hash(state()) == before);
  port->uart().resume();
  BOOST_TEST((guest.inb(0x3fd) & 0x11) == 0x11);  // a break, and its zero
  BOOST_TEST(guest.inb(0x3f8) == 0U);
}

BOOST_AUTO_TEST_CASE(saved_bytes_that_no_chip_can_have_are_refused) {
  in_the_middle();
  using Spoil = std::function<void(UartState&)>;
  const std::vector<std::pair<const char*, Spoil>> bad{
      {"ier has reserved bits", [](UartState& s) { s.ier = 0x10; }},
      {"fcr has self-clearing bits", [](UartState& s) { s.fcr |= 0x02; }},
      {"fcr programmed while off", [](UartState& s) { s.fcr = 0x80; }},
      {"mcr has reserved bits", [](UartState& s) { s.mcr = 0x20; }},
      {"errors has DR", [](UartState& s) { s.errors = 0x01; }},
      {"errors has THRE", [](UartState& s) { s.errors = 0x20; }},
      {"line levels has deltas", [](UartState& s) { s.line_levels |= 0x01; }},
      {"deltas has levels", [](UartState& s) { s.modem_deltas = 0x10; }},
      {"rx too long", [](UartState& s) { s.rx.count = 17; }},
      {"rx much too long", [](UartState& s) { s.rx.count = 255; }},
      {"rx head outside", [](UartState& s) { s.rx.head = 16; }},
      {"tx too long", [](UartState& s) { s.tx.count = 17; }},
      {"tx head outside", [](UartState& s) { s.tx.head = 255; }},
      {"two bytes in 16450 mode",
       [](UartState& s) {
         s.fcr = 0;
         s.rx_timeout = false;
         s.rx_breaks = 0;
         s.rx.count = 2;
         s.tx.count = 0;
       }},
      {"time-out in 16450 mode",
       [](UartState& s) {
         s.fcr = 0;
         s.rx_breaks = 0;
         s.rx.count = 1;
         s.tx.count = 0;
         s.rx_timeout = true;
       }},
      {"time-out of an empty receiver",
       [](UartState& s) {
         s.rx.clear();
         s.rx_breaks = 0;
         s.rx_timeout = true;
       }},
      {"THRE pending while output is held", [](UartState& s) { s.thre_pending = true; }},
      {"THRE pending while masked",
       [](UartState& s) {
         s.tx.clear();
         s.ier = 0x0d;
         s.thre_pending = true;
       }},
      {"a break where no byte is", [](UartState& s) { s.rx_breaks = 0xffff; }},
      {"output held in loopback", [](UartState& s) { s.mcr |= 0x10; }},
  };
  const auto before = hash(state());
  for (const auto& [what, spoil] : bad) {
    UartState spoilt = state();
    spoil(spoilt);
    BOOST_TEST(!port->uart().restore(spoilt), what);
    UartState target = state();
    BOOST_TEST(!state::load(state::save(spoilt), target), what);
    BOOST_TEST(hash(state()) == before, what);
  }
  BOOST_TEST(port->uart().restore(state()));  // and the good one is not
}

BOOST_AUTO_TEST_CASE(truncated_bytes_are_refused_or_give_a_valid_state) {
  in_the_middle();
  const auto bytes = saved();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    UartState target;
    if (state::load(std::span{bytes}.first(size), target)) {
      BOOST_TEST(validate(target));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_field_numbers_are_the_ones_that_were_given) {
  // A change here breaks every saved guest.
  const auto bytes = saved();
  std::vector<unsigned> ids;
  for (std::size_t at = 0; at + 6 <= bytes.size();) {
    ids.push_back(std::to_integer<unsigned>(bytes[at]));
    at += 6 + std::to_integer<unsigned>(bytes[at + 2]);
  }
  std::vector<unsigned> expected;
  for (unsigned i = 1; i <= 17; ++i) {
    expected.push_back(i);
  }
  BOOST_TEST(ids == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(mutated_bytes_are_refused_or_harmless) {
  // C7: states that no register order can make, from a restore.
  in_the_middle();
  const auto good = saved();
  std::mt19937 random{20'24};
  unsigned accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (unsigned n = random() % 4 + 1; n != 0; --n) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random() & 0xffU);
    }
    UartState mutated;
    if (!state::load(std::span{bytes}, mutated)) {
      continue;
    }
    BOOST_REQUIRE(port->uart().restore(mutated));
    ++accepted;
    for (int i = 0; i < 12; ++i) {
      const auto reg = static_cast<std::uint16_t>(0x3f8 + random() % 8);
      if (random() % 2 == 0) {
        guest.outb(reg, static_cast<std::uint8_t>(random() & 0xffU));
      } else {
        static_cast<void>(guest.inb(reg));
      }
    }
    guest.advance(1s);
    BOOST_REQUIRE(validate(state()));
  }
  BOOST_TEST(accepted > 100U);
  BOOST_TEST(accepted < 20'000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
