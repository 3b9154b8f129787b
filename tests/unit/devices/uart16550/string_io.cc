// SPDX-License-Identifier: MIT
// rep outsb and rep insb: one request, many bytes, in either direction of memory.
#include "tests/unit/devices/uart16550/uart_rig.h"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dm::test {
namespace {

struct StringRig : UartRig {
  static constexpr std::uint64_t kBuffer = 0x4000;
  void put(std::uint64_t gpa, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      guest.poke<char>(gpa + i, text[i]);
    }
  }
  std::string get(std::uint64_t gpa, std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
      text.push_back(guest.peek<char>(gpa + i));
    }
    return text;
  }
};

BOOST_FIXTURE_TEST_SUITE(uart_string_io, StringRig)

BOOST_AUTO_TEST_CASE(rep_outsb_goes_out_in_one_piece) {
  com1.start();
  const std::string text(300, 'm');
  put(kBuffer, text);
  guest.rep_outs(0x3f8, 1, kBuffer, 300);
  BOOST_TEST(other.sent == text);
  BOOST_TEST(counters().tx_bytes == 300U);
  BOOST_TEST(other.writes <= 4U);  // not 300
}

BOOST_AUTO_TEST_CASE(rep_outsb_downwards_sends_from_high_to_low_addresses) {
  com1.start();
  put(kBuffer, "abcdef");
  guest.rep_outs(0x3f8, 1, kBuffer + 5, 6, true);
  BOOST_TEST(other.sent == "fedcba");
}

BOOST_AUTO_TEST_CASE(rep_outsb_crosses_pages) {
  com1.start();
  std::string text;
  for (int i = 0; i < 4000; ++i) {
    text.push_back(static_cast<char>('a' + i % 26));
  }
  put(kBuffer + 4090, text);
  guest.rep_outs(0x3f8, 1, kBuffer + 4090, 4000);
  BOOST_TEST((other.sent == text));
  guest.rep_outs(0x3f8, 1, kBuffer + 4090 + 3999, 4000, true);
  BOOST_TEST((other.sent == text + std::string{text.rbegin(), text.rend()}));
}

BOOST_AUTO_TEST_CASE(rep_outsb_into_a_stalled_backend_equals_as_many_writes) {
  ScriptedChardev second;
  const auto port2 = make(1, second);
  UartDriver com2{guest, 0x2f8};
  const std::string text{"0123456789abcdefghijklmnopqrstuvwxyz"};
  put(kBuffer, text);
  for (const std::size_t room : {0U, 1U, 7U, 16U, 19U, 20U, 21U, 35U, 36U}) {
    com1.start(UartDriver::kIerThre);
    com2.start(UartDriver::kIerThre);
    other.sent.clear();
    second.sent.clear();
    other.set_room(room);
    second.set_room(room);
    guest.rep_outs(0x3f8, 1, kBuffer, 36);
    for (const char c : text) {
      guest.outb(0x2f8, static_cast<std::uint8_t>(c));
    }
    BOOST_TEST(guest.inb(0x3fd) == guest.inb(0x2fd));
    BOOST_TEST(guest.isa_irq(4) == guest.isa_irq(3));
    BOOST_TEST(counters().tx_dropped == port2->uart().counters().tx_dropped);
    other.set_room(100);
    second.set_room(100);
    BOOST_TEST(other.sent == second.sent);
    BOOST_TEST(other.sent == text.substr(0, room + 16));
  }
}

BOOST_AUTO_TEST_CASE(rep_outsb_in_loopback_overruns_like_single_writes) {
  com1.start();
  guest.outb(0x3fc, 0x10);
  put(kBuffer, "0123456789abcdefXYZ");
  guest.rep_outs(0x3f8, 1, kBuffer, 19);
  BOOST_TEST(guest.inb(0x3fd) == 0x63);
  BOOST_TEST(com1.receive() == "0123456789abcdef");
  BOOST_TEST(counters().rx_overruns == 3U);
  BOOST_TEST(other.writes == 0U);
}

BOOST_AUTO_TEST_CASE(rep_outsb_to_the_divisor_latch_leaves_the_last_byte) {
  guest.outb(0x3fb, 0x80);
  put(kBuffer, "\x11\x22\x33");
  guest.rep_outs(0x3f8, 1, kBuffer, 3);
  BOOST_TEST(guest.inb(0x3f8) == 0x33);
  BOOST_TEST(other.sent.empty());
}

BOOST_AUTO_TEST_CASE(rep_outsb_to_the_scratch_register_leaves_the_last_byte) {
  put(kBuffer, "\x11\x22\x33");
  guest.rep_outs(0x3ff, 1, kBuffer, 3);
  BOOST_TEST(guest.inb(0x3ff) == 0x33);
}

BOOST_AUTO_TEST_CASE(rep_outsw_at_the_base_is_thr_and_ier_each_time) {
  com1.start();
  put(kBuffer, std::string_view{"A\0B\0C\x05", 6});
  guest.rep_outs(0x3f8, 2, kBuffer, 3);
  BOOST_TEST(other.sent == "ABC");
  BOOST_TEST(guest.inb(0x3f9) == 0x05);
}

BOOST_AUTO_TEST_CASE(rep_insb_reads_more_than_a_fifo_when_the_backend_has_it) {
  com1.start(UartDriver::kIerData);
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text.push_back(static_cast<char>('a' + i % 26));
  }
  other.type(text);
  guest.rep_ins(0x3f8, 1, kBuffer, 200);
  BOOST_TEST(get(kBuffer, 200) == text);
  BOOST_TEST(guest.inb(0x3fd) == 0x60);
  BOOST_TEST(!irq());
}

BOOST_AUTO_TEST_CASE(rep_insb_downwards_fills_memory_from_high_to_low_addresses) {
  com1.start();
  other.type("abcdef");
  guest.rep_ins(0x3f8, 1, kBuffer + 5, 6, true);
  BOOST_TEST(get(kBuffer, 6) == "fedcba");
}

BOOST_AUTO_TEST_CASE(rep_insb_beyond_the_input_repeats_the_last_byte_like_single_reads) {
  com1.start();
  other.type("xyz");
  guest.rep_ins(0x3f8, 1, kBuffer, 8);
  BOOST_TEST(get(kBuffer, 8) == "xyzzzzzz");
  guest.rep_ins(0x3f8, 1, kBuffer, 4);
  BOOST_TEST(get(kBuffer, 4) == "zzzz");
}

BOOST_AUTO_TEST_CASE(rep_insb_leaves_trigger_and_time_out_as_single_reads_do) {
  com1.start(UartDriver::kIerData, 2);
  other.type("0123456789");
  BOOST_TEST(irq());
  guest.rep_ins(0x3f8, 1, kBuffer, 4);
  BOOST_TEST(!irq());
  guest.advance(347us);
  BOOST_TEST(!irq());
  guest.advance(1us);
  BOOST_TEST(com1.source() == 0x0c);
  BOOST_TEST(com1.receive() == "456789");
}

BOOST_AUTO_TEST_CASE(rep_insb_shows_a_break_like_single_reads) {
  com1.start(UartDriver::kIerLine);
  other.type("ab");
  other.send_break();
  other.type("c");
  guest.rep_ins(0x3f8, 1, kBuffer, 4);
  BOOST_TEST((get(kBuffer, 4) == std::string{"ab\0c", 4}));
  BOOST_TEST(com1.source() == 0x06);
  BOOST_TEST(guest.inb(0x3fd) == 0xf0);
}

BOOST_AUTO_TEST_CASE(rep_insb_from_lsr_and_the_divisor_reads_the_register_each_time) {
  other.type("q");
  guest.rep_ins(0x3fd, 1, kBuffer, 3);
  BOOST_TEST(get(kBuffer, 3) == "aaa");  // 61h
  guest.outb(0x3fb, 0x80);
  guest.rep_ins(0x3f8, 1, kBuffer, 2);
  BOOST_TEST(get(kBuffer, 2) == "\x0c\x0c");
  BOOST_TEST(other.unread().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
