// SPDX-License-Identifier: MIT
// Saving and loading, hostile saved bytes, and random guests.
#include "core/obs/log.h"
#include "core/state/describe.h"
#include "tests/unit/devices/chipset/chipset_rig.h"

#include <boost/test/unit_test.hpp>

#include <random>

namespace dm::test {
namespace {

using chipset::ChipsetState;
using chipset::I8042Registers;
using chipset::OutputSource;

std::vector<std::byte> saved(const Machine& m) {
  ChipsetState s = m.chipset.state();
  return state::save(s);
}
std::uint64_t hash_of(const Machine& m) {
  ChipsetState s = m.chipset.state();
  return state::hash(s);
}
[[nodiscard]] bool load(Machine& m, std::span<const std::byte> bytes) {
  ChipsetState s = m.chipset.state();
  return state::load(bytes, s) && m.chipset.restore(s);
}

/// Every chip in some middle of something.
void use_everything(Machine& m) {
  m.firmware.pci_setup();
  m.firmware.acpi_enable_sci();
  m.firmware.write_memory_sizes();
  m.guest.config_write(kHostBridge, 0x72, 1, 0x18);
  m.guest.outl(0xcf8, 0x80000860);
  m.guest.outb(0xcf9, 0x02);
  m.guest.outb(0x92, 0x02);
  m.guest.outb(0x0c, 0);
  m.guest.outb(0x02, 0x77);
  m.guest.outb(0x87, 0x12);
  m.guest.outb(0x70, 0x3d);
  m.kbc.command(0x60, 0x43);
  m.guest.outb(0x60, 0xf2);  // FA waits, AB 83 behind it
  m.kbc.command(0xd4, 0xe9);
  m.kbc.command(0xd3);  // its data byte is still to come
  m.guest.outw(0xafe2, 0x0004);
  BOOST_REQUIRE(m.chipset.plug_vcpu(1));
  m.guest.outb(0x10, 0x01);
  m.guest.outw(0x12, 3);
  m.guest.outw(0x10, 0x0002);
}

constexpr chipset::Config kTwoVcpus{.vcpus_online = 1, .vcpus_max = 2};

BOOST_AUTO_TEST_SUITE(chipset_state)

BOOST_AUTO_TEST_CASE(a_saved_machine_goes_on_in_a_new_one) {
  Machine from{kTwoVcpus};
  use_everything(from);
  Machine to{kTwoVcpus};
  BOOST_TEST(hash_of(to) != hash_of(from));
  BOOST_REQUIRE(load(to, saved(from)));
  BOOST_TEST(hash_of(to) == hash_of(from));
  BOOST_TEST(saved(to) == saved(from));

  // Everything that hangs on it has followed.
  BOOST_TEST(to.guest.link_route(1) == 10);
  BOOST_TEST(to.guest.isa_irq(9));
  BOOST_TEST(to.guest.isa_irq(1));
  BOOST_TEST(to.guest.mmio_read(0xf0000000, 4) == 0);
  BOOST_TEST(to.guest.inb(0xc000) == 1);
  BOOST_TEST(to.guest.inw(0xb004) == 1);
  BOOST_REQUIRE(to.unplug.requests.size() == 1);
  BOOST_TEST(to.unplug.requests[0].nics);
  BOOST_TEST(!to.unplug.requests[0].ide_disks);
  BOOST_REQUIRE(to.guest.domain().protections().size() == 1);
  BOOST_TEST(to.guest.domain().protections()[0].read_only);
  BOOST_TEST(to.guest.shutdowns().empty());

  // The conversations go on in the middle.
  for (Machine* m : {&from, &to}) {
    m->guest.outb(0x60, 0x5a);  // for the D3 that waits
    BOOST_TEST(m->kbc.drain() == (std::vector<int>{0xfa, 0x5a, 0xab, 0x41, 0xfa, 0x00, 0x02, 0x64}),
               boost::test_tools::per_element());
    BOOST_TEST(m->guest.inb(0x02) == 0x00);  // the high byte comes next
    BOOST_TEST(m->guest.inb(0x71) == 0x32);
    m->guest.config_write(kHostBridge, 0x72, 1, 0x48);
    BOOST_TEST(m->cfg(kHostBridge, 0x72, 1) == 0x1a);
  }
  BOOST_TEST(hash_of(to) == hash_of(from));
}

BOOST_AUTO_TEST_CASE(loading_twice_is_loading_once) {
  Machine from{kTwoVcpus};
  use_everything(from);
  Machine to{kTwoVcpus};
  BOOST_REQUIRE(load(to, saved(from)));
  BOOST_REQUIRE(load(to, saved(from)));
  BOOST_TEST(hash_of(to) == hash_of(from));
  BOOST_TEST(to.guest.domain().protections().size() == 1);
  BOOST_TEST(to.unplug.requests.size() == 1);
  BOOST_TEST(to.guest.claims().errors() == 0);
}

BOOST_AUTO_TEST_CASE(a_machine_without_some_functions_takes_the_rest) {
  Machine from{kTwoVcpus};
  use_everything(from);
  Machine to{{.acpi = false, .xen_platform = false}};
  BOOST_TEST(load(to, saved(from)));
  BOOST_TEST(to.guest.link_route(1) == 10);
  BOOST_TEST(to.unplug.requests.empty());
}

BOOST_AUTO_TEST_CASE(reset_is_power_on_but_for_what_stays) {
  Machine used{kTwoVcpus};
  use_everything(used);
  used.chipset.reset();
  const Machine fresh{kTwoVcpus};
  ChipsetState after = used.chipset.state();
  const ChipsetState clean = fresh.chipset.state();
  BOOST_TEST(used.firmware.cmos_read(0x35) == 0x3f);
  BOOST_TEST(used.chipset.vcpus_online() == 2);
  BOOST_TEST(after.platform.ports.unplugged == 2);
  after.cmos = clean.cmos;
  after.pm.acpi.cpus = clean.pm.acpi.cpus;
  after.platform.ports.unplugged = 0;
  ChipsetState clean_copy = clean;
  BOOST_TEST(state::hash(after) == state::hash(clean_copy));
  BOOST_TEST(!used.guest.isa_irq(9));
  BOOST_TEST(!used.guest.isa_irq(1));
  BOOST_TEST(used.guest.link_route(1) == 0);
  BOOST_TEST(used.guest.claims().mmio().empty());
  used.chipset.reset();
  const std::uint64_t once = hash_of(used);
  used.chipset.reset();
  BOOST_TEST(hash_of(used) == once);
}

// SECURITY.md D11, D12
BOOST_AUTO_TEST_CASE(impossible_values_are_refused_and_change_nothing) {
  Machine m{kTwoVcpus};
  use_everything(m);
  const ChipsetState good = m.chipset.state();
  const std::uint64_t before = hash_of(m);
  const std::vector<void (*)(ChipsetState&)> spoilers{
      [](ChipsetState& s) { s.i8042.keyboard.queue.head = 16; },
      [](ChipsetState& s) { s.i8042.keyboard.queue.count = 17; },
      [](ChipsetState& s) { s.i8042.mouse.queue.head = 255; },
      [](ChipsetState& s) { s.i8042.mouse.queue.count = 255; },
      [](ChipsetState& s) { s.i8042.keyboard.scancode_set = 0; },
      [](ChipsetState& s) { s.i8042.keyboard.command = 0xff; },
      [](ChipsetState& s) { s.i8042.mouse.command = 0xf4; },
      [](ChipsetState& s) { s.i8042.mouse.id = 1; },
      [](ChipsetState& s) { s.i8042.mouse.resolution = 4; },
      [](ChipsetState& s) { s.i8042.registers.command = 0xfe; },
      [](ChipsetState& s) { s.i8042.registers.full = static_cast<OutputSource>(3); },
      [](ChipsetState& s) { s.i8042.registers.reply_waits = static_cast<OutputSource>(0xff); },
      [](ChipsetState& s) { s.i8042.registers.output_port = 0xff; },
      [](ChipsetState& s) { s.cmos.index = 0x80; },
      [](ChipsetState& s) { s.config_ports.rcr = 0x04; },
      [](ChipsetState& s) { s.port92.value = 0x80; },
      [](ChipsetState& s) { s.dma.low.mask = 0x10; },
      [](ChipsetState& s) { s.dma.high.mask = 0xff; },
      [](ChipsetState& s) { s.pm.acpi.pmcntrl = 0x2000; },
      [](ChipsetState& s) { s.platform.ports.flags = 2; },
      [](ChipsetState& s) { s.platform.ports.unplugged = 0x10; },
  };
  for (std::size_t i = 0; i < spoilers.size(); ++i) {
    BOOST_TEST_CONTEXT("spoiler " << i) {
      ChipsetState bad = good;
      spoilers[i](bad);
      BOOST_TEST(!validate(bad));
      BOOST_TEST(!m.chipset.restore(bad));
      BOOST_TEST(!load(m, state::save(bad)));
      BOOST_TEST(hash_of(m) == before);
    }
  }
}

BOOST_AUTO_TEST_CASE(read_only_configuration_bits_come_from_the_chip_and_not_from_the_file) {
  Machine m;
  ChipsetState s = m.chipset.state();
  s.host_bridge.config.fill(0xff);
  s.isa.config.fill(0xff);
  s.pm.config.fill(0xff);
  s.platform.config.fill(0xff);
  BOOST_REQUIRE(m.chipset.restore(s));
  BOOST_TEST(m.cfg(kHostBridge, 0, 4) == 0x12378086);
  BOOST_TEST(m.cfg(kIsa, 0, 4) == 0x70008086);
  BOOST_TEST(m.cfg(kPm, 0, 4) == 0x71138086);
  BOOST_TEST(m.cfg(kPm, 0x40, 4) == 0xffc1);
  BOOST_TEST(m.cfg(kPlatform, 0, 4) == 0x00015853);
  BOOST_TEST(m.cfg(kPlatform, 0x10, 4) == 0xffffff01);
  BOOST_TEST(m.cfg(kPlatform, 0x14, 4) == 0xff000008);
  BOOST_TEST(m.guest.claims().mmio().empty());
  BOOST_TEST(m.guest.claims().errors() == 0);
}

/// A guest that does anything anywhere near the chips.
class RandomGuest {
 public:
  RandomGuest(Machine& m, std::uint32_t seed) : m_{m}, random_{seed} {}

  void step() {
    constexpr std::array<std::uint8_t, 3> kSizes{1, 2, 4};
    const std::uint8_t size = kSizes.at(pick(3));
    const std::uint32_t value = pick(4) == 0 ? 0xffffffff >> pick(32) : word();
    switch (pick(10)) {
      case 0:
        m_.guest.config_write(function(), pick(256), size, value);
        break;
      case 1:
        (void)m_.guest.config_read(function(), pick(256), size);
        break;
      case 2:
        m_.guest.rep_outs(port(), size, pick(0x2000), 1 + pick(8));
        break;
      case 3:
        m_.guest.rep_ins(port(), size, pick(0x2000), 1 + pick(8));
        break;
      case 4:
        m_.guest.mmio_write(0xf0000000 + pick(0x1000), size, value);
        break;
      case 5:
      case 6:
        (void)m_.guest.pio_read(port(), size);
        break;
      default:
        m_.guest.pio_write(port(), size, value);
        break;
    }
    if (pick(50) == 0) {
      m_.chipset.plug_vcpu(pick(10));
    }
    if (pick(10) == 0) {
      type_and_move();
    }
  }
  [[nodiscard]] std::uint32_t pick(std::uint32_t below) { return word() % below; }

 private:
  void type_and_move() {
    chipset::I8042& hands = m_.chipset.i8042();
    hands.key(static_cast<std::uint8_t>(word()), pick(2) == 0);
    hands.move_mouse(static_cast<std::int16_t>(word()), static_cast<std::int16_t>(word()),
                     static_cast<std::uint8_t>(word()));
  }
  [[nodiscard]] std::uint32_t word() { return static_cast<std::uint32_t>(random_()); }
  [[nodiscard]] PciBdf function() {
    constexpr std::array kAll{kHostBridge, kIsa, kPm, kPlatform, PciBdf{3, 0}};
    return kAll.at(pick(kAll.size()));
  }
  [[nodiscard]] std::uint16_t port() {
    constexpr std::array<std::uint16_t, 14> kNear{0x00,   0x10,   0x60,   0x60,  0x70,
                                                  0x80,   0x90,   0xb0,   0xc0,  0xcf4,
                                                  0xae00, 0xaf00, 0xafe0, 0xb000};
    return static_cast<std::uint16_t>(kNear.at(pick(kNear.size())) + pick(0x20));
  }

  Machine& m_;
  std::minstd_rand random_;
};

BOOST_AUTO_TEST_CASE(no_guest_leaves_the_set_of_valid_states) {
  log::set_sink([](log::Level, std::string_view) noexcept {});
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    Machine m{{.vcpus_online = 1, .vcpus_max = 8}};
    RandomGuest guest{m, seed};
    for (unsigned i = 0; i < 2000; ++i) {
      guest.step();
    }
    const ChipsetState s = m.chipset.state();
    BOOST_TEST(validate(s));
    // Levels are a function of the state.
    BOOST_TEST(m.guest.isa_irq(9) == ((s.pm.acpi.gpe_status & s.pm.acpi.gpe_enable) != 0));
    const I8042Registers& r = s.i8042.registers;
    BOOST_TEST(m.guest.isa_irq(1) ==
               (r.full == OutputSource::keyboard_side && (r.ram[0] & 1) != 0));
    BOOST_TEST(m.guest.isa_irq(12) == (r.full == OutputSource::mouse_side && (r.ram[0] & 2) != 0));
    BOOST_TEST(!m.guest.intx(2, 0));
    BOOST_TEST(m.guest.sim_irqs().redundant() == 0);
    BOOST_TEST(m.guest.claims().errors() == 0);
    // And wherever it is, it can be saved and goes on elsewhere.
    Machine other{{.vcpus_online = 1, .vcpus_max = 8}};
    BOOST_REQUIRE(load(other, saved(m)));
    BOOST_TEST(hash_of(other) == hash_of(m));
  }
  log::set_sink(nullptr);
}

// SECURITY.md D11
BOOST_AUTO_TEST_CASE(mutated_bytes_are_refused_or_make_a_machine_that_runs) {
  log::set_sink([](log::Level, std::string_view) noexcept {});
  Machine from{kTwoVcpus};
  use_everything(from);
  const std::vector<std::byte> good = saved(from);
  std::minstd_rand random{7};
  unsigned taken = 0;
  for (unsigned round = 0; round < 300; ++round) {
    std::vector<std::byte> bytes = good;
    for (unsigned i = 0; i <= round % 8; ++i) {
      bytes.at(random() % bytes.size()) = static_cast<std::byte>(random());
    }
    if (round % 10 == 0) {
      bytes.resize(random() % bytes.size());
    }
    Machine to{kTwoVcpus};
    taken += load(to, bytes) ? 1U : 0U;
    RandomGuest guest{to, round + 1};
    for (unsigned i = 0; i < 50; ++i) {
      guest.step();
    }
    BOOST_TEST(validate(to.chipset.state()));
  }
  BOOST_TEST(taken > 0);
  BOOST_TEST(taken < 300);
  log::set_sink(nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
