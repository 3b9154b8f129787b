// SPDX-License-Identifier: MIT
// Power management as Xen's ACPI tables describe it: PM1a_CNT, APM, GPE0, hotplug blocks.
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

namespace dm::test {
namespace {

/// After hvmloader: the registers are where the tables say.
struct AcpiMachine : Machine {
  AcpiMachine() : Machine{{.vcpus_online = 2, .vcpus_max = 6}} {
    firmware.pci_setup();
    firmware.acpi_enable_sci();
  }
};

BOOST_FIXTURE_TEST_SUITE(chipset_acpi, AcpiMachine)

BOOST_AUTO_TEST_CASE(apm_commands_switch_sci_en) {
  guest.outb(0xb2, 0xf0);
  BOOST_TEST((guest.inw(0xb004) & 1) == 0);
  guest.outb(0xb2, 0x55);
  BOOST_TEST((guest.inw(0xb004) & 1) == 0);
  guest.outb(0xb2, 0xf1);
  BOOST_TEST((guest.inw(0xb004) & 1) == 1);
}

BOOST_AUTO_TEST_CASE(apm_ports_are_storage_otherwise) {
  guest.outb(0xb2, 0x12);
  guest.outb(0xb3, 0x34);
  BOOST_TEST(guest.inb(0xb2) == 0x12);
  BOOST_TEST(guest.inb(0xb3) == 0x34);
  BOOST_TEST(guest.inw(0xb2) == 0x3412);
  guest.outw(0xb2, 0x99f0);
  BOOST_TEST((guest.inb(0xb004) & 1) == 0);
  BOOST_TEST(guest.inb(0xb3) == 0x99);
}

BOOST_AUTO_TEST_CASE(sleep_type_0_with_enable_powers_off) {
  // Linux: first the type, then type and enable.
  guest.outw(0xb004, 0x0001);
  BOOST_TEST(guest.shutdowns().empty());
  guest.outw(0xb004, 0x2001);
  BOOST_TEST((guest.shutdowns() == std::vector{ShutdownReason::poweroff}));
  BOOST_TEST(guest.domain().suspends() == 0);
}

BOOST_AUTO_TEST_CASE(the_enable_bit_works_by_a_byte_too) {
  guest.outb(0xb005, 0x20);
  BOOST_TEST((guest.shutdowns() == std::vector{ShutdownReason::poweroff}));
}

BOOST_AUTO_TEST_CASE(sleep_type_1_suspends_and_tells_firmware_by_cmos) {
  guest.outw(0xb004, 0x2401);
  BOOST_TEST(guest.shutdowns().empty());
  BOOST_TEST(guest.domain().suspends() == 1);
  BOOST_TEST(firmware.cmos_read(0x0f) == 0xfe);
}

BOOST_AUTO_TEST_CASE(other_sleep_types_do_nothing) {
  for (std::uint16_t type = 2; type < 8; ++type) {
    guest.outw(0xb004, static_cast<std::uint16_t>(0x2001 | type << 10U));
  }
  BOOST_TEST(guest.shutdowns().empty());
  BOOST_TEST(guest.domain().suspends() == 0);
}

BOOST_AUTO_TEST_CASE(control_keeps_type_and_sci_en_and_nothing_else) {
  guest.outw(0xb004, 0xdfff);
  BOOST_TEST(guest.inw(0xb004) == 0x1c03);
  guest.outb(0xb005, 0x04);
  BOOST_TEST(guest.inw(0xb004) == 0x0403);
  BOOST_TEST(guest.inb(0xb005) == 0x04);
  guest.outb(0xb004, 0x00);
  BOOST_TEST(guest.inw(0xb004) == 0x0400);
}

BOOST_AUTO_TEST_CASE(a_double_word_at_the_control_register_reaches_both_of_its_bytes) {
  BOOST_TEST(guest.inl(0xb004) == 0xffff0001);
  guest.outl(0xb004, 0x00000401);
  BOOST_TEST(guest.inw(0xb004) == 0x0401);
}

BOOST_AUTO_TEST_CASE(the_control_register_follows_its_base) {
  guest.config_write(kPm, 0x40, 4, 0x1f01);
  BOOST_TEST(guest.inb(0xb004) == 0xff);
  BOOST_TEST(guest.inb(0x1f04) == 0x01);
  guest.config_write(kPm, 0x80, 1, 0);
  BOOST_TEST(guest.inb(0x1f04) == 0xff);
  guest.config_write(kPm, 0x40, 4, 0);
  guest.config_write(kPm, 0x80, 1, 1);
  BOOST_TEST(guest.inw(0x04) == 0);  // base 0 is nowhere: the DMA controller keeps its ports
  BOOST_TEST(guest.claims().errors() == 0);
}

// SECURITY.md D3
BOOST_AUTO_TEST_CASE(a_base_over_other_ports_leaves_them_alone_until_it_moves) {
  guest.config_write(kPm, 0x40, 4, 0x81);  // PM1a_CNT would be ports 84h-85h, the DMA pages
  guest.outb(0x84, 0x5a);
  BOOST_TEST(guest.inb(0x84) == 0x5a);
  guest.config_write(kPm, 0x40, 4, 0xb001);
  BOOST_TEST(guest.inb(0xb004) == 0x01);
  guest.config_write(kPm, 0x40, 4, 0xffc1);  // the last block of the I/O space
  BOOST_TEST(guest.inb(0xffc4) == 0x01);
}

BOOST_AUTO_TEST_CASE(gpe_registers_are_zero_after_reset) {
  BOOST_TEST(guest.inl(0xafe0) == 0);
}

BOOST_AUTO_TEST_CASE(gpe_enables_are_storage_of_any_width) {
  guest.outw(0xafe2, 0xa55a);
  BOOST_TEST(guest.inw(0xafe2) == 0xa55a);
  guest.outb(0xafe3, 0x11);
  BOOST_TEST(guest.inl(0xafe0) == 0x115a0000);
  guest.outl(0xafe0, 0x22330000);
  BOOST_TEST(guest.inb(0xafe2) == 0x33);
  guest.outw(0xafe1, 0x4400);  // across status and enables
  BOOST_TEST(guest.inw(0xafe2) == 0x2244);
  BOOST_TEST(guest.inw(0xafe0) == 0);
}

BOOST_AUTO_TEST_CASE(gpe_status_cannot_be_set_by_writing) {
  guest.outl(0xafe0, 0xffffffff);
  BOOST_TEST(guest.inl(0xafe0) == 0xffff0000);
  BOOST_TEST(!guest.isa_irq(9));
}

BOOST_AUTO_TEST_CASE(online_vcpus_are_bits_of_the_map) {
  BOOST_TEST(guest.inb(0xaf00) == 0x03);
  for (std::uint16_t port = 0xaf01; port < 0xaf20; ++port) {
    BOOST_TEST(guest.inb(port) == 0x00);
  }
  BOOST_TEST(guest.inl(0xaf00) == 0x00000003);
  BOOST_TEST(guest.inb(0xaf20) == 0xff);
  BOOST_TEST(chipset.vcpus_online() == 2);
}

BOOST_AUTO_TEST_CASE(the_map_ignores_writes) {
  guest.outb(0xaf00, 0x00);
  guest.outl(0xaf00, 0xffffffff);
  BOOST_TEST(guest.inb(0xaf00) == 0x03);
}

BOOST_AUTO_TEST_CASE(a_new_vcpu_sets_its_bit_and_its_event) {
  BOOST_TEST(chipset.plug_vcpu(4));
  BOOST_TEST(guest.inb(0xaf00) == 0x13);
  BOOST_TEST(chipset.vcpus_online() == 3);
  BOOST_TEST(guest.inw(0xafe0) == 0x0004);  // _E02
  BOOST_TEST(!guest.isa_irq(9));            // not enabled
}

BOOST_AUTO_TEST_CASE(a_vcpu_that_is_there_or_can_never_be_changes_nothing) {
  BOOST_TEST(!chipset.plug_vcpu(1));
  BOOST_TEST(!chipset.plug_vcpu(6));
  BOOST_TEST(!chipset.plug_vcpu(128));
  BOOST_TEST(!chipset.plug_vcpu(0xffffffff));
  BOOST_TEST(guest.inw(0xafe0) == 0);
  BOOST_TEST(guest.inb(0xaf00) == 0x03);
}

BOOST_AUTO_TEST_CASE(the_sci_is_high_while_an_enabled_event_stands) {
  guest.outw(0xafe2, 0x0004);
  BOOST_TEST(!guest.isa_irq(9));
  BOOST_TEST(chipset.plug_vcpu(2));
  BOOST_TEST(guest.isa_irq(9));
  // As Linux handles it: disable, clear, run _E02, enable.
  guest.outb(0xafe2, 0x00);
  BOOST_TEST(!guest.isa_irq(9));
  guest.outb(0xafe2, 0x04);
  BOOST_TEST(guest.isa_irq(9));
  guest.outb(0xafe0, 0xfb);  // other bits
  BOOST_TEST(guest.isa_irq(9));
  guest.outb(0xafe0, 0x04);
  BOOST_TEST(!guest.isa_irq(9));
  BOOST_TEST(guest.inw(0xafe0) == 0);
}

BOOST_AUTO_TEST_CASE(enabling_after_the_event_raises_the_sci) {
  BOOST_TEST(chipset.plug_vcpu(2));
  BOOST_TEST(!guest.isa_irq(9));
  guest.outw(0xafe2, 0x0004);
  BOOST_TEST(guest.isa_irq(9));
}

// Xen's PM1 code drives the same line and may have lowered it.
BOOST_AUTO_TEST_CASE(a_standing_sci_is_asserted_anew_by_events_and_by_writes) {
  guest.outw(0xafe2, 0x0004);
  BOOST_TEST(chipset.plug_vcpu(2));
  BOOST_TEST(guest.isa_edges(9) == 1);
  BOOST_TEST(chipset.plug_vcpu(3));
  BOOST_TEST(guest.isa_edges(9) == 2);
  guest.outw(0xafe2, 0x0006);
  BOOST_TEST(guest.isa_edges(9) == 3);
  (void)guest.inl(0xafe0);
  BOOST_TEST(guest.isa_edges(9) == 3);
  BOOST_TEST(guest.sim_irqs().redundant() == 0);
}

BOOST_AUTO_TEST_CASE(pci_hotplug_shows_no_slot_and_takes_no_eject) {
  guest.outl(0xae08, 0xffffffff);
  guest.outl(0xae10, 1);
  for (std::uint16_t port = 0xae00; port < 0xae14; port = static_cast<std::uint16_t>(port + 4)) {
    BOOST_TEST(guest.inl(port) == 0);
  }
  BOOST_TEST(guest.inb(0xae14) == 0xff);
  BOOST_TEST(cfg(kPlatform, 0, 4) == 0x00015853);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(chipset_acpi_limits)

BOOST_AUTO_TEST_CASE(pm1a_control_is_nowhere_before_firmware_places_it) {
  Machine m;
  BOOST_TEST(m.guest.inb(0xb004) == 0xff);
  m.guest.outw(0xb004, 0x2000);
  BOOST_TEST(m.guest.shutdowns().empty());
}

BOOST_AUTO_TEST_CASE(the_largest_machine_fills_sixteen_bytes_of_the_map) {
  Machine m{{.vcpus_online = 128, .vcpus_max = 128}};
  BOOST_TEST(m.chipset.vcpus_online() == 128);
  for (std::uint16_t port = 0xaf00; port < 0xaf10; ++port) {
    BOOST_TEST(m.guest.inb(port) == 0xff);
  }
  BOOST_TEST(m.guest.inb(0xaf10) == 0x00);
}

BOOST_AUTO_TEST_CASE(numbers_out_of_all_bounds_are_cut) {
  Machine m{{.vcpus_online = 100000, .vcpus_max = 100000}};
  BOOST_TEST(m.chipset.vcpus_online() == 256);
}

BOOST_AUTO_TEST_CASE(without_acpi_no_vcpu_can_be_told_of) {
  Machine m{{.vcpus_online = 3, .vcpus_max = 4, .acpi = false}};
  BOOST_TEST(!m.chipset.plug_vcpu(3));
  BOOST_TEST(m.chipset.vcpus_online() == 3);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
