// SPDX-License-Identifier: MIT
#include "core/pci/header.h"
#include "core/pci/pci_bus.h"
#include "tests/rig/sim_guest.h"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace {

using dm::PciBdf;
using Map = dm::reg::Map<256,
                         dm::pci::VID<0x5853>,
                         dm::pci::DID<0x0001>,
                         dm::pci::PCICMD<0>,
                         dm::pci::PCISTS<0x8280>,
                         dm::pci::RID<1>,
                         dm::pci::PI<0>,
                         dm::pci::CLASS<0xff80>,
                         dm::pci::HEDT<0>,
                         dm::pci::INTLN,
                         dm::pci::INTPN<1>>;

class Card : public dm::PciFunction {
 public:
  Card(dm::rig::SimGuest& guest, PciBdf bdf)
      : PciFunction{guest.pci(), bdf, "card", Config{Map{}}} {
    add_bar(0, dm::BarKind::io, 0x100, handler(), "card i/o");
    add_bar(1, dm::BarKind::prefetchable, 0x1000000, handler(), "card memory");
  }
  std::uint64_t read(dm::IoAccess a) noexcept { return 0x40 + a.offset; }
  void write(dm::IoAccess /*a*/, std::uint64_t value) noexcept { written = value; }
  void config_written(std::uint8_t offset, std::uint8_t /*size*/) noexcept override {
    last_config = offset;
  }

  std::uint64_t written = 0;
  unsigned last_config = 0x100;

 private:
  [[nodiscard]] dm::IoHandler handler() {
    return dm::IoHandler::bind<&Card::read, &Card::write>(*this);
  }
};

class Interrupting final : public Card {
 public:
  Interrupting(dm::rig::SimGuest& guest, PciBdf bdf)
      : Card{guest, bdf}, line{guest.irqs().intx(bdf.device, 0)} {
    add_interrupt(line);
  }
  using PciFunction::reset_config;
  using PciFunction::restore_config;
  dm::IrqLine line;
};

class TwoBars : public dm::PciFunction {
 public:
  TwoBars(dm::rig::SimGuest& guest, PciBdf bdf)
      : PciFunction{guest.pci(), bdf, "two bars", Config{Map{}}} {
    for (std::uint8_t index = 0; index < 2; ++index) {
      add_bar(index, dm::BarKind::memory, 0x1000,
              dm::IoHandler::bind<&TwoBars::read, &TwoBars::write>(*this), "bar");
    }
  }
  std::uint64_t read(dm::IoAccess /*a*/) noexcept { return 0; }
  void write(dm::IoAccess /*a*/, std::uint64_t /*value*/) noexcept {}
};

struct Slot {
  dm::rig::SimGuest guest;
  PciBdf bdf{2, 0};
  Card card{guest, bdf};

  std::uint64_t cfg(std::uint32_t reg, std::uint8_t size) {
    return guest.config_read(bdf, reg, size);
  }
  void cfg(std::uint32_t reg, std::uint8_t size, std::uint64_t value) {
    guest.config_write(bdf, reg, size, value);
  }
};

BOOST_FIXTURE_TEST_SUITE(pci_functions, Slot)

BOOST_AUTO_TEST_CASE(an_absent_function_reads_all_ones) {
  BOOST_TEST(guest.config_read({5, 0}, 0, 4) == 0xffffffffU);
  guest.config_write({5, 0}, 4, 2, 7);
  BOOST_TEST(guest.pci().unclaimed() == 2U);
}

BOOST_AUTO_TEST_CASE(the_header_reads_as_listed_and_identity_is_read_only) {
  BOOST_TEST(cfg(0, 4) == 0x00015853U);
  cfg(0, 4, 0xffffffff);
  BOOST_TEST(cfg(0, 4) == 0x00015853U);
  BOOST_TEST(cfg(8, 4) == 0xff800001U);
  BOOST_TEST(cfg(0x3d, 1) == 1U);
  cfg(0x3c, 1, 11);
  BOOST_TEST(cfg(0x3c, 2) == 0x010bU);
}

BOOST_AUTO_TEST_CASE(status_error_bits_clear_by_writing_ones) {
  cfg(6, 2, 0x8000);
  BOOST_TEST(cfg(6, 2) == 0x0280U);
}

// PCI Local Bus Specification 2.3, 6.2.2 and 6.2.3.
BOOST_AUTO_TEST_CASE(a_pin_obeys_the_command_register_and_shows_its_level_in_status) {
  Interrupting function{guest, {3, 0}};
  const auto command = [this](std::uint64_t value) { guest.config_write({3, 0}, 4, 2, value); };
  command(0xffff);
  BOOST_TEST(guest.config_read({3, 0}, 4, 4) == 0x82800407U);
  function.line.set(true);
  BOOST_TEST(!guest.intx(3, 0));
  BOOST_TEST(guest.config_read({3, 0}, 4, 4) == 0x82880407U);
  BOOST_TEST(guest.config_read({3, 0}, 6, 1) == 0x88U);
  BOOST_TEST(guest.config_read({3, 0}, 5, 1) == 0x04U);
  BOOST_TEST(guest.config_read({3, 0}, 7, 1) == 0x82U);
  guest.config_write({3, 0}, 5, 1, 0);
  BOOST_TEST(guest.intx(3, 0));
  BOOST_TEST(guest.config_read({3, 0}, 4, 4) == 0x82880007U);
  guest.config_write({3, 0}, 6, 2, 0xffff);  // it is not cleared by writing
  BOOST_TEST(guest.config_read({3, 0}, 6, 2) == 0x0288U);
  command(0x0400);
  function.reset_config();
  BOOST_TEST(guest.intx(3, 0));
  function.line.set(false);
  BOOST_TEST(guest.config_read({3, 0}, 6, 2) == 0x8280U);
}

BOOST_AUTO_TEST_CASE(a_restored_pin_is_masked_as_it_was) {
  Interrupting function{guest, {3, 0}};
  guest.config_write({3, 0}, 4, 2, 0x0400);
  const dm::PciFunction::Config::Bytes masked = function.config_space();
  guest.config_write({3, 0}, 4, 2, 0);
  const dm::PciFunction::Config::Bytes open = function.config_space();
  function.restore_config(masked);
  function.line.set(true);
  BOOST_TEST(!guest.intx(3, 0));
  function.restore_config(open);
  BOOST_TEST(guest.intx(3, 0));
}

BOOST_AUTO_TEST_CASE(a_pin_without_a_line_stores_the_bit_alone) {
  cfg(4, 2, 0xffff);
  BOOST_TEST(cfg(4, 4) == 0x82800407U);
}

// PCI Local Bus Specification 2.1, 6.2.5.1: "software ... writes a value of all 1s to the register
// and reads it back".
BOOST_AUTO_TEST_CASE(bars_are_sized_as_software_sizes_them) {
  cfg(4, 2, 0);
  cfg(0x10, 4, 0xffffffff);
  BOOST_TEST(cfg(0x10, 4) == 0xffffff01U);
  cfg(0x14, 4, 0xffffffff);
  BOOST_TEST(cfg(0x14, 4) == 0xff000008U);
  cfg(0x18, 4, 0xffffffff);
  BOOST_TEST(cfg(0x18, 4) == 0U);
  BOOST_TEST(!card.bar_mapped(0));
  BOOST_TEST(!card.bar_mapped(1));
}

BOOST_AUTO_TEST_CASE(windows_appear_with_decode_and_move_with_the_bar) {
  cfg(0x10, 4, 0xc000);
  cfg(0x14, 4, 0xf0000000);
  BOOST_TEST(guest.inb(0xc000) == 0xffU);
  cfg(4, 2, 3);
  BOOST_TEST(guest.inb(0xc005) == 0x45U);
  BOOST_TEST(guest.mmio_read(0xf0000010, 4) == 0x50U);
  cfg(0x10, 4, 0xd100);
  BOOST_TEST(guest.inb(0xc005) == 0xffU);
  BOOST_TEST(guest.inb(0xd1ff) == 0x3fU);  // 0x40 + 0xff
  guest.outl(0xd100, 0xabcd);
  BOOST_TEST(card.written == 0xabcdU);
  cfg(0x14, 4, 0xe1000000);
  BOOST_TEST(guest.mmio_read(0xf0000010, 4) == 0xffffffffU);
  BOOST_TEST(guest.mmio_read(0xe1000010, 4) == 0x50U);
  cfg(4, 2, 0);
  BOOST_TEST(guest.inb(0xd1ff) == 0xffU);
  BOOST_TEST(guest.claims().errors() == 0U);
}

BOOST_AUTO_TEST_CASE(a_bar_written_byte_by_byte_ends_where_it_should) {
  cfg(4, 2, 1);
  cfg(0x11, 1, 0xc2);
  BOOST_TEST(guest.inb(0xc203) == 0x43U);
}

BOOST_AUTO_TEST_CASE(base_zero_and_all_ones_are_never_mapped) {
  cfg(4, 2, 3);
  BOOST_TEST(!card.bar_mapped(0));
  cfg(0x10, 4, 0xffffffff);
  cfg(0x14, 4, 0xffffffff);
  BOOST_TEST(!card.bar_mapped(0));
  BOOST_TEST(!card.bar_mapped(1));
  cfg(0x10, 4, 0x10000);  // beyond 64 Ki ports
  BOOST_TEST(!card.bar_mapped(0));
}

BOOST_AUTO_TEST_CASE(a_bar_on_ports_in_use_waits_until_they_are_free) {
  Card second{guest, {3, 0}};
  cfg(0x10, 4, 0xc000);
  cfg(4, 2, 1);
  guest.config_write({3, 0}, 0x10, 4, 0xc000);
  guest.config_write({3, 0}, 4, 2, 1);
  BOOST_TEST(!second.bar_mapped(0));
  BOOST_TEST(guest.inb(0xc001) == 0x41U);
  cfg(0x10, 4, 0xc100);
  BOOST_TEST(second.bar_mapped(0));
  BOOST_TEST(card.bar_mapped(0));
}

BOOST_AUTO_TEST_CASE(a_bar_on_another_of_its_own_is_there_as_soon_as_that_moves) {
  TwoBars two{guest, {3, 0}};
  guest.config_write({3, 0}, 0x14, 4, 0xe0000000);
  guest.config_write({3, 0}, 4, 2, 2);
  guest.config_write({3, 0}, 0x10, 4, 0xe0000000);
  BOOST_TEST(!two.bar_mapped(0));
  guest.config_write({3, 0}, 0x14, 4, 0xe1000000);
  BOOST_TEST(two.bar_mapped(1));
  BOOST_TEST(two.bar_mapped(0));
}

BOOST_AUTO_TEST_CASE(configuration_accesses_past_the_end_read_ones_there_and_write_nothing) {
  BOOST_TEST(cfg(0xfe, 4) == 0xffff0000U);
  cfg(0xff, 4, 0x12345678);
  BOOST_TEST(cfg(0x100, 4) == 0xffffffffU);
  BOOST_TEST(cfg(0xfe, 2) == 0U);
}

BOOST_AUTO_TEST_CASE(the_chip_hears_of_writes_after_they_are_stored) {
  cfg(0x60, 1, 5);
  BOOST_TEST(card.last_config == 0x60U);
}

BOOST_AUTO_TEST_CASE(an_unplugged_function_leaves_no_window_and_no_configuration_space) {
  cfg(0x10, 4, 0xc000);
  cfg(4, 2, 7);
  BOOST_TEST(card.bus_master());
  card.unplug();
  card.unplug();
  BOOST_TEST(cfg(0, 4) == 0xffffffffU);
  BOOST_TEST(guest.inb(0xc000) == 0xffU);
  BOOST_TEST(guest.claims().ports().empty());
  BOOST_TEST(guest.claims().pci().empty());
  BOOST_TEST(!card.bus_master());
}

BOOST_AUTO_TEST_CASE(a_slot_is_given_once) {
  BOOST_CHECK_THROW((Card{guest, bdf}), std::runtime_error);
}

class RomCard : public dm::PciFunction {
 public:
  RomCard(dm::rig::SimGuest& guest, PciBdf bdf, std::span<const std::byte> image)
      : PciFunction{guest.pci(), bdf, "rom card", Config{Map{}}} {
    add_rom(image, "rom");
  }
};

BOOST_AUTO_TEST_CASE(an_expansion_rom_is_sized_enabled_read_and_moved_as_software_wishes) {
  std::vector<std::byte> image(5000);
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<std::byte>(i * 3 & 0xffU);
  }
  RomCard rom{guest, {3, 0}, image};
  const auto reg = [&] { return guest.config_read({3, 0}, 0x30, 4); };
  const auto set = [&](std::uint64_t value) { guest.config_write({3, 0}, 0x30, 4, value); };
  set(0xfffff800);
  BOOST_TEST(reg() == 0xffffe000U);  // 8 KiB, the bits below read 0
  set(0xffffffff);
  BOOST_TEST(reg() == 0xffffe001U);
  guest.config_write({3, 0}, 4, 2, 2);
  BOOST_TEST(!rom.bar_mapped(dm::kRomBar));  // that was sizing
  set(0xf0000000);
  BOOST_TEST(!rom.bar_mapped(dm::kRomBar));
  set(0xf0000001);
  BOOST_TEST(rom.bar_mapped(dm::kRomBar));
  BOOST_TEST(guest.mmio_read(0xf0000001, 1) == 3U);
  BOOST_TEST(guest.mmio_read(0xf0000000, 4) == 0x09060300U);
  guest.mmio_write(0xf0000000, 4, 0);
  BOOST_TEST(guest.mmio_read(0xf0000000, 8) == 0x15120f0c09060300U);
  BOOST_TEST(guest.mmio_read(0xf0000000 + 4998, 4) ==
             (0xffff0000U | (4998 * 3 & 0xffU) | (4999 * 3 & 0xffU) << 8U));
  BOOST_TEST(guest.mmio_read(0xf0001ffc, 4) == 0xffffffffU);
  set(0xf8000001);
  BOOST_TEST(guest.mmio_read(0xf0000000, 4) == 0xffffffffU);
  BOOST_TEST(guest.mmio_read(0xf8000000, 4) == 0x09060300U);
  guest.config_write({3, 0}, 4, 2, 0);
  BOOST_TEST(!rom.bar_mapped(dm::kRomBar));
}

class MemoryCard : public dm::PciFunction {
 public:
  MemoryCard(dm::rig::SimGuest& guest, PciBdf bdf)
      : PciFunction{guest.pci(), bdf, "memory card", Config{Map{}}} {
    add_memory_bar(1, 0x100000, dm::IoHandler::bind<&MemoryCard::read, &MemoryCard::write>(*this),
                   "memory");
  }
  bool memory_wanted(std::uint8_t index, std::uint64_t base) noexcept override {
    BOOST_TEST(index == 1);
    ++asked;
    memory_at = granted ? base : memory_at;
    return granted;
  }
  void look_again() noexcept { retry_windows(); }
  std::uint64_t read(dm::IoAccess /*a*/) noexcept { return 7; }
  void write(dm::IoAccess /*a*/, std::uint64_t /*value*/) noexcept {}

  bool granted = true;
  unsigned asked = 0;
  std::uint64_t memory_at = 0;
};

BOOST_AUTO_TEST_CASE(memory_behind_a_bar_is_brought_there_and_left_where_it_is) {
  MemoryCard memory{guest, {3, 0}};
  const auto bar = [&](std::uint64_t value) { guest.config_write({3, 0}, 0x14, 4, value); };
  bar(0xffffffff);
  BOOST_TEST(guest.config_read({3, 0}, 0x14, 4) == 0xfff00008U);
  bar(0xe0000000);
  BOOST_TEST(memory.asked == 0U);
  guest.config_write({3, 0}, 4, 2, 2);
  BOOST_TEST(memory.memory_at == 0xe0000000U);
  BOOST_TEST(guest.mmio_read(0xe00ffff8, 4) == 7U);
  BOOST_TEST(guest.claims().mmio().empty());
  guest.config_write({3, 0}, 4, 2, 0);
  BOOST_TEST(!memory.bar_mapped(1));
  BOOST_TEST(memory.asked == 1U);
  memory.granted = false;
  bar(0xe0200000);
  guest.config_write({3, 0}, 4, 2, 2);
  BOOST_TEST(!memory.bar_mapped(1));
  BOOST_TEST(guest.mmio_read(0xe0200000, 4) == 0xffffffffU);
  memory.granted = true;
  memory.look_again();
  BOOST_TEST(memory.bar_mapped(1));
  BOOST_TEST(memory.memory_at == 0xe0200000U);
}

BOOST_AUTO_TEST_CASE(a_function_without_a_rom_says_so) {
  cfg(0x30, 4, 0xffffffff);
  BOOST_TEST(cfg(0x30, 4) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
