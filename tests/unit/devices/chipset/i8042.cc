// SPDX-License-Identifier: MIT
// The keyboard controller, as SeaBIOS and Linux talk to it, and by itself. Numbers typed from IBM's
// PS/2 Hardware Interface Technical Reference.
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

#include <initializer_list>

namespace dm::test {
namespace {

using Answer = std::vector<int>;
using Keys = drivers::KeyboardDriver;

BOOST_FIXTURE_TEST_SUITE(chipset_8042_conversations, Machine)

BOOST_AUTO_TEST_CASE(seabios_sets_up_the_keyboard) {
  BOOST_TEST(kbc.flush());
  BOOST_TEST((kbc.ask(0xaa) == 0x55));
  BOOST_TEST((kbc.ask(0xab) == 0x00));
  const auto keyboard_command = [this](std::uint8_t restored, std::vector<int> bytes) {
    Answer all;
    const auto quiet = static_cast<std::uint8_t>((restored | 0x30U) & ~0x03U);
    kbc.command(0x60, quiet);
    kbc.command(0x60, static_cast<std::uint8_t>(quiet & ~0x10U));
    for (const int byte : bytes) {
      const Answer answer = kbc.keyboard(static_cast<std::uint8_t>(byte));
      all.insert(all.end(), answer.begin(), answer.end());
    }
    kbc.command(0x60, restored);
    return all;
  };
  BOOST_TEST(keyboard_command(0x30, {0xff}) == (Answer{0xfa, 0xaa}),
             boost::test_tools::per_element());
  BOOST_TEST(keyboard_command(0x30, {0xf5}) == (Answer{0xfa}), boost::test_tools::per_element());
  BOOST_TEST(keyboard_command(0x30, {0xf0, 0x02}) == (Answer{0xfa, 0xfa}),
             boost::test_tools::per_element());
  BOOST_TEST(keyboard_command(0x61, {0xf4}) == (Answer{0xfa}), boost::test_tools::per_element());
  BOOST_TEST((kbc.ask(0x20) == 0x61));
  BOOST_TEST(guest.isa_edges(1) == 1);  // the last answer: only then interrupts are on
  BOOST_TEST(guest.isa_edges(12) == 0);
}

BOOST_AUTO_TEST_CASE(linux_finds_controller_and_auxiliary_port) {
  BOOST_TEST(kbc.flush());
  BOOST_TEST((kbc.ask(0xaa) == 0x55));
  const auto ctr = kbc.ask(0x20);
  BOOST_REQUIRE(ctr.has_value());
  BOOST_TEST((kbc.ask(0x20) == ctr));
  BOOST_TEST((kbc.status() & Keys::KEYLOCK) != 0);
  const auto quiet = static_cast<std::uint8_t>((*ctr | 0x10U) & ~0x01U);
  kbc.command(0x60, quiet);
  BOOST_TEST((kbc.ask(0x20) == quiet));

  // AUX_LOOP: comes back, and marked as from the auxiliary side.
  kbc.command(0xd3, 0x5a);
  BOOST_TEST((kbc.status() & (Keys::OBF | Keys::AUX)) == (Keys::OBF | Keys::AUX));
  BOOST_TEST((kbc.read() == 0x5a));
  // Bit assignment test.
  kbc.command(0xa7);
  BOOST_TEST((kbc.ask(0x20).value_or(0) & 0x20) == 0x20);
  kbc.command(0xa8);
  BOOST_TEST((kbc.ask(0x20).value_or(0xff) & 0x20) == 0);
  // Interrupt delivery test.
  kbc.command(0x60, static_cast<std::uint8_t>((quiet & ~0x20U) | 0x02U));
  BOOST_TEST(!guest.isa_irq(12));
  kbc.command(0xd3, 0xa5);
  BOOST_TEST(guest.isa_irq(12));
  BOOST_TEST(!guest.isa_irq(1));
  BOOST_TEST((kbc.status() & Keys::AUX) != 0);
  BOOST_TEST((kbc.read() == 0xa5));
  BOOST_TEST(!guest.isa_irq(12));
  // Multiplexing: a controller that gives A4 back is a plain one.
  BOOST_TEST((kbc.ask(0xd3, 0xf0) == 0xf0));
  BOOST_TEST((kbc.ask(0xd3, 0x56) == 0x56));
  BOOST_TEST((kbc.ask(0xd3, 0xa4) == 0xa4));
}

BOOST_AUTO_TEST_CASE(linux_drives_the_keyboard_by_interrupts) {
  kbc.command(0x60, 0x65);
  guest.outb(0x60, 0xf2);
  Answer answer;
  for (unsigned i = 0; i < 8 && guest.isa_irq(1); ++i) {
    BOOST_TEST((kbc.status() & (Keys::OBF | Keys::AUX)) == Keys::OBF);
    answer.push_back(guest.inb(0x60));
  }
  BOOST_TEST(answer == (Answer{0xfa, 0xab, 0x41}), boost::test_tools::per_element());
  BOOST_TEST(guest.isa_edges(1) == 3);  // an edge for each byte
  BOOST_TEST(guest.sim_irqs().redundant() == 0);
  BOOST_TEST(kbc.keyboard(0xed) == (Answer{0xfa}), boost::test_tools::per_element());
  BOOST_TEST(kbc.keyboard(0x02) == (Answer{0xfa}), boost::test_tools::per_element());
  BOOST_TEST(kbc.keyboard(0xf4) == (Answer{0xfa}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(linux_recognises_an_intellimouse) {
  kbc.command(0x60, 0x47);
  BOOST_TEST(kbc.mouse(0xf2) == (Answer{0xfa, 0x00}), boost::test_tools::per_element());
  BOOST_TEST(kbc.mouse(0xff) == (Answer{0xfa, 0xaa, 0x00}), boost::test_tools::per_element());
  for (const std::uint8_t rate : std::initializer_list<std::uint8_t>{200, 100, 80}) {
    BOOST_TEST(kbc.mouse(0xf3) == (Answer{0xfa}), boost::test_tools::per_element());
    BOOST_TEST(kbc.mouse(rate) == (Answer{0xfa}), boost::test_tools::per_element());
  }
  BOOST_TEST(kbc.mouse(0xf2) == (Answer{0xfa, 0x03}), boost::test_tools::per_element());
  BOOST_TEST(kbc.mouse(0xf4) == (Answer{0xfa}), boost::test_tools::per_element());
  BOOST_TEST(guest.isa_edges(12) == 14);
  BOOST_TEST(guest.isa_edges(1) == 0);
}

BOOST_AUTO_TEST_CASE(linux_reboots_by_the_keyboard_controller) {
  kbc.command(0xfe);
  BOOST_TEST(rebooted_once());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(chipset_8042, Machine)

BOOST_AUTO_TEST_CASE(status_after_reset_says_empty_and_unlocked) {
  BOOST_TEST(kbc.status() == Keys::KEYLOCK);
  BOOST_TEST(guest.inb(0x60) == 0);
  BOOST_TEST((kbc.ask(0x20) == 0x30));
}

BOOST_AUTO_TEST_CASE(status_tells_commands_from_data) {
  kbc.command(0xae);
  BOOST_TEST((kbc.status() & Keys::CMD) != 0);
  guest.outb(0x60, 0xee);
  BOOST_TEST((kbc.status() & Keys::CMD) == 0);
}

BOOST_AUTO_TEST_CASE(the_input_buffer_is_never_full) {
  for (unsigned code = 0; code < 0xf0; ++code) {
    kbc.command(static_cast<std::uint8_t>(code));
    BOOST_TEST((kbc.status() & Keys::IBF) == 0);
  }
}

BOOST_AUTO_TEST_CASE(self_test_and_the_command_byte_set_the_system_flag) {
  BOOST_TEST((kbc.status() & Keys::SYS) == 0);
  BOOST_TEST((kbc.ask(0xaa) == 0x55));
  BOOST_TEST((kbc.status() & Keys::SYS) != 0);
  BOOST_TEST((kbc.ask(0x20).value_or(0) & 0x04) == 0x04);
  kbc.command(0x60, 0x00);
  BOOST_TEST((kbc.status() & Keys::SYS) == 0);
}

BOOST_AUTO_TEST_CASE(line_tests_find_no_fault) {
  BOOST_TEST((kbc.ask(0xa9) == 0x00));
  BOOST_TEST((kbc.ask(0xab) == 0x00));
  BOOST_TEST((kbc.ask(0xc0) == 0x80));
}

BOOST_AUTO_TEST_CASE(the_controller_has_32_bytes_of_memory) {
  for (std::uint8_t i = 1; i < 32; ++i) {
    kbc.command(static_cast<std::uint8_t>(0x60 + i), static_cast<std::uint8_t>(0xa0 + i));
  }
  for (std::uint8_t i = 1; i < 32; ++i) {
    BOOST_TEST((kbc.ask(static_cast<std::uint8_t>(0x20 + i)) == 0xa0 + i));
  }
  BOOST_TEST((kbc.ask(0x20) == 0x30));
}

BOOST_AUTO_TEST_CASE(a_disabled_keyboard_keeps_its_bytes_until_it_is_enabled) {
  guest.outb(0x60, 0xee);
  guest.outb(0x60, 0xf2);
  BOOST_TEST(guest.inb(0x60) == 0xee);
  kbc.command(0xad);  // the first byte of the second answer is in the buffer already
  BOOST_TEST(guest.inb(0x60) == 0xfa);
  BOOST_TEST(!kbc.full());
  kbc.command(0xae);
  BOOST_TEST(kbc.drain() == (Answer{0xab, 0x83}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(writing_to_a_disabled_device_enables_it) {
  BOOST_TEST((kbc.ask(0x20).value_or(0) & 0x30) == 0x30);
  BOOST_TEST(kbc.keyboard(0xee) == (Answer{0xee}), boost::test_tools::per_element());
  BOOST_TEST((kbc.ask(0x20).value_or(0) & 0x30) == 0x20);
  BOOST_TEST(kbc.mouse(0xe6) == (Answer{0xfa}), boost::test_tools::per_element());
  BOOST_TEST((kbc.ask(0x20).value_or(0xff) & 0x30) == 0x00);
}

BOOST_AUTO_TEST_CASE(translation_changes_the_keyboards_bytes_only) {
  kbc.command(0x60, 0x40);
  BOOST_TEST(kbc.keyboard(0xf2) == (Answer{0xfa, 0xab, 0x41}), boost::test_tools::per_element());
  BOOST_TEST(kbc.keyboard(0xf0) == (Answer{0xfa}), boost::test_tools::per_element());
  BOOST_TEST(kbc.keyboard(0x00) == (Answer{0xfa, 0x41}), boost::test_tools::per_element());
  BOOST_TEST((kbc.ask(0xd2, 0x83) == 0x83));
  BOOST_TEST((kbc.ask(0xd3, 0x02) == 0x02));
  kbc.command(0x60, 0x00);
  BOOST_TEST(kbc.keyboard(0xf2) == (Answer{0xfa, 0xab, 0x83}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(d2_pretends_that_the_keyboard_sent) {
  kbc.command(0x60, 0x01);
  kbc.command(0xd2, 0x1c);
  BOOST_TEST(guest.isa_irq(1));
  BOOST_TEST((kbc.status() & Keys::AUX) == 0);
  BOOST_TEST(guest.inb(0x60) == 0x1c);
  BOOST_TEST(!guest.isa_irq(1));
}

BOOST_AUTO_TEST_CASE(enabling_an_interrupt_with_a_byte_waiting_raises_it) {
  kbc.command(0xd2, 0x1c);
  BOOST_TEST(!guest.isa_irq(1));
  kbc.command(0x60, 0x01);
  BOOST_TEST(guest.isa_irq(1));
  kbc.command(0x60, 0x00);
  BOOST_TEST(!guest.isa_irq(1));
}

BOOST_AUTO_TEST_CASE(the_output_port_shows_reset_a20_and_the_buffer) {
  BOOST_TEST((kbc.ask(0xd0) == 0xcf));
  kbc.command(0xd2, 0x11);
  kbc.command(0xd0);
  BOOST_TEST(guest.inb(0x60) == 0x11);
  BOOST_TEST((kbc.read() == 0xdf));  // a keyboard byte was waiting when it was asked
  kbc.command(0xd3, 0x22);
  kbc.command(0xd0);
  BOOST_TEST(guest.inb(0x60) == 0x22);
  BOOST_TEST((kbc.read() == 0xef));
}

BOOST_AUTO_TEST_CASE(a20_is_kept_by_all_ways_of_switching_it) {
  kbc.command(0xdd);
  BOOST_TEST((kbc.ask(0xd0).value_or(0xff) & 2) == 0);
  kbc.command(0xdf);
  BOOST_TEST((kbc.ask(0xd0).value_or(0) & 2) == 2);
  kbc.command(0xd1, 0xdd);
  BOOST_TEST((kbc.ask(0xd0).value_or(0xff) & 2) == 0);
  kbc.command(0xd1, 0xdf);
  BOOST_TEST((kbc.ask(0xd0).value_or(0) & 2) == 2);
  BOOST_TEST(guest.shutdowns().empty());
}

// SECURITY.md D13
BOOST_AUTO_TEST_CASE(even_pulse_commands_reset_and_odd_ones_do_not) {
  for (const std::uint8_t code :
       std::initializer_list<std::uint8_t>{0xf1, 0xf3, 0xf5, 0xf7, 0xf9, 0xfb, 0xfd, 0xff}) {
    kbc.command(code);
  }
  BOOST_TEST(guest.shutdowns().empty());
  kbc.command(0xf0);
  BOOST_TEST(rebooted_once());
}

// SECURITY.md D13
BOOST_AUTO_TEST_CASE(the_output_port_resets_by_its_bit_0) {
  kbc.command(0xd1, 0x03);
  BOOST_TEST(guest.shutdowns().empty());
  kbc.command(0xd1, 0xfe);
  BOOST_TEST(rebooted_once());
}

BOOST_AUTO_TEST_CASE(fe_as_data_is_a_keyboard_command_and_no_reset) {
  guest.outb(0x60, 0xfe);
  BOOST_TEST(guest.shutdowns().empty());
}

BOOST_AUTO_TEST_CASE(a_new_command_forgets_the_one_that_waited_for_data) {
  kbc.command(0x60);
  kbc.command(0xa8);
  guest.outb(0x60, 0xee);
  BOOST_TEST((kbc.read() == 0xee));  // went to the keyboard
}

BOOST_AUTO_TEST_CASE(of_two_answers_the_newer_one_waits) {
  kbc.command(0xd2, 0x11);
  kbc.command(0xaa);
  kbc.command(0xab);
  BOOST_TEST(kbc.drain() == (Answer{0x11, 0x00}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(answers_go_before_keyboard_bytes_and_those_before_mouse_bytes) {
  kbc.command(0xd4, 0xf2);  // FA is in the buffer, 00 waits
  guest.outb(0x60, 0xee);
  kbc.command(0xc0);
  BOOST_TEST(kbc.drain() == (Answer{0xfa, 0x80, 0xee, 0x00}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(unknown_commands_do_nothing_but_count) {
  chipset::KeyboardController controller{IrqLine{}, IrqLine{}, guest.control()};
  for (const std::uint8_t code : std::initializer_list<std::uint8_t>{
           0x00, 0x1f, 0x40, 0x5f, 0x80, 0xa0, 0xc1, 0xd5, 0xe0, 0xef}) {
    controller.write_command(code);
    BOOST_TEST((controller.read_status() & 1) == 0);
  }
  BOOST_TEST(controller.ignored() == 10);
  BOOST_TEST(guest.shutdowns().empty());
}

BOOST_AUTO_TEST_CASE(wide_accesses_reach_one_byte_of_the_controller) {
  guest.outw(0x60, 0xffee);
  BOOST_TEST(guest.inw(0x60) == 0xffee);
  BOOST_TEST(guest.inl(0x60) == 0xffffffee);
  BOOST_TEST(guest.inw(0x64) == (0xff00 | Keys::KEYLOCK));
  guest.outl(0x64, 0x000000fe);
  BOOST_TEST(rebooted_once());
}

BOOST_AUTO_TEST_CASE(no_pile_of_unread_answers_makes_the_controller_disappear) {
  for (unsigned i = 0; i < 1000; ++i) {
    guest.outb(0x60, 0xf2);
    kbc.command(0xd4, 0xe9);
  }
  BOOST_TEST((kbc.read() == 0xfa));
  // 16 bytes each and one in the buffer, no more.
  BOOST_TEST(kbc.drain().size() <= 33);
  BOOST_TEST(!kbc.full());
  BOOST_TEST((kbc.ask(0xaa) == 0x55));
  BOOST_TEST(kbc.keyboard(0xee) == (Answer{0xee}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
