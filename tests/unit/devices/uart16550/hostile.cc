// SPDX-License-Identifier: MIT
// What has gone wrong in other UARTs. The names are the case numbers of the list of known attacks:
// C1 divisor, C3 host flood, C6 stalled backend, C7 impossible states (see also state.cc), C8
// widths, C9 storms, C10 logging.
#include "core/obs/log.h"
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace dm::test {
namespace {

namespace data = boost::unit_test::data;

constexpr std::array<std::uint8_t, 3> kWidths{1, 2, 4};

unsigned lines_logged = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): a log
                            // sink is a plain function
void count_line(log::Level /*level*/, std::string_view /*line*/) noexcept {
  ++lines_logged;
}

struct HostileRig : UartRig {
  static constexpr std::uint64_t kBuffer = 0x100000;
  void fill(std::uint64_t gpa, std::size_t size, char c) {
    for (const std::uint64_t end = gpa + size; gpa != end; ++gpa) {
      guest.poke<char>(gpa, c);
    }
  }
};

BOOST_FIXTURE_TEST_SUITE(uart_hostile, HostileRig)

BOOST_DATA_TEST_CASE(c1_no_divisor_divides_by_zero_or_gives_speed_zero,
                     data::make({0x0000, 0x0001, 0x0002, 0x00ff, 0x0100, 0x7fff, 0x8000, 0xffff}),
                     divisor) {
  com1.start(UartDriver::kIerData, 3);
  com1.set_divisor(static_cast<std::uint16_t>(divisor));
  BOOST_TEST(other.lines.back().baud >= 1U);
  BOOST_TEST(other.lines.back().baud <= 115200U);
  guest.outb(0x3fb, 0x3f);  // the longest frame: 12 bits
  other.type("a");
  guest.advance(28s);  // 4 * 12 * 65535 / 115200 s is 27.3 s
  BOOST_TEST(com1.source() == 0x0c);
}

BOOST_AUTO_TEST_CASE(c1_half_written_divisors_are_harmless) {
  com1.start(UartDriver::kIerData, 3);
  guest.outb(0x3fb, 0x83);
  guest.outb(0x3f8, 0x00);  // the divisor is 0 now
  other.type("a");
  guest.advance(1ms);
  BOOST_TEST(irq());
}

BOOST_AUTO_TEST_CASE(c3_a_flooding_host_fills_sixteen_bytes_and_no_more) {
  com1.start(UartDriver::kIerData, 2);
  const std::string flood(1 << 20, 'f');
  for (int i = 0; i < 8; ++i) {
    other.type(flood);
    BOOST_TEST(other.unread().size() == (static_cast<std::size_t>(i) + 1) * flood.size() - 16);
  }
  BOOST_TEST(other.reads <= 8U);
  BOOST_TEST((guest.inb(0x3fd) & 0x02) == 0);
}

BOOST_AUTO_TEST_CASE(c3_nothing_of_a_flood_is_lost_and_each_read_asks_the_backend_once) {
  com1.start(UartDriver::kIerData, 3);
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text.push_back(static_cast<char>(i * 7 % 251));
  }
  other.type(text);
  std::string got;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto reads = other.reads;
    got.push_back(static_cast<char>(guest.inb(0x3f8)));
    BOOST_REQUIRE(other.reads <= reads + 1);
  }
  BOOST_TEST((got == text));
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
}

BOOST_AUTO_TEST_CASE(c6_a_backend_that_never_drains_costs_neither_time_nor_memory) {
  com1.start(UartDriver::kIerThre);
  other.set_room(0);
  for (int i = 0; i < 100'000; ++i) {
    guest.outb(0x3f8, 'x');
  }
  BOOST_TEST(other.writes == 1U);  // once refused, it is left alone until it says that it has room
  BOOST_TEST(counters().tx_dropped == 100'000U - 16);
  BOOST_TEST(guest.inb(0x3fd) == 0x00);
  BOOST_TEST(com1.source() == 0x01);
  other.set_room(1000);
  BOOST_TEST(other.sent == std::string(16, 'x'));
  BOOST_TEST(other.writes <= 3U);
}

BOOST_AUTO_TEST_CASE(c6_a_console_that_waits_for_thre_gets_its_answer_every_time) {
  com1.start();
  other.set_room(5);
  BOOST_TEST(com1.print("0123456789", 1000) == 6U);  // the sixth is held, the seventh waits
  BOOST_TEST(counters().tx_dropped == 0U);
}

BOOST_AUTO_TEST_CASE(c7_orders_that_once_hit_assertions_are_answered) {
  // TEMT must be clear, the FIFO must not be empty...: transmitter states torn apart from under it.
  com1.start(UartDriver::kIerThre);
  other.set_room(0);
  for (const int fcr : {0x01, 0x05, 0x00, 0x01, 0x07, 0x00}) {
    guest.outb(0x3f8, 'a');
    guest.outb(0x3fc, 0x18);
    guest.outb(0x3fa, static_cast<std::uint8_t>(fcr));
    guest.outb(0x3f8, 'b');
    guest.outb(0x3fc, 0x08);
    other.set_room(1);
    guest.outb(0x3f8, 'c');
    guest.outb(0x3f8, 'd');
    guest.outb(0x3fb, 0xff);
    guest.outb(0x3fb, 0x03);
    other.set_room(0);
    BOOST_TEST(validate(state()));
  }
}

BOOST_DATA_TEST_CASE(c8_every_width_at_every_offset_is_answered, data::xrange(0x3f4, 0x402), at) {
  com1.start();
  other.type("0123456789");
  const auto port_number = static_cast<std::uint16_t>(at);
  for (const std::uint8_t size : kWidths) {
    static_cast<void>(guest.pio_read(port_number, size));
    for (const std::uint32_t value : {0U, 0xffffffffU, 0x80808080U, 0x12345678U}) {
      guest.pio_write(port_number, size, value);
      static_cast<void>(guest.pio_read(port_number, size));
      BOOST_TEST(validate(state()));
    }
  }
}

BOOST_AUTO_TEST_CASE(c8_a_run_of_any_width_over_the_end_is_answered) {
  com1.start();
  for (const std::uint8_t size : kWidths) {
    for (std::uint16_t at = 0x3f8; at < 0x400; ++at) {
      guest.rep_outs(at, size, kBuffer, 9);
      guest.rep_ins(at, size, kBuffer, 9);
      BOOST_TEST(validate(state()));
    }
  }
}

BOOST_AUTO_TEST_CASE(c9_a_loopback_storm_is_bounded_per_access) {
  com1.start(0x0f, 0);
  guest.outb(0x3fc, 0x18);
  for (int i = 0; i < 1000; ++i) {
    const auto edges = guest.isa_edges(kIrq);
    guest.outb(0x3f8, 's');
    static_cast<void>(guest.inb(0x3fa));
    static_cast<void>(guest.inb(0x3fd));
    BOOST_REQUIRE(guest.isa_edges(kIrq) <= edges + 3);
  }
  BOOST_TEST(other.writes == 0U);
  BOOST_TEST(other.sent.empty());
}

BOOST_AUTO_TEST_CASE(c9_a_whole_page_in_loopback_is_one_fifo_and_one_edge) {
  com1.start(0x0f, 0);
  guest.outb(0x3fc, 0x18);
  fill(kBuffer, 4096, 'm');
  const auto edges = guest.isa_edges(kIrq);
  guest.rep_outs(0x3f8, 1, kBuffer, 4096);
  BOOST_TEST(guest.isa_edges(kIrq) <= edges + 1);
  BOOST_TEST(state().rx.count == 16);
  BOOST_TEST(counters().rx_overruns == 4096U - 16);
  BOOST_TEST(com1.receive() == std::string(16, 'm'));
}

BOOST_AUTO_TEST_CASE(c9_register_storms_call_the_backend_a_few_times_per_access) {
  com1.start(0x0f, 3);
  other.type(std::string(100'000, 't'));
  std::mt19937 random{9};
  for (int i = 0; i < 50'000; ++i) {
    const auto calls = other.reads + other.writes + other.lines.size() + other.outputs.size() +
                       other.breaks.size();
    const auto edges = guest.isa_edges(kIrq);
    guest.outb(static_cast<std::uint16_t>(0x3f8 + random() % 8),
               static_cast<std::uint8_t>(random() & 0xffU));
    static_cast<void>(guest.inb(static_cast<std::uint16_t>(0x3f8 + random() % 8)));
    const auto now = other.reads + other.writes + other.lines.size() + other.outputs.size() +
                     other.breaks.size();
    BOOST_REQUIRE(now <= calls + 4);  // three for a write, one for a read
    BOOST_REQUIRE(guest.isa_edges(kIrq) <= edges + 2);
  }
}

BOOST_AUTO_TEST_CASE(c10_no_register_makes_the_log_grow) {
  lines_logged = 0;
  log::set_sink(count_line);
  other.set_room(0);
  for (int i = 0; i < 2000; ++i) {
    for (std::uint16_t at = 0x3f8; at < 0x400; ++at) {
      guest.outb(at, static_cast<std::uint8_t>(i));
      static_cast<void>(guest.inb(at));
    }
  }
  log::set_sink(nullptr);
  BOOST_TEST(lines_logged == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
