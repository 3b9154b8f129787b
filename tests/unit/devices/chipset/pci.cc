// SPDX-License-Identifier: MIT
// Configuration spaces: values after reset, what can be written, and every width at every offset.
// Numbers typed from Intel 290549-001 (82441FX), 290550-002 (PIIX3) and 290562-001 (PIIX4).
#include "core/irq/irq_line.h"
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <initializer_list>
#include <map>

namespace dm::test {
namespace {

using Bytes = std::map<unsigned, unsigned>;

/// Bytes that are not in the list are 0.
void check_bytes(Machine& m, PciBdf at, const Bytes& expected) {
  for (unsigned offset = 0; offset < 256; ++offset) {
    const auto found = expected.find(offset);
    BOOST_TEST_CONTEXT("offset " << std::hex << offset) {
      BOOST_TEST(m.cfg(at, offset, 1) == (found == expected.end() ? 0 : found->second));
    }
  }
}

/// Writes all ones to one byte, and says what it reads then; the old value is put back.
unsigned after_ones(Machine& m, PciBdf at, unsigned offset) {
  const auto old = m.cfg(at, offset, 1);
  m.guest.config_write(at, offset, 1, 0xff);
  const auto now = static_cast<unsigned>(m.cfg(at, offset, 1));
  m.guest.config_write(at, offset, 1, old);
  return now;
}
unsigned after_zeros(Machine& m, PciBdf at, unsigned offset) {
  const auto old = m.cfg(at, offset, 1);
  m.guest.config_write(at, offset, 1, 0);
  const auto now = static_cast<unsigned>(m.cfg(at, offset, 1));
  m.guest.config_write(at, offset, 1, old);
  return now;
}

BOOST_FIXTURE_TEST_SUITE(chipset_host_bridge, Machine)

const Bytes kPmcReset{{0x00, 0x86}, {0x01, 0x80}, {0x02, 0x37}, {0x03, 0x12}, {0x04, 0x06},
                      {0x06, 0x80}, {0x07, 0x02}, {0x08, 0x02}, {0x0b, 0x06}, {0x2c, 0x53},
                      {0x2d, 0x58}, {0x2e, 0x01}, {0x53, 0x80}, {0x57, 0x01}, {0x58, 0x10},
                      {0x60, 0x01}, {0x61, 0x01}, {0x62, 0x01}, {0x63, 0x01}, {0x64, 0x01},
                      {0x65, 0x01}, {0x66, 0x01}, {0x67, 0x01}, {0x71, 0x10}, {0x72, 0x02}};

BOOST_AUTO_TEST_CASE(has_the_reset_values_of_the_datasheet) {
  check_bytes(*this, kHostBridge, kPmcReset);
}

BOOST_AUTO_TEST_CASE(does_not_look_like_qemu_to_seabios) {
  BOOST_TEST(cfg(kHostBridge, 0x2c, 4) != 0x11001af4);
  // So nobody would look here; and there is nothing.
  guest.outw(0x510, 0);
  BOOST_TEST(guest.inb(0x511) == 0xff);
}

BOOST_AUTO_TEST_CASE(keeps_memory_setup_but_not_identity) {
  const Bytes ones{{0x50, 0xff}, {0x51, 0xff}, {0x57, 0xff}, {0x58, 0xff}, {0x59, 0x30},
                   {0x5a, 0x33}, {0x5f, 0x33}, {0x60, 0xff}, {0x67, 0xff}, {0x68, 0xc0},
                   {0x70, 0xf8}, {0x71, 0xf8}, {0x90, 0xff}, {0x93, 0x0f}, {0x0d, 0xf8}};
  for (const auto& [offset, value] : ones) {
    BOOST_TEST_CONTEXT("offset " << std::hex << offset) {
      BOOST_TEST(after_ones(*this, kHostBridge, offset) == value);
      BOOST_TEST(after_zeros(*this, kHostBridge, offset) == 0);
    }
  }
  for (const unsigned offset : {0x00U, 0x02U, 0x08U, 0x0aU, 0x0bU, 0x0eU, 0x2cU, 0x2eU, 0x3dU}) {
    BOOST_TEST(after_ones(*this, kHostBridge, offset) == cfg(kHostBridge, offset, 1));
    BOOST_TEST(after_zeros(*this, kHostBridge, offset) == cfg(kHostBridge, offset, 1));
  }
}

BOOST_AUTO_TEST_CASE(command_register_keeps_its_fixed_bits) {
  guest.config_write(kHostBridge, 0x04, 2, 0);
  BOOST_TEST(cfg(kHostBridge, 0x04, 2) == 0x0006);
  guest.config_write(kHostBridge, 0x04, 2, 0xffff);
  BOOST_TEST(cfg(kHostBridge, 0x04, 2) == 0x0146);
}

BOOST_AUTO_TEST_CASE(smram_is_storage_until_it_is_locked) {
  guest.config_write(kHostBridge, 0x72, 1, 0x48);
  BOOST_TEST(cfg(kHostBridge, 0x72, 1) == 0x4a);  // DOPEN, SMRAME; CBASESEG is fixed
  guest.config_write(kHostBridge, 0x72, 1, 0x08);
  BOOST_TEST(cfg(kHostBridge, 0x72, 1) == 0x0a);
}

BOOST_AUTO_TEST_CASE(a_locked_smram_closes_and_stays_so) {
  guest.config_write(kHostBridge, 0x72, 1, 0x58);
  BOOST_TEST(cfg(kHostBridge, 0x72, 1) ==
             0x1a);  // "When D_LCK is set to a 1, D_OPEN is reset to 0"
  guest.config_write(kHostBridge, 0x72, 1, 0x48);
  BOOST_TEST(cfg(kHostBridge, 0x72, 1) == 0x1a);
  guest.config_write(kHostBridge, 0x70, 4, 0x00400000);  // as part of a wider write
  BOOST_TEST((cfg(kHostBridge, 0x72, 1) & 0x50) == 0x10);
  chipset.reset();
  BOOST_TEST(cfg(kHostBridge, 0x72, 1) == 0x02);
  guest.config_write(kHostBridge, 0x72, 1, 0x40);
  BOOST_TEST(cfg(kHostBridge, 0x72, 1) == 0x42);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(chipset_isa_bridge, Machine)

const Bytes kPiix3Reset{{0x00, 0x86}, {0x01, 0x80}, {0x03, 0x70}, {0x04, 0x07}, {0x07, 0x02},
                        {0x0a, 0x01}, {0x0b, 0x06}, {0x0e, 0x80}, {0x4c, 0x4d}, {0x4e, 0x03},
                        {0x60, 0x80}, {0x61, 0x80}, {0x62, 0x80}, {0x63, 0x80}, {0x69, 0x02},
                        {0x70, 0x80}, {0x76, 0x0c}, {0x77, 0x0c}, {0x78, 0x02}, {0xa0, 0x08},
                        {0xa8, 0x0f}};

BOOST_AUTO_TEST_CASE(has_the_reset_values_of_the_datasheet) {
  check_bytes(*this, kIsa, kPiix3Reset);
}

BOOST_AUTO_TEST_CASE(is_the_first_of_several_functions) {
  BOOST_TEST((cfg(kIsa, 0x0e, 1) & 0x80) == 0x80);
}

BOOST_AUTO_TEST_CASE(command_register_is_fixed_but_for_special_cycles) {
  guest.config_write(kIsa, 0x04, 2, 0);
  BOOST_TEST(cfg(kIsa, 0x04, 2) == 0x0007);
  guest.config_write(kIsa, 0x04, 2, 0xffff);
  BOOST_TEST(cfg(kIsa, 0x04, 2) == 0x000f);
}

BOOST_AUTO_TEST_CASE(a_route_register_has_an_enable_and_an_interrupt) {
  guest.config_write(kIsa, 0x60, 1, 0xff);
  BOOST_TEST(cfg(kIsa, 0x60, 1) == 0x8f);
  BOOST_TEST(guest.link_route(0) == 0);
  guest.config_write(kIsa, 0x60, 1, 0x0b);
  BOOST_TEST(guest.link_route(0) == 11);
  guest.config_write(kIsa, 0x60, 1, 0x8b);
  BOOST_TEST(guest.link_route(0) == 0);
}

BOOST_AUTO_TEST_CASE(one_double_word_routes_all_four_links) {
  guest.config_write(kIsa, 0x60, 4, 0x0b0a0905);
  BOOST_TEST(guest.link_route(0) == 5);
  BOOST_TEST(guest.link_route(1) == 9);
  BOOST_TEST(guest.link_route(2) == 10);
  BOOST_TEST(guest.link_route(3) == 11);
}

BOOST_AUTO_TEST_CASE(a_write_that_ends_in_the_route_registers_routes_too) {
  guest.config_write(kIsa, 0x5e, 4, 0x0c0b0000);
  BOOST_TEST(guest.link_route(0) == 11);
  BOOST_TEST(guest.link_route(1) == 12);
  BOOST_TEST(guest.link_route(2) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(chipset_link_routes)

struct CountingSink final : IrqSink {
  void set_isa_level(std::uint8_t, bool) noexcept override {}
  void set_intx_level(std::uint8_t, std::uint8_t, bool) noexcept override {}
  void set_link_route(std::uint8_t, std::uint8_t) noexcept override { ++routes; }
  unsigned routes = 0;
};

BOOST_AUTO_TEST_CASE(a_route_is_sent_to_the_hypervisor_only_when_it_changes) {
  rig::SimGuest guest;
  CountingSink sink;
  IrqRouter router{sink};
  const chipset::Piix3Isa isa{guest.pci(), router};
  BOOST_TEST(sink.routes == 0);  // links start without a route on both sides
  guest.config_write(kIsa, 0x60, 1, 0x05);
  guest.config_write(kIsa, 0x60, 1, 0x05);
  guest.config_write(kIsa, 0x04, 2, 0x0007);
  BOOST_TEST(sink.routes == 1);
  guest.config_write(kIsa, 0x60, 1, 0x80);
  guest.config_write(kIsa, 0x60, 1, 0x8a);
  BOOST_TEST(sink.routes == 2);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(chipset_power_management_config, Machine)

const Bytes kPiix4Reset{{0x00, 0x86}, {0x01, 0x80}, {0x02, 0x13}, {0x03, 0x71},
                        {0x06, 0x80}, {0x07, 0x02}, {0x08, 0x03}, {0x0a, 0x80},
                        {0x0b, 0x06}, {0x3d, 0x01}, {0x40, 0x01}, {0x90, 0x01}};

BOOST_AUTO_TEST_CASE(has_the_reset_values_of_the_datasheet) {
  check_bytes(*this, kPm, kPiix4Reset);
}

BOOST_AUTO_TEST_CASE(base_registers_keep_their_size_and_kind) {
  guest.config_write(kPm, 0x40, 4, 0xffffffff);
  BOOST_TEST(cfg(kPm, 0x40, 4) == 0x0000ffc1);
  guest.config_write(kPm, 0x90, 4, 0xffffffff);
  BOOST_TEST(cfg(kPm, 0x90, 4) == 0x0000fff1);
  guest.config_write(kPm, 0x80, 1, 0xff);
  BOOST_TEST(cfg(kPm, 0x80, 1) == 0x01);
  guest.config_write(kPm, 0x3d, 1, 0x00);
  BOOST_TEST(cfg(kPm, 0x3d, 1) == 0x01);
  guest.config_write(kPm, 0x3c, 1, 0x09);
  BOOST_TEST(cfg(kPm, 0x3c, 1) == 0x09);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(chipset_platform_config, Machine)

const Bytes kPlatformReset{{0x00, 0x53}, {0x01, 0x58}, {0x02, 0x01}, {0x08, 0x01},
                           {0x0a, 0x80}, {0x0b, 0xff}, {0x10, 0x01}, {0x14, 0x08},
                           {0x2c, 0x53}, {0x2d, 0x58}, {0x2e, 0x01}, {0x3d, 0x01}};

BOOST_AUTO_TEST_CASE(has_the_identity_that_guests_expect) {
  check_bytes(*this, kPlatform, kPlatformReset);
}

// SECURITY.md D20
BOOST_AUTO_TEST_CASE(bars_size_but_never_map_while_decoding_is_off) {
  guest.config_write(kPlatform, 0x10, 4, 0xffffffff);
  guest.config_write(kPlatform, 0x14, 4, 0xffffffff);
  BOOST_TEST(cfg(kPlatform, 0x10, 4) == 0xffffff01);
  BOOST_TEST(cfg(kPlatform, 0x14, 4) == 0xff000008);
  BOOST_TEST(guest.claims().mmio().empty());
  guest.config_write(kPlatform, 0x10, 4, 0xc000);
  guest.config_write(kPlatform, 0x14, 4, 0xf0000000);
  BOOST_TEST(guest.claims().mmio().empty());
  BOOST_TEST(guest.inb(0xc000) == 0xff);
}

/// Cache line size, latency timer, header type, interrupt line: who has which bits. 82441FX 290549
/// 3.2, 82371SB 290550 and 82371AB 290562 with neither but what is here; xen-platform never
/// masters.
BOOST_AUTO_TEST_CASE(hardwired_bits_of_the_header_take_nothing_in_any_function) {
  struct Row {
    PciBdf function;
    unsigned cls, mlt, intln;
  };
  for (const Row& row : {Row{kHostBridge, 0, 0xf8, 0}, Row{kIsa, 0, 0, 0}, Row{kPm, 0, 0, 0xff},
                         Row{kPlatform, 0xff, 0, 0xff}}) {
    BOOST_TEST(after_ones(*this, row.function, 0x0c) == row.cls);
    BOOST_TEST(after_ones(*this, row.function, 0x0d) == row.mlt);
    BOOST_TEST(after_ones(*this, row.function, 0x3c) == row.intln);
    BOOST_TEST(after_ones(*this, row.function, 0x0f) == 0U);  // no self-test
    BOOST_TEST(after_ones(*this, row.function, 0x3e) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(there_is_no_rom_and_no_further_bar) {
  for (const unsigned reg : {0x18U, 0x1cU, 0x20U, 0x24U, 0x30U}) {
    guest.config_write(kPlatform, reg, 4, reg == 0x30 ? 0xfffffffe : 0xffffffff);
    BOOST_TEST(cfg(kPlatform, reg, 4) == 0);
  }
}

// SECURITY.md D20
BOOST_AUTO_TEST_CASE(bars_left_at_all_ones_or_zero_never_map) {
  guest.config_write(kPlatform, 0x10, 4, 0xffffffff);
  guest.config_write(kPlatform, 0x14, 4, 0xffffffff);
  guest.config_write(kPlatform, 0x04, 2, 3);
  BOOST_TEST(guest.claims().mmio().empty());
  guest.config_write(kPlatform, 0x10, 4, 0);
  guest.config_write(kPlatform, 0x14, 4, 0);
  BOOST_TEST(guest.claims().mmio().empty());
  BOOST_TEST(guest.inw(0x10) == 0x49d2);  // whose neighbours BAR 0 at port 0 would have covered
}

// SECURITY.md D3
BOOST_AUTO_TEST_CASE(a_bar_over_other_ports_stays_unmapped_and_they_keep_working) {
  guest.config_write(kPlatform, 0x10, 4, 0x0c00);  // would cover 0xCF8
  guest.config_write(kPlatform, 0x04, 2, 1);
  guest.outl(0xcf8, 0x80000000);
  BOOST_TEST(guest.inl(0xcf8) == 0x80000000);
  BOOST_TEST(guest.inb(0xc00) == 0xff);
  guest.config_write(kPlatform, 0x10, 4, 0xc100);
  BOOST_TEST(guest.inb(0xc100) == 0x00);
  BOOST_TEST(guest.inb(0xc00) == 0xff);
}

// SECURITY.md D3
BOOST_AUTO_TEST_CASE(a_bar_moves_with_its_register_and_goes_with_its_enable) {
  firmware.pci_setup();
  guest.config_write(kPlatform, 0x14, 4, 0xe0000000);
  BOOST_TEST(guest.mmio_read(0xe0000000, 4) == 0);
  BOOST_TEST(guest.mmio_read(0xf0000000, 4) == 0xffffffff);
  guest.config_write(kPlatform, 0x04, 2, 1);
  BOOST_TEST(guest.mmio_read(0xe0000000, 4) == 0xffffffff);
  BOOST_TEST(guest.inb(0xc000) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(chipset_config_widths, Machine)

constexpr std::array kFunctions{kHostBridge, kIsa, kPm, kPlatform};

// SECURITY.md D5
BOOST_AUTO_TEST_CASE(a_wide_read_is_its_bytes_and_ones_past_the_end) {
  for (const PciBdf at : kFunctions) {
    for (unsigned reg = 0; reg < 256; ++reg) {
      for (const std::uint8_t size :
           std::initializer_list<std::uint8_t>{std::uint8_t{2}, std::uint8_t{4}}) {
        std::uint64_t expected = 0;
        for (unsigned i = 0; i < size; ++i) {
          const std::uint64_t byte = reg + i < 256 ? cfg(at, reg + i, 1) : 0xff;
          expected |= byte << (8 * i);
        }
        BOOST_TEST_CONTEXT("function " << unsigned{at.devfn()} << " offset " << reg) {
          BOOST_TEST(cfg(at, reg, size) == expected);
        }
      }
    }
  }
}

// SECURITY.md D5
BOOST_AUTO_TEST_CASE(a_wide_write_past_the_end_touches_nothing_else) {
  for (const PciBdf at : kFunctions) {
    const std::uint64_t id = cfg(at, 0, 4);
    guest.config_write(at, 0xfd, 4, 0xffffffff);
    guest.config_write(at, 0xff, 4, 0xffffffff);
    guest.config_write(at, 0xff, 2, 0xffff);
    BOOST_TEST(cfg(at, 0, 4) == id);
    BOOST_TEST(cfg(at, 0xfd, 1) == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
