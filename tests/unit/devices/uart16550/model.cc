// SPDX-License-Identifier: MIT
// Random guests and random other ends: the device against a second chip written on its own.
#include "core/state/describe.h"
#include "tests/unit/devices/uart16550/uart_model.h"
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>

namespace dm::test {
namespace {

namespace data = boost::unit_test::data;

struct ModelRig : UartRig {
  static constexpr std::uint64_t kBuffer = 0x20000;

  [[nodiscard]] unsigned below(unsigned n) { return static_cast<unsigned>(random() % n); }

  /// Values that keep the chip doing something: mostly FIFOs on, DLAB and loopback off again soon.
  [[nodiscard]] std::uint8_t value_for(unsigned reg) {
    const auto any = static_cast<std::uint8_t>(random() & 0xffU);
    switch (reg) {
      case 2:
        return below(4) == 0 ? any : static_cast<std::uint8_t>((any & 0xc0U) | 1U);
      case 3:
        return below(4) == 0 ? any : static_cast<std::uint8_t>(any & 0x3fU);
      case 4:
        return below(4) == 0 ? any : static_cast<std::uint8_t>((any & 0x07U) | 0x08U);
      default:
        return any;
    }
  }
  void write(unsigned reg, std::uint8_t value) {
    trace = "write " + std::to_string(reg) + " " + std::to_string(value);
    guest.outb(static_cast<std::uint16_t>(kBase + reg), value);
    model.write(reg, value);
  }
  void read(unsigned reg) {
    trace = "read " + std::to_string(reg);
    const std::uint8_t got = guest.inb(static_cast<std::uint16_t>(kBase + reg));
    const std::uint8_t expected = model.read(reg);
    BOOST_REQUIRE_MESSAGE(got == expected, "step " << step << ": " << trace << ": " << unsigned{got}
                                                   << ", not " << unsigned{expected});
  }
  void type() {
    trace = "type";
    std::string text;
    for (unsigned n = below(24) + 1; n != 0; --n) {
      text.push_back(static_cast<char>(random() & 0xffU));
      model.outside.push_back(static_cast<std::uint8_t>(text.back()));
    }
    model.come_in();
    other.type(text);
  }
  void send_break() {
    // A backend tells a break only when everything before it has been read, and one at a time.
    if (model.outside.empty()) {
      trace = "break";
      model.outside.push_back(UartModel::kBreak);
      model.come_in();
      other.send_break();
    }
  }
  void change_room() {
    trace = "room";
    model.room = below(3) == 0 ? 0 : below(40);
    model.drain();
    other.set_room(model.room + other_owes());
  }
  /// The model has drained before the device is told: what it took counts for both.
  [[nodiscard]] std::size_t other_owes() const { return model.sent.size() - other.sent.size(); }
  void move_lines() {
    trace = "lines";
    const std::uint8_t before = model.levels();
    const unsigned bits = below(16);
    model.pins = static_cast<std::uint8_t>(bits << 4U);
    model.moved(before);
    other.set_lines({.cts = (bits & 1U) != 0,
                     .dsr = (bits & 2U) != 0,
                     .dcd = (bits & 8U) != 0,
                     .ri = (bits & 4U) != 0});
  }
  void pass_time() {
    const std::uint64_t ns = std::uint64_t{below(1000)} * 1000U;
    trace = "time";
    model.advance(ns);
    guest.advance(std::chrono::nanoseconds{ns});
  }
  void send_string() {
    const unsigned count = below(24) + 1;
    trace = "rep outsb";
    const bool down = below(2) == 0;
    for (unsigned i = 0; i < count; ++i) {
      const auto byte = static_cast<std::uint8_t>(random() & 0xffU);
      guest.poke<std::uint8_t>(down ? kBuffer + count - 1 - i : kBuffer + i, byte);
      model.write(0, byte);
    }
    guest.rep_outs(kBase, 1, down ? kBuffer + count - 1 : kBuffer, count, down);
  }
  void receive_string() {
    const unsigned count = below(24) + 1;
    trace = "rep insb";
    const bool down = below(2) == 0;
    guest.rep_ins(kBase, 1, down ? kBuffer + count - 1 : kBuffer, count, down);
    for (unsigned i = 0; i < count; ++i) {
      const auto got = guest.peek<std::uint8_t>(down ? kBuffer + count - 1 - i : kBuffer + i);
      BOOST_REQUIRE_EQUAL(unsigned{got}, unsigned{model.read(0)});
    }
  }
  void save_and_load() {
    trace = "save and load";
    UartState saved = state();
    const auto bytes = state::save(saved);
    UartState loaded;
    BOOST_REQUIRE(state::load(std::span{bytes}, loaded));
    port->uart().pause();
    BOOST_REQUIRE(port->uart().restore(loaded));
    port->uart().resume();
    model.arrival = UartModel::kNever;
    model.restart();
    model.come_in();
  }
  void one_step() {
    switch (below(40)) {
      case 0:
      case 1:
      case 2:
        return type();
      case 3:
        return send_break();
      case 4:
      case 5:
        return change_room();
      case 6:
        return move_lines();
      case 7:
      case 8:
        return pass_time();
      case 9:
        return send_string();
      case 10:
        return receive_string();
      case 11:
        return save_and_load();
      case 12:
      case 13:
      case 14:
      case 15:
      case 16:
      case 17:
      case 18:
      case 19:
        return write(0, value_for(0));
      case 20:
      case 21:
      case 22:
      case 23:
      case 24:
      case 25:
      case 26:
      case 27:
        return read(0);
      default: {
        const unsigned reg = below(8);
        return below(2) == 0 ? write(reg, value_for(reg)) : read(reg);
      }
    }
  }
  /// What must be true whatever has happened.
  void compare() {
    const auto where = "step " + std::to_string(step) + ": " + trace;
    BOOST_REQUIRE_MESSAGE(irq() == model.irq(), where << ": interrupt is " << irq());
    BOOST_REQUIRE_MESSAGE(other.sent.size() == model.sent.size(), where << ": output");
    BOOST_REQUIRE_MESSAGE(
        other.unread().size() + (state().break_waiting ? 1U : 0U) == model.outside.size(),
        where << ": input outside");
    BOOST_REQUIRE_MESSAGE(state().rx.count == model.rx.size(), where << ": receiver");
    BOOST_REQUIRE_MESSAGE(state().tx.count == model.tx.size(), where << ": transmitter");
    BOOST_REQUIRE_MESSAGE(validate(state()), where << ": the state is impossible");
  }

  std::mt19937_64 random;
  UartModel model;
  std::string trace;
  unsigned step = 0;
};

BOOST_FIXTURE_TEST_SUITE(uart_model, ModelRig)

BOOST_DATA_TEST_CASE(the_device_and_a_second_chip_agree_at_every_step,
                     data::make({1, 16550, 115200, 4242}),
                     seed) {
  random.seed(static_cast<std::uint64_t>(seed));
  for (step = 0; step < 25'000; ++step) {
    one_step();
    compare();
  }
  BOOST_TEST((other.sent == model.sent));
  BOOST_TEST(!other.sent.empty());
  BOOST_TEST(counters().rx_bytes > 1000U);
  BOOST_TEST(counters().rx_overruns > 0U);
  BOOST_TEST(counters().tx_dropped > 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
