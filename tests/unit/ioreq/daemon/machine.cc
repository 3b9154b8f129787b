// SPDX-License-Identifier: MIT
// The whole PC of the product on the simulated host: what firmware and guests do with several
// devices at once.
#include "ioreq/machine/machine.h"

#include "tests/unit/ioreq/daemon/pc.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using dm::MachineConfig;
using dm::PciBdf;
using dm::ShutdownReason;

using dm::test::ide_command;
using dm::test::Pc;

BOOST_AUTO_TEST_SUITE(machine)

// What Xen 4.17's hvmloader finds on bus 0.
BOOST_AUTO_TEST_CASE(every_function_of_the_pc_is_at_its_place_and_nothing_else_is) {
  Pc pc;
  std::vector<std::pair<unsigned, std::uint64_t>> found;
  for (unsigned devfn = 0; devfn < 256; ++devfn) {
    const PciBdf bdf{static_cast<std::uint8_t>(devfn >> 3), static_cast<std::uint8_t>(devfn & 7)};
    if (const auto id = pc.config_read(bdf, 0, 4); id != 0xffffffff) {
      found.emplace_back(devfn, id);
    }
  }
  const std::vector<std::pair<unsigned, std::uint64_t>> expected{{0x00, 0x12378086},
                                                                 {0x08, 0x70008086},
                                                                 {0x09, 0x70108086},
                                                                 {0x0b, 0x71138086},
                                                                 {0x10, 0x00015853}};
  BOOST_TEST((found == expected));
}

BOOST_AUTO_TEST_CASE(without_xen_platform_and_acpi_those_functions_are_absent) {
  MachineConfig config;
  config.xen_platform = false;
  config.acpi = false;
  Pc pc{config};
  BOOST_TEST(pc.config_read({2, 0}, 0, 4) == 0xffffffffU);
  BOOST_TEST(pc.config_read({1, 3}, 0, 4) == 0xffffffffU);
  BOOST_TEST(pc.inw(0x10) == 0xffffU);
}

BOOST_AUTO_TEST_CASE(the_claims_fit_into_what_xen_has_room_for) {
  Pc pc;
  BOOST_TEST(pc.claims.ports().size() < 64U);  // Xen: 256 ranges of a kind for each server
  BOOST_TEST(pc.claims.pci().size() == 5U);
  BOOST_TEST(pc.claims.errors() == 0U);
  // Ports that are Xen's own must not be claimed: PIC, PIT, PM1 events, PM timer.
  for (const std::uint64_t port : {0x20U, 0x40U, 0x61U, 0xb000U, 0xb008U}) {
    BOOST_TEST(
        std::ranges::none_of(pc.claims.ports(), [&](const auto& r) { return r.holds(port, 1); }));
  }
}

BOOST_AUTO_TEST_CASE(firmware_reads_a_sector_from_the_first_disk_and_writes_to_the_console) {
  Pc pc;
  pc.disks[0]->stamp(7);
  ide_command(pc, 0x20, 7);
  BOOST_TEST((pc.inb(0x1f7) & 0x89) == 0x08);  // DRQ, no BSY, no ERR
  pc.rep_ins(0x1f0, 2, 0x10000, 256);
  const auto expected = dm::rig::ScriptedBlock::pattern(7);
  BOOST_TEST(std::equal(expected.begin(), expected.end(), pc.memory.ram().begin() + 0x10000));
  BOOST_TEST(pc.irqs.isa_edges(14) >= 1U);
  for (const char c : std::string{"hi"}) {
    pc.outb(0x3f8, static_cast<std::uint8_t>(c));
  }
  BOOST_TEST(pc.terminal == "hi");
}

// A write that the guest was told is done, and then power-off by PM1a_CNT: SLP_EN with S5's type 0.
BOOST_AUTO_TEST_CASE(a_disk_bears_the_serial_number_and_the_firmware_that_it_is_given) {
  const auto strings = [](Pc& pc) {
    ide_command(pc, 0xec, 0);
    std::string text;
    for (int word = 0; word < 27; ++word) {
      const std::uint16_t two = pc.inw(0x1f0);
      text += static_cast<char>(two >> 8);
      text += static_cast<char>(two & 0xff);
    }
    return text.substr(20, 20) + text.substr(46, 8);
  };
  Pc ours;
  BOOST_TEST(strings(ours) == "DM00001             1.0     ");
  MachineConfig config;
  dm::DiskConfig& disk = config.disks.emplace_back();
  disk.serial = "SERIAL-OF-MORE-THAN-TWENTY";
  disk.firmware = "2.0";
  Pc given{config};
  BOOST_TEST(strings(given) == "SERIAL-OF-MORE-THAN-2.0     ");
}

BOOST_AUTO_TEST_CASE(the_disk_controllers_bar_stays_away_from_ports_of_others) {  // B34
  constexpr PciBdf kIde{1, 1};
  Pc pc;
  pc.config_write(kIde, 0x04, 2, 5);
  pc.outl(0xcf8, 0x80000000);
  // CONFIG_ADDRESS, i8042, CMOS, the secondary channel, the first serial port.
  for (const unsigned base : {0xcf0U, 0x60U, 0x70U, 0x170U, 0x3f0U}) {
    pc.config_write(kIde, 0x20, 4, base);
    BOOST_TEST(pc.config_read(kIde, 0x20, 4) == (base | 1U));
    BOOST_TEST(pc.inl(0xcf8) == 0x80000000U);
    BOOST_TEST(pc.inl(0xcfc) == 0x12378086U);
    BOOST_TEST((pc.inb(0x64) & 0x02U) == 0U);
    pc.outb(0x70, 0x0f);
    pc.outb(0x71, 0xa5);
    BOOST_TEST(pc.inb(0x71) == 0xa5U);
    BOOST_TEST(pc.inb(0x177) != 0xffU);
    pc.outb(0x3ff, 0x5a);
    BOOST_TEST(pc.inb(0x3ff) == 0x5aU);
  }
  pc.config_write(kIde, 0x20, 4, 0xc100);
  BOOST_TEST(pc.inb(0xc100) == 0U);
  pc.outb(0xc102, 0x60);
  BOOST_TEST(pc.inb(0xc102) == 0x60U);
}

BOOST_AUTO_TEST_CASE(power_off_makes_acknowledged_writes_durable_first) {
  Pc pc;
  const auto data = dm::rig::ScriptedBlock::pattern(99);
  std::ranges::copy(data, pc.memory.ram().begin() + 0x20000);
  ide_command(pc, 0x30, 5);
  pc.rep_outs(0x1f0, 2, 0x20000, 256);
  BOOST_TEST((pc.inb(0x1f7) & 0x81) == 0);
  pc.config_write({1, 3}, 0x40, 4, 0xb001);  // PMBASE and PMREGMISC, as hvmloader sets them
  pc.config_write({1, 3}, 0x80, 1, 1);
  pc.outw(0xb004, 0x2001);
  BOOST_TEST_REQUIRE(pc.domain.shutdowns().size() == 1U);
  BOOST_TEST((pc.domain.shutdowns()[0] == ShutdownReason::poweroff));
  pc.disks[0]->power_cut();
  BOOST_TEST((pc.disks[0]->sector(5) == data));
}

BOOST_AUTO_TEST_CASE(however_often_the_guest_resets_the_domain_ends_once) {
  Pc pc;
  for (int i = 0; i < 10; ++i) {
    pc.outb(0xcf9, 0x06);
    pc.outb(0x64, 0xfe);
    pc.outb(0x92, 0x01);
    pc.outb(0x92, 0x00);
  }
  BOOST_TEST_REQUIRE(pc.domain.shutdowns().size() == 1U);
  BOOST_TEST((pc.domain.shutdowns()[0] == ShutdownReason::reboot));
}

// Linux: read the magic, then write the mask of what its own drivers will serve
// (docs/misc/hvm-emulated-unplug.pandoc).
BOOST_AUTO_TEST_CASE(unplug_closes_the_images_and_the_drives_are_gone) {
  Pc pc;
  BOOST_TEST(pc.inw(0x10) == 0x49d2U);
  BOOST_TEST(pc.inb(0x12) == 1U);
  pc.outw(0x12, 3);
  pc.outl(0x10, 0x60100);
  BOOST_TEST(pc.disks[0]->is_open());
  pc.outw(0x10, 0x0003);
  BOOST_TEST(!pc.disks[0]->is_open());
  BOOST_TEST(!pc.disks[2]->is_open());
  pc.outb(0x1f6, 0xa0);
  BOOST_TEST(pc.inb(0x1f7) == 0U);
  pc.outw(0x10, 0x0003);
  BOOST_TEST(pc.config_read({1, 1}, 0, 4) == 0x70108086U);  // the function stays
}

BOOST_AUTO_TEST_CASE(unplug_of_the_other_disks_keeps_the_primary_master) {
  Pc pc;
  pc.outw(0x10, 0x0004);
  BOOST_TEST(pc.disks[0]->is_open());
  BOOST_TEST(!pc.disks[2]->is_open());
}

BOOST_AUTO_TEST_CASE(stopping_settles_disks_under_way) {
  Pc pc;
  pc.disks[0]->stamp(1);
  ide_command(pc, 0x20, 1);
  pc.machine->pause();
  BOOST_TEST(pc.disks[0]->pending() == 0U);
  pc.machine->resume();
  pc.rep_ins(0x1f0, 2, 0x10000, 256);
  const auto expected = dm::rig::ScriptedBlock::pattern(1);
  BOOST_TEST(std::equal(expected.begin(), expected.end(), pc.memory.ram().begin() + 0x10000));
}

BOOST_AUTO_TEST_CASE(a_refusal_of_the_hypervisor_is_an_error_and_leaves_nothing_claimed) {
  struct Refusing final : dm::IoClaims {
    int left = 5;
    int held = 0;
    bool take() noexcept {
      if (left-- <= 0) {
        return false;
      }
      ++held;
      return true;
    }
    bool claim_ports(dm::PortRange) noexcept override { return take(); }
    void release_ports(dm::PortRange) noexcept override { --held; }
    bool claim_mmio(dm::MmioRange) noexcept override { return take(); }
    void release_mmio(dm::MmioRange) noexcept override { --held; }
    bool claim_pci(PciBdf) noexcept override { return take(); }
    void release_pci(PciBdf) noexcept override { --held; }
  } claims;
  Pc other;  // for its host
  const MachineConfig config;
  const auto made = dm::Machine::create(config, other.host(claims), {}, {});
  BOOST_TEST(made.has_error());
  BOOST_TEST(!made.error().message.empty());
  BOOST_TEST(claims.held == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
