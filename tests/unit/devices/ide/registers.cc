// SPDX-License-Identifier: MIT
#include "tests/unit/devices/ide/ide_rig.h"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace dm;
using test::OneDisk;
using test::TwoDisks;

BOOST_FIXTURE_TEST_SUITE(ide_task_file, TwoDisks)

BOOST_AUTO_TEST_CASE(power_on_leaves_the_signature) {
  BOOST_TEST(ide.error() == 1);
  BOOST_TEST(ide.in(2) == 1);
  BOOST_TEST(ide.in(3) == 1);
  BOOST_TEST(ide.in(4) == 0);
  BOOST_TEST(ide.in(5) == 0);
  BOOST_TEST(ide.in(6) == 0xa0);
  BOOST_TEST(ide.status() == 0x50);
}

BOOST_AUTO_TEST_CASE(both_drives_latch_what_is_written) {
  ide.select(0);
  ide.out(2, 0x11);
  ide.out(3, 0x22);
  ide.out(4, 0x33);
  ide.out(5, 0x44);
  ide.select(1, 0x45);
  BOOST_TEST(ide.in(2) == 0x11);
  BOOST_TEST(ide.in(3) == 0x22);
  BOOST_TEST(ide.in(4) == 0x33);
  BOOST_TEST(ide.in(5) == 0x44);
  BOOST_TEST(ide.in(6) == 0xf5);
}

BOOST_AUTO_TEST_CASE(device_register_reads_bits_7_and_5_as_ones) {
  ide.out(6, 0x40);
  BOOST_TEST(ide.in(6) == 0xe0);
  ide.out(6, 0x1f);
  BOOST_TEST(ide.in(6) == 0xbf);
}

BOOST_AUTO_TEST_CASE(hob_shows_the_value_before_the_last_and_any_write_clears_it) {
  ide.select(0);
  for (unsigned reg = 2; reg <= 5; ++reg) {
    ide.out(reg, 0x10 + reg);
    ide.out(reg, 0x20 + reg);
  }
  ide.control(ide.HOB);
  for (unsigned reg = 2; reg <= 5; ++reg) {
    BOOST_TEST(ide.in(reg) == 0x10 + reg);
  }
  BOOST_TEST(ide.in(7) == 0x50);  // not two deep
  BOOST_TEST(ide.in(6) == 0xa0);
  ide.out(1, 0);
  for (unsigned reg = 2; reg <= 5; ++reg) {
    BOOST_TEST(ide.in(reg) == 0x20 + reg);
  }
}

BOOST_AUTO_TEST_CASE(alternate_status_has_no_side_effect_and_status_clears_the_interrupt) {
  ide.select(0);
  ide.command(0x10);
  BOOST_TEST(ide.irq());
  BOOST_TEST(ide.alt_status() == 0x50);
  BOOST_TEST(ide.irq());
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(!ide.irq());
}

BOOST_AUTO_TEST_CASE(a_command_write_clears_the_interrupt_of_the_last_one) {
  ide.select(0);
  ide.command(0x10);
  BOOST_TEST(ide.irq());
  guest.set_auto_work(false);
  ide.command(0xe7);
  BOOST_TEST(!ide.irq());
  guest.run_work();
  BOOST_TEST(ide.irq());
}

BOOST_AUTO_TEST_CASE(nien_keeps_the_line_low_and_releasing_it_raises_it) {
  ide.select(0);
  ide.control(ide.nIEN);
  ide.command(0x10);
  BOOST_TEST(!ide.irq());
  BOOST_TEST(ide.edges() == 0);
  ide.control(0);
  BOOST_TEST(ide.irq());
  ide.control(ide.nIEN);
  BOOST_TEST(!ide.irq());
}

BOOST_AUTO_TEST_CASE(seabios_leaves_no_interrupt_behind) {
  ide.control(0x08 | ide.nIEN);
  (void)ide.identify(0);
  (void)ide.status();
  ide.control(0x08);
  BOOST_TEST(!ide.irq());
  BOOST_TEST(ide.edges() == 0);
}

BOOST_AUTO_TEST_CASE(the_line_is_the_selected_drives) {
  ide.select(1);
  ide.command(0x10);
  BOOST_TEST(ide.irq());
  ide.select(0);
  BOOST_TEST(!ide.irq());
  ide.select(1);
  BOOST_TEST(ide.irq());
}

BOOST_AUTO_TEST_CASE(the_channels_have_lines_of_their_own) {
  rig::ScriptedBlock other{1 << 20};
  test::IdeMachine m{{&disk, nullptr, &other, nullptr}};
  m.ide1.select(0);
  m.ide1.command(0x10);
  BOOST_TEST(m.ide1.irq());
  BOOST_TEST(!m.ide0.irq());
}

BOOST_AUTO_TEST_CASE(diagnostic_runs_on_both_and_selects_device_0) {
  // QEMU's ide-test /ide/diagnostic.
  ide.select(1);
  ide.out(2, 0x77);
  ide.command(0x90);
  BOOST_TEST((ide.in(6) & 0x10) == 0);
  BOOST_TEST(ide.irq());
  for (unsigned unit = 0; unit < 2; ++unit) {
    BOOST_TEST(ide.error() == 1);
    BOOST_TEST(ide.in(2) == 1);
    BOOST_TEST(ide.in(3) == 1);
    BOOST_TEST(ide.in(4) == 0);
    BOOST_TEST(ide.in(5) == 0);
    BOOST_TEST(ide.status() == 0x50);
    ide.select(1);
  }
  BOOST_TEST(!ide.irq());
}

BOOST_AUTO_TEST_CASE(srst_holds_bsy_then_gives_the_signature_without_an_interrupt) {
  ide.select(1);
  ide.out(2, 0x77);
  ide.command(0x10);
  BOOST_TEST(ide.irq());
  ide.control(ide.SRST);
  BOOST_TEST(ide.alt_status() == ide.BSY);
  BOOST_TEST(!ide.irq());
  ide.command(0x10);  // nobody listens
  ide.out(3, 0x99);
  BOOST_TEST(ide.alt_status() == ide.BSY);
  ide.control(0);
  BOOST_TEST(ide.in(6) == 0xa0);
  BOOST_TEST(ide.error() == 1);
  BOOST_TEST(ide.in(2) == 1);
  BOOST_TEST(ide.in(3) == 1);
  BOOST_TEST(ide.status() == 0x50);
  ide.select(1);
  BOOST_TEST(ide.in(3) == 1);
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(ide.edges() == 1);
}

BOOST_AUTO_TEST_CASE(no_command_ends_a_held_srst_of_a_slave_without_a_master) {
  test::IdeMachine slave_alone{{nullptr, &disk, nullptr, nullptr}};
  drivers::IdeDriver& at = slave_alone.ide0;
  at.enable();
  at.control(at.SRST);
  for (const unsigned opcode : {0x90U, 0x08U, 0xecU}) {
    at.command(opcode);  // the absent master is selected
    BOOST_TEST(validate(slave_alone.controller->state()));
  }
  at.control(0);
  at.select(1);
  BOOST_TEST(at.in(3) == 1);
  BOOST_TEST(at.status() == 0x50);
}

BOOST_AUTO_TEST_CASE(srst_resets_multiple_mode_and_keeps_the_transfer_mode) {
  ide.select(0);
  ide.out(2, 0);
  ide.command(0xc6);
  ide.out(1, 0x03);
  ide.out(2, 0x20);
  ide.command(0xef);
  ide.soft_reset();
  const auto words = ide.identify(0);
  BOOST_TEST(words[59] == 0x0110);
  BOOST_TEST(words[63] == 0x0107);
}

BOOST_AUTO_TEST_CASE(byte_accesses_of_the_data_port_move_nothing) {
  disk.stamp(5);
  ide.lba28(0, 5, 1);
  ide.command(0x20);
  BOOST_TEST(ide.in(0) == 0xff);
  ide.out(0, 0x12);
  const auto data = ide.read_data(1);
  BOOST_TEST(test::same(data, test::patterns(5, 1)));
}

BOOST_AUTO_TEST_CASE(word_accesses_of_other_registers_are_two_byte_accesses) {
  ide.select(0);
  guest.outw(0x1f2, 0xaa55);
  BOOST_TEST(ide.in(2) == 0x55);
  BOOST_TEST(ide.in(3) == 0xaa);
  BOOST_TEST(guest.inw(0x1f2) == 0xaa55);
  BOOST_TEST(guest.inl(0x1f2) == 0x0000aa55U);
  guest.outl(0x1f2, 0x44332211);
  BOOST_TEST(guest.inl(0x1f2) == 0x44332211U);
}

BOOST_AUTO_TEST_CASE(only_byte_3f6_of_the_control_block_is_ours) {
  BOOST_TEST(guest.inb(0x3f7) == 0xff);
  BOOST_TEST(guest.inb(0x3f5) == 0xff);
  BOOST_TEST(guest.inb(0x3f6) == 0x50);
}

BOOST_AUTO_TEST_CASE(writes_to_a_busy_drive_are_ignored) {  // B19, B20
  test::stamp(disk, 10, 2);
  ide.lba28(0, 10, 2);
  ide.command(0x20);
  const auto s = ide.wait();
  BOOST_TEST((s & ide.DRQ) != 0);
  ide.select(1);
  ide.out(2, 0x99);
  ide.out(3, 0x99);
  for (const unsigned opcode : {0xecU, 0x20U, 0x30U, 0x08U, 0x90U, 0xe7U, 0xc8U}) {
    ide.command(opcode);
  }
  BOOST_TEST(ide.alt_status() == s);
  BOOST_TEST((ide.in(6) & 0x10) == 0);
  BOOST_TEST(test::same(ide.read_data(2), test::patterns(10, 2)));
  BOOST_TEST(ide.alt_status() == 0x50);
}

BOOST_AUTO_TEST_CASE(writes_while_bsy_are_ignored) {
  guest.set_auto_work(false);
  ide.lba28(0, 10, 1);
  ide.command(0xe7);
  BOOST_TEST(ide.alt_status() == (ide.BSY | ide.DRDY | ide.DSC));
  ide.out(3, 0x77);
  ide.select(1);
  ide.command(0x20);
  guest.run_work();
  BOOST_TEST(ide.status() == 0x50);
  BOOST_TEST(ide.in(3) == 10);
  BOOST_TEST(disk.log.size() == 1U);
}

namespace {
const unsigned kAborting[] = {0x00, 0x01, 0x03, 0x08, 0x11, 0x22, 0x23, 0x2f, 0x37, 0x47, 0x50,
                              0x60, 0x61, 0x87, 0x92, 0x93, 0xa0, 0xa1, 0xa2, 0xc0, 0xde, 0xe4,
                              0xe8, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf9, 0xff};
}
BOOST_DATA_TEST_CASE(what_is_not_implemented_aborts_with_an_interrupt,
                     boost::unit_test::data::make(kAborting),
                     opcode) {
  ide.lba28(0, 0, 1);
  ide.command(opcode);
  BOOST_TEST(ide.irq());
  BOOST_TEST(ide.error() == ide.ABRT);
  BOOST_TEST(ide.status() == 0x51);
  BOOST_TEST(disk.log.empty());
  ide.command(0x10);
  BOOST_TEST(ide.status() == 0x50);  // and is forgotten by the next command
  BOOST_TEST(ide.error() == 0);
}

BOOST_AUTO_TEST_CASE(every_opcode_leaves_a_drive_that_a_reset_brings_back) {
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    for (unsigned unit = 0; unit < 2; ++unit) {
      ide.lba28(unit, 100, 1);
      ide.command(opcode);
      (void)ide.alt_status();
      ide.soft_reset();
      ide.select(unit);
      BOOST_REQUIRE_EQUAL(ide.status(), 0x50);
    }
  }
  BOOST_TEST(ide.identify(0)[60] == 0);
}

BOOST_AUTO_TEST_SUITE_END()
