// SPDX-License-Identifier: MIT
// Xen 4.17's hvmloader on a machine of chips alone, in its own order.
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

#include <initializer_list>

namespace dm::test {
namespace {

using Bar = drivers::FirmwareDriver::Bar;

BOOST_FIXTURE_TEST_SUITE(chipset_hvmloader, Machine)

BOOST_AUTO_TEST_CASE(pci_setup_finds_the_four_functions_and_nothing_else) {
  std::vector<std::uint32_t> ids;
  for (unsigned devfn = 0; devfn < 256; ++devfn) {
    const PciBdf at{static_cast<std::uint8_t>(devfn >> 3U), static_cast<std::uint8_t>(devfn & 7U)};
    if (const auto id = static_cast<std::uint32_t>(cfg(at, 0, 4)); id != 0xffffffff) {
      ids.push_back(id);
    }
  }
  BOOST_TEST(ids == (std::vector<std::uint32_t>{0x12378086, 0x70008086, 0x71138086, 0x00015853}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(pci_setup_places_the_platform_device_where_it_always_is) {
  const std::vector<Bar> bars = firmware.pci_setup();
  BOOST_REQUIRE(bars.size() == 2);
  BOOST_TEST((bars[0].function == kPlatform));
  BOOST_TEST(bars[0].number == 1);
  BOOST_TEST(!bars[0].io);
  BOOST_TEST(bars[0].size == 0x1000000);
  BOOST_TEST(bars[0].base == 0xf0000000);
  BOOST_TEST((bars[1].function == kPlatform));
  BOOST_TEST(bars[1].number == 0);
  BOOST_TEST(bars[1].io);
  BOOST_TEST(bars[1].size == 0x100);
  BOOST_TEST(bars[1].base == 0xc000);
  // And they answer there: memory with zeros, I/O with the flags.
  BOOST_TEST(guest.mmio_read(0xf0000000, 4) == 0);
  BOOST_TEST(guest.mmio_read(0xf0fffffc, 4) == 0);
  BOOST_TEST(guest.mmio_read(0xf1000000, 4) == 0xffffffff);
  BOOST_TEST(guest.inb(0xc000) == 0);
  BOOST_TEST(guest.inb(0xc001) == 0xff);
}

BOOST_AUTO_TEST_CASE(pci_setup_routes_the_links_and_reads_back_what_it_wrote) {
  firmware.pci_setup();
  const std::vector<unsigned> irqs{5, 10, 11, 5};
  for (unsigned link = 0; link < 4; ++link) {
    BOOST_TEST(cfg(kIsa, 0x60 + link, 1) == irqs[link]);
    BOOST_TEST(guest.link_route(link) == irqs[link]);
  }
}

BOOST_AUTO_TEST_CASE(pci_setup_leaves_interrupt_lines_by_link) {
  firmware.pci_setup();
  BOOST_TEST(cfg(kPm, 0x3d, 1) == 1);
  BOOST_TEST(cfg(kPm, 0x3c, 1) == 10);  // (1 - 1 + device 1) & 3 = link 1
  BOOST_TEST(cfg(kPlatform, 0x3d, 1) == 1);
  BOOST_TEST(cfg(kPlatform, 0x3c, 1) == 11);  // link 2
  BOOST_TEST(cfg(kIsa, 0x3d, 1) == 0);
  BOOST_TEST(cfg(kHostBridge, 0x3d, 1) == 0);
}

BOOST_AUTO_TEST_CASE(power_management_takes_its_base_and_enable) {
  firmware.pci_setup();
  BOOST_TEST(cfg(kPm, 0x40, 4) == 0xb001);
  BOOST_TEST(cfg(kPm, 0x80, 1) == 1);
  // What hvmloader writes beside that has no register behind it.
  BOOST_TEST(cfg(kPm, 0x20, 4) == 0);
}

BOOST_AUTO_TEST_CASE(acpi_enable_sci_succeeds_once_and_again) {
  firmware.pci_setup();
  BOOST_TEST((guest.inb(0xb004) & 1) == 0);
  BOOST_CHECK_NO_THROW(firmware.acpi_enable_sci());
  BOOST_CHECK_NO_THROW(firmware.acpi_enable_sci());
  BOOST_TEST(guest.inw(0xb004) == 1);
}

BOOST_AUTO_TEST_CASE(only_pm1a_control_of_the_power_management_block_is_ours) {
  firmware.pci_setup();
  guest.outb(0xb2, 0xf1);
  for (std::uint16_t port = 0xb000; port < 0xb040; ++port) {
    const bool ours = port == 0xb004 || port == 0xb005;
    BOOST_TEST_CONTEXT("port " << port) {
      BOOST_TEST((guest.inb(port) != 0xff) == ours);
      const auto& claimed = guest.claims().ports();
      const bool is_claimed = std::any_of(claimed.begin(), claimed.end(), [port](MmioRange r) {
        return r.first <= port && port <= r.last;
      });
      BOOST_TEST(is_claimed == ours);
    }
  }
}

BOOST_AUTO_TEST_CASE(probes_find_no_uart_no_printer_and_no_battery) {
  BOOST_TEST(!firmware.uart_exists(0x3f8));
  BOOST_TEST(!firmware.uart_exists(0x2f8));
  BOOST_TEST(!firmware.lpt_exists(0x378));
  BOOST_TEST(!firmware.battery_port_exists());
  BOOST_TEST(guest.mmio_read(0xfed40f00, 4) == 0xffffffff);  // TPM
}

BOOST_AUTO_TEST_CASE(memory_sizes_in_cmos_are_kept) {
  firmware.write_memory_sizes();
  BOOST_TEST(firmware.cmos_read(0x15) == 0x80);
  BOOST_TEST(firmware.cmos_read(0x16) == 0x02);
  BOOST_TEST(firmware.cmos_read(0x17) == 0xff);
  BOOST_TEST(firmware.cmos_read(0x18) == 0xff);
  BOOST_TEST(firmware.cmos_read(0x30) == 0xff);
  BOOST_TEST(firmware.cmos_read(0x31) == 0xff);
  BOOST_TEST(firmware.cmos_read(0x34) == 0x00);
  BOOST_TEST(firmware.cmos_read(0x35) == 0x3f);
}

BOOST_AUTO_TEST_CASE(a_whole_boot_asks_for_no_reset_and_wastes_no_interrupt_call) {
  firmware.pci_setup();
  (void)firmware.uart_exists(0x3f8);
  (void)firmware.lpt_exists(0x378);
  firmware.acpi_enable_sci();
  firmware.write_memory_sizes();
  BOOST_TEST(guest.shutdowns().empty());
  BOOST_TEST(guest.sim_irqs().redundant() == 0);
  BOOST_TEST(guest.claims().errors() == 0);
  BOOST_TEST(unplug.requests.empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(chipset_hvmloader_variants)

BOOST_AUTO_TEST_CASE(without_acpi_there_is_no_power_management_and_pci_setup_still_works) {
  Machine m{{.acpi = false}};
  BOOST_TEST(m.firmware.pci_setup().size() == 2);
  BOOST_TEST(m.cfg(kPm, 0, 4) == 0xffffffff);
  for (const std::uint16_t port :
       std::initializer_list<std::uint16_t>{0xb2, 0xb3, 0xafe0, 0xafe3, 0xae00, 0xaf00, 0xb004}) {
    BOOST_TEST(m.guest.inb(port) == 0xff);
  }
}

BOOST_AUTO_TEST_CASE(without_xen_platform_the_slot_and_its_ports_are_free) {
  Machine m{{.xen_platform = false}};
  BOOST_TEST(m.firmware.pci_setup().empty());
  BOOST_TEST(m.cfg(kPlatform, 0, 4) == 0xffffffff);
  BOOST_TEST(m.guest.inw(0x10) == 0xffff);
  BOOST_TEST(m.guest.inb(0x12) == 0xff);
}

BOOST_AUTO_TEST_CASE(a_second_chipset_on_the_same_buses_is_refused_with_a_message) {
  Machine m;
  BOOST_CHECK_EXCEPTION(
      (chipset::Chipset{{m.guest.pio(), m.guest.pci(), m.guest.irqs(), m.guest.control(), m.unplug},
                        {}}),
      std::runtime_error, [](const std::runtime_error& e) {
        return std::string{e.what()}.find("host bridge") != std::string::npos;
      });
}

BOOST_AUTO_TEST_CASE(a_port_that_somebody_holds_is_refused_and_both_are_named) {
  rig::SimGuest guest;
  const chipset::Port92 first{guest.pio(), guest.control()};
  BOOST_CHECK_EXCEPTION((chipset::Port92{guest.pio(), guest.control()}), std::runtime_error,
                        [](const std::runtime_error& e) {
                          return std::string{e.what()} == "ports of port 92 are held by port 92";
                        });
}

BOOST_AUTO_TEST_CASE(everything_is_released_when_the_chipset_goes) {
  rig::SimGuest guest;
  RecordingUnplug unplug;
  {
    const chipset::Chipset chipset{
        {guest.pio(), guest.pci(), guest.irqs(), guest.control(), unplug}, {}};
    BOOST_TEST(!guest.claims().ports().empty());
    BOOST_TEST(guest.claims().pci().size() == 4);
  }
  BOOST_TEST(guest.claims().ports().empty());
  BOOST_TEST(guest.claims().mmio().empty());
  BOOST_TEST(guest.claims().pci().empty());
  BOOST_TEST(guest.claims().errors() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
