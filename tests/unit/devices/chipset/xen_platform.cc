// SPDX-License-Identifier: MIT
// Xen's platform device: docs/misc/hvm-emulated-unplug.pandoc of Xen 4.17, and what Linux and old
// SUSE drivers do.
#include "core/obs/log.h"
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <string>

namespace dm::test {
namespace {

std::vector<std::string>& lines() {
  static std::vector<std::string> the_lines;
  return the_lines;
}

/// Catches the log.
struct PlatformMachine : Machine {
  PlatformMachine() {
    lines().clear();
    log::set_sink([](log::Level, std::string_view line) noexcept { lines().emplace_back(line); });
  }
  ~PlatformMachine() { log::set_sink(nullptr); }
  PlatformMachine(const PlatformMachine&) = delete;
  PlatformMachine& operator=(const PlatformMachine&) = delete;

  void say(std::string_view text) {
    for (const char c : text) {
      guest.outb(0x12, static_cast<std::uint8_t>(c));
    }
  }
  /// IDE disks, secondary disks, NICs: as letters.
  [[nodiscard]] std::string unplugged() const {
    std::string all;
    for (const UnplugRequest& r : unplug.requests) {
      all += std::string(r.ide_disks ? "D" : "") + (r.ide_secondary_disks ? "s" : "") +
             (r.nics ? "N" : "") + ".";
    }
    return all;
  }
};

BOOST_FIXTURE_TEST_SUITE(chipset_xen_platform, PlatformMachine)

BOOST_AUTO_TEST_CASE(linux_unplugs_disks_and_network_cards) {
  BOOST_TEST(guest.inw(0x10) == 0x49d2);
  BOOST_TEST(guest.inb(0x12) == 1);
  guest.outw(0x12, 3);
  guest.outl(0x10, 0x00060600);
  BOOST_TEST(guest.inw(0x10) == 0x49d2);  // "blacklisted" it is not
  guest.outw(0x10, 0x0003);
  BOOST_TEST(unplugged() == "DN.");
  BOOST_REQUIRE(lines().size() == 2);
  BOOST_TEST(lines()[0] == "guest has PV drivers: product 3, build 0x60600");
}

BOOST_AUTO_TEST_CASE(each_mask_bit_means_its_devices) {
  const std::vector<std::pair<std::uint16_t, std::string>> rows{
      {0x0001, "D."},  {0x0002, "N."}, {0x0004, "s."}, {0x0005, "D."}, {0x0006, "sN."},
      {0x0007, "DN."}, {0x0008, ""},   {0x0000, ""},   {0xfff0, ""},   {0xffff, "DN."}};
  for (const auto& [mask, expected] : rows) {
    unplug.requests.clear();
    guest.outw(0x10, mask);
    BOOST_TEST_CONTEXT("mask " << mask) {
      BOOST_TEST(unplugged() == expected);
    }
  }
}

// SECURITY.md D18: whoever holds the devices drains and detaches them, and may be asked again
BOOST_AUTO_TEST_CASE(every_unplug_is_carried_out_before_its_write_is_answered) {
  for (unsigned i = 1; i <= 5; ++i) {
    guest.outw(0x10, 0x0001);
    BOOST_TEST(unplug.requests.size() == i);
  }
}

BOOST_AUTO_TEST_CASE(the_width_of_an_access_decides_what_it_means) {
  BOOST_TEST(guest.inb(0x10) == 0x00);
  BOOST_TEST(guest.inl(0x10) == 0xffffffff);
  BOOST_TEST(guest.inb(0x11) == 0xff);
  BOOST_TEST(guest.inw(0x11) == 0xffff);
  BOOST_TEST(guest.inw(0x12) == 0xffff);
  BOOST_TEST(guest.inl(0x12) == 0xffffffff);
  for (std::uint16_t port = 0x13; port < 0x20; ++port) {
    BOOST_TEST(guest.inb(port) == 0xff);
    guest.outb(port, 0xff);
    guest.outw(port, 0xffff);
  }
  guest.outl(0x10, 0x0003);  // a build number
  guest.outb(0x10, 0x02);    // no flag
  guest.outb(0x11, 0x03);
  guest.outw(0x11, 0x0303);
  guest.outl(0x0f, 0x00000300);  // cut into bytes, as it starts in the DMA controller
  BOOST_TEST(unplug.requests.empty());
}

BOOST_AUTO_TEST_CASE(the_rom_lock_protects_the_firmware_and_lets_it_go) {
  guest.outb(0x10, 0x01);
  BOOST_TEST(guest.inb(0x10) == 0x01);
  guest.outb(0x10, 0xff);
  BOOST_TEST(guest.inb(0x10) == 0x01);
  guest.outb(0x10, 0x00);
  const auto& calls = guest.domain().protections();
  BOOST_REQUIRE(calls.size() == 2);
  BOOST_TEST(calls[0].first_gfn == 0xc0);
  BOOST_TEST(calls[0].count == 0x40);
  BOOST_TEST(calls[0].read_only);
  BOOST_TEST(!calls[1].read_only);
}

BOOST_AUTO_TEST_CASE(the_bar_mirrors_the_flags) {
  firmware.pci_setup();
  guest.outb(0xc000, 0x01);
  BOOST_TEST(guest.inb(0x10) == 0x01);
  BOOST_TEST(guest.inb(0xc000) == 0x01);
  BOOST_TEST(guest.inl(0xc000) == 0xffffff01);
  BOOST_TEST(guest.inb(0xc0ff) == 0xff);
}

BOOST_AUTO_TEST_CASE(old_suse_drivers_unplug_by_the_bar) {
  firmware.pci_setup();
  guest.outl(0xc004, 1);
  guest.outl(0xc008, 1);
  guest.outl(0xc008, 2);
  guest.outb(0xc008, 2);
  BOOST_TEST(unplugged() == "DN.D.N.N.");
  guest.outl(0xc004, 0);
  guest.outl(0xc004, 2);
  guest.outl(0xc008, 3);
  guest.outl(0xc005, 1);
  guest.outl(0xc00c, 1);
  guest.outw(0xc000, 3);
  BOOST_TEST(unplug.requests.size() == 4);
}

BOOST_AUTO_TEST_CASE(the_memory_bar_reads_zero_and_forgets) {
  firmware.pci_setup();
  guest.mmio_write(0xf0000000, 8, ~std::uint64_t{0});
  guest.mmio_write(0xf0ffffff, 1, 0xff);
  for (const std::uint8_t size : std::initializer_list<std::uint8_t>{
           std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{4}, std::uint8_t{8}}) {
    BOOST_TEST(guest.mmio_read(0xf0000000, size) == 0);
    BOOST_TEST(guest.mmio_read(0xf1000000 - size, size) == 0);
  }
  BOOST_TEST(guest.mmio_read(0xf0fffffd, 4) == 0xffffffff);  // over the end
}

BOOST_AUTO_TEST_CASE(drivers_write_lines_to_the_log) {
  say("hello\r\n");
  say("\n");
  say("two lines\nat once");
  BOOST_REQUIRE(lines().size() == 2);
  BOOST_TEST(lines()[0] == "guest says: hello");
  BOOST_TEST(lines()[1] == "guest says: two lines");
}

// SECURITY.md D15: the buffer is fixed, the state machine total
BOOST_AUTO_TEST_CASE(a_line_without_end_is_cut) {
  say(std::string(1000, 'x'));
  BOOST_REQUIRE(lines().size() == 3);
  for (const std::string& line : lines()) {
    BOOST_TEST(line == "guest says: " + std::string(256, 'x'));
  }
}

BOOST_AUTO_TEST_CASE(control_characters_do_not_reach_the_log) {
  say("\x1b[2J\x07\x7f end\n");
  BOOST_REQUIRE(lines().size() == 1);
  BOOST_TEST(lines()[0] == "guest says: ?[2J?? end");
}

// XSA-180
BOOST_AUTO_TEST_CASE(a_chatty_guest_is_held_back) {
  for (unsigned i = 0; i < 5000; ++i) {
    say("x\n");
    guest.outw(0x10, 0x0001);
    guest.outl(0x10, i);
  }
  BOOST_TEST(lines().size() < 200);
}

BOOST_AUTO_TEST_CASE(its_interrupt_is_never_driven_from_here) {
  firmware.pci_setup();
  guest.config_write(kPlatform, 0x04, 2, 0xffff);
  guest.outw(0x10, 0x0003);
  guest.outb(0x10, 0x01);
  say("x\n");
  guest.mmio_write(0xf0000000, 4, 1);
  BOOST_TEST(!guest.intx(2, 0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
