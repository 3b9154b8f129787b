// SPDX-License-Identifier: MIT
// The guest's own view: a real chip on a real backend, whose reader comes, types, and leaves.
#include "devices/uart16550/serial_port.h"
#include "tests/drivers/uart_driver.h"
#include "tests/unit/platform/linux/char_peers.h"

using namespace dm;
using namespace dm::test;
using drivers::UartDriver;

namespace {

/// COM1 of a simulated PC on a backend of this host.
struct SerialLine : CharFixture {
  struct Com1 {
    Com1(CharFixture& fixture, const CharKind& kind)
        : line{fixture, kind},
          port{uart16550::SerialPort::create(
                   uart16550::kComPorts[0], guest.pio(), guest.irqs(), guest.timers(), *line.device)
                   .value()} {}
    [[nodiscard]] bool thre() { return (driver.in(UartDriver::kLsr)&UartDriver::kLsrThre) != 0; }
    rig::SimGuest guest;
    CharLine line;
    std::unique_ptr<uart16550::SerialPort> port;
    UartDriver driver{guest, 0x3f8};
  };
  void settle() {
    for (int i = 0; i < 5; ++i) {
      loop.wait(1ms);
    }
  }
};

constexpr std::uint8_t kFifosOff = 0x00;
constexpr std::uint8_t kFifosOn = 0x07;
constexpr std::uint8_t kCts = 0x10;
constexpr std::uint8_t kDsr = 0x20;
constexpr std::uint8_t kDcd = 0x80;
constexpr std::uint8_t kDcdMoved = 0x08;

enum class Mode { no_fifos, fifos, loopback };

void set_mode(UartDriver& com1, Mode mode) {
  com1.start();
  com1.out(UartDriver::kFcr, mode == Mode::no_fifos ? kFifosOff : kFifosOn);
  if (mode == Mode::loopback) {
    com1.out(UartDriver::kMcr, UartDriver::kMcrLoop);
  }
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(serial_line, SerialLine)

// xl console -t serial while the BIOS is at work: Enter, Ctrl-], and the guest goes on printing.
BOOST_AUTO_TEST_CASE(a_reader_that_leaves_with_a_key_unread_holds_nothing_up) {
  for (const CharKind& kind : char_kinds()) {
    for (const Mode mode : {Mode::no_fifos, Mode::fifos, Mode::loopback}) {
      BOOST_TEST_CONTEXT(kind.name << ", mode " << static_cast<int>(mode)) {
        Com1 com1{*this, kind};
        CharPeer reader = com1.line.come();
        settle();
        com1.driver.start();
        static_cast<void>(com1.driver.in(UartDriver::kMsr));
        if (kind.types) {
          reader.type("key by key by key by key");
        }
        settle();
        set_mode(com1.driver, mode);
        settle();
        reader.leave();
        settle();
        if (mode == Mode::loopback) {
          com1.driver.out(UartDriver::kMcr, UartDriver::kMcrDtr | UartDriver::kMcrRts);
        }
        const std::uint8_t msr = com1.driver.in(UartDriver::kMsr);
        if (kind.carrier) {
          BOOST_TEST((msr & (kDcd | kDsr | kCts)) == 0);
          BOOST_TEST((msr & kDcdMoved) != 0);
        } else {
          BOOST_TEST((msr & (kDcd | kDsr | kCts)) == (kDcd | kDsr | kCts));
        }
        reset_calls();
        const std::string text = numbered(100'000);
        BOOST_TEST(com1.driver.print(text) == text.size());
        BOOST_TEST(com1.thre());
        loop.wait(0ns);
        BOOST_TEST(calls().vector_writes == 0U);
        BOOST_TEST(stays_idle(loop, 10ms));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(thre_comes_back_when_a_reader_that_did_not_read_is_killed) {
  for (const CharKind& kind : char_kinds()) {
    for (const Mode mode : {Mode::no_fifos, Mode::fifos}) {
      BOOST_TEST_CONTEXT(kind.name << ", mode " << static_cast<int>(mode)) {
        Com1 com1{*this, kind};
        CharPeer reader = com1.line.come();
        settle();
        if (kind.types) {
          reader.type("key by key by key by key");
        }
        set_mode(com1.driver, mode);
        settle();
        const std::string text(1 << 20, '.');
        while (com1.line.device->write(bytes(text)) == text.size()) {
        }
        BOOST_TEST(com1.driver.print("HELLO") < 5U);
        BOOST_TEST(!com1.thre());
        reader.leave();
        settle();
        BOOST_TEST(com1.thre());
        BOOST_TEST(com1.driver.print(text.substr(0, 50'000)) == 50'000U);
        BOOST_TEST(stays_idle(loop, 10ms));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_next_client_gets_the_first_line_whole) {
  for (const CharKind& kind : char_kinds()) {
    if (!kind.comes_back || !kind.carrier) {
      continue;
    }
    for (const Mode mode : {Mode::no_fifos, Mode::fifos, Mode::loopback}) {
      for (const bool turn : {false, true}) {
        BOOST_TEST_CONTEXT(kind.name << ", mode " << static_cast<int>(mode)) {
          Com1 com1{*this, kind};
          CharPeer first = com1.line.come();
          settle();
          set_mode(com1.driver, mode);
          first.type(std::string(100, 'k'));
          settle();
          first.leave();
          const CharPeer second = com1.line.come();
          if (turn) {
            settle();
          }
          com1.driver.out(UartDriver::kMcr, UartDriver::kMcrDtr | UartDriver::kMcrRts);
          BOOST_TEST(com1.driver.print("HELLO") == 5U);
          BOOST_TEST(receive(second.fd.get(), 5) == "HELLO");
          const std::uint8_t msr = com1.driver.in(UartDriver::kMsr);
          BOOST_TEST((msr & (kDcd | kDsr | kCts)) == (kDcd | kDsr | kCts));
          if (mode != Mode::loopback) {
            BOOST_TEST((msr & kDcdMoved) != 0);  // the guest can see that it is another
          }
        }
      }
    }
  }
}

// What the chip still holds was printed for the one who did not read, too.
BOOST_AUTO_TEST_CASE(who_waits_while_another_does_not_read_gets_nothing_of_its_line) {
  for (const CharKind& kind : char_kinds()) {
    if (!kind.comes_back || !kind.carrier) {
      continue;
    }
    for (const Mode mode : {Mode::no_fifos, Mode::fifos}) {
      BOOST_TEST_CONTEXT(kind.name << ", mode " << static_cast<int>(mode)) {
        Com1 com1{*this, kind};
        CharPeer first = com1.line.come();
        settle();
        set_mode(com1.driver, mode);
        const std::string text(1 << 20, '.');
        while (com1.line.device->write(bytes(text)) == text.size()) {
        }
        for (const char c : std::string_view{mode == Mode::fifos ? "stale" : "s"}) {
          com1.driver.out(UartDriver::kThr, static_cast<std::uint8_t>(c));
        }
        BOOST_TEST(!com1.thre());
        const CharPeer second = com1.line.come();
        first.leave();
        settle();
        BOOST_TEST(com1.thre());
        BOOST_TEST(com1.driver.print("HELLO") == 5U);
        settle();
        BOOST_TEST(read_all(second.fd.get()) == "HELLO");
        BOOST_TEST((com1.driver.in(UartDriver::kMsr)&kDcdMoved) != 0);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_a_script_typed_is_read_at_the_guests_pace_after_it_left) {
  for (const CharKind& kind : char_kinds()) {
    if (!kind.types || !kind.comes_back) {
      continue;
    }
    BOOST_TEST_CONTEXT(kind.name) {
      Com1 com1{*this, kind};
      set_mode(com1.driver, Mode::fifos);
      com1.guest.advance(1ms);
      const std::string command = numbered(500);
      for (int i = 0; i < 2; ++i) {
        CharPeer script = com1.line.come();
        settle();
        script.type(command);
        settle();
        script.leave();
        settle();
      }
      std::string got;
      for (int i = 0; i < 200; ++i) {
        got += com1.driver.receive(16);
        settle();
      }
      BOOST_TEST(got == command + command);
      BOOST_TEST(stays_idle(loop, 10ms));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
