// SPDX-License-Identifier: MIT
// What core/device.h promises, of every device there is: those of a full machine, and
// tests/example_device.
#include "core/device.h"
#include "ioreq/machine/inspect.h"
#include "ioreq/machine/json_inspector.h"
#include "tests/rig/more_devices.h"
#include "tests/unit/ioreq/daemon/saved_machines.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace dm::test {
namespace {

using Bytes = std::vector<std::byte>;
constexpr UnplugRequest kEverything{.ide_disks = true, .ide_secondary_disks = true, .nics = true};

/// And a screen, USB, a card of the other model and a kernel of the host, which the machines of the
/// kept states have not.
MachineConfig everything_there_is() {
  MachineConfig config = everything();
  config.vga.emplace().memory_mib = 1;
  config.kernel.emplace();
  config.usb.emplace().devices = {UsbDevice::tablet, UsbDevice::keyboard};
  NicConfig& card = config.nics.emplace_back(nic());
  card.id = "nic2";
  card.model = kRtl8139Model;
  return config;
}

class FullPc final : public SavedPc {
 public:
  FullPc() : SavedPc{everything_there_is(), rig::kMoreDevices} {}

  [[nodiscard]] Device& device(std::string_view name) const {
    const auto all = machine->devices();
    return **std::ranges::find(all, name, [](const auto& one) { return one->name(); });
  }
  /// Something is going on in every chip. Devices that the PC has not get a byte in each port.
  void be_busy() {
    live();
    config_write({5, 0}, 0x3c, 1, 11);  // the second card
    config_write({3, 0}, 0x10, 4, 0xe8000000);
    config_write({3, 0}, 0x04, 2, 3);
    config_write({6, 0}, 0x10, 4, 0xc400);  // the rtl8139
    config_write({6, 0}, 0x04, 2, 7);
    outl(0xc430, 0x40000);                  // RBSTART
    outb(0xc437, 0x0c);                     // CR: receive and transmit
    outl(0xc444, 0x0000000e);               // RCR
    config_write({1, 2}, 0x20, 4, 0xc500);  // the USB controller
    config_write({1, 2}, 0x04, 2, 5);
    outl(0xc508, 0x10000);  // FLBASEADD
    outw(0xc504, 0x000f);   // USBINTR
    outw(0xc500, 0x00c1);   // USBCMD: run
    outw(0x510, 0x12);      // the ramdisk
    (void)inb(0x511);
    for (const auto& region : machine->pio().regions()) {
      if (region.used && !is_of_the_pc(region.name)) {
        for (unsigned at = region.range.first; at <= region.range.last; ++at) {
          outb(static_cast<std::uint16_t>(at), 0xa5);
        }
      }
    }
  }
  /// Every port and window is read, time passes, what was put off is done.
  void look_around() {
    for (const auto& region : machine->pio().regions()) {
      for (unsigned at = region.range.first; region.used && at <= region.range.last; ++at) {
        (void)inb(static_cast<std::uint16_t>(at));
        (void)inl(static_cast<std::uint16_t>(at));
      }
    }
    for (const auto& region : machine->mmio().regions()) {
      for (std::uint64_t offset = 0; region.used && offset < 0x6000; offset += 0x804) {
        (void)mmio_read(region.range.first + offset, 4);
      }
    }
    clock.advance(std::chrono::seconds{1});
    settle();
  }

 private:
  [[nodiscard]] static bool is_of_the_pc(std::string_view region) {
    static const std::set<std::string, std::less<>> kNames = [] {
      std::set<std::string, std::less<>> names;
      SavedPc pc;
      pc.live();
      for (const auto& one : pc.machine->pio().regions()) {
        names.emplace(one.name);
      }
      return names;
    }();
    return kNames.contains(region);
  }
};

std::vector<std::string> names() {
  const FullPc pc;
  std::vector<std::string> all;
  for (const auto& device : pc.machine->devices()) {
    all.emplace_back(device->name());
  }
  return all;
}
const std::vector<std::string> kNames = names();

Bytes saved(const FullPc& pc, const Device& device) {
  pc.machine->pause();
  return device.save();
}

bool accepted(const Device& device, std::span<const std::byte> bytes, UnplugRequest gone = {}) {
  return device.check(bytes, gone).has_value();
}

boost::json::object inspected(const Device& device) {
  boost::json::object all;
  JsonInspector to{all};
  device.inspect(to);
  return all;
}

/// Every place in a short state, three hundred in a long one.
std::vector<std::size_t> places(std::size_t size) {
  constexpr std::size_t kMost = 300;
  std::vector<std::size_t> all;
  for (std::size_t at = 0; at < size; at += at < kMost / 2 ? 1 : 1 + size / (kMost / 2)) {
    all.push_back(at);
  }
  return all;
}

BOOST_AUTO_TEST_SUITE(conformance)

BOOST_AUTO_TEST_CASE(names_are_unique_short_and_printable) {
  std::set<std::string> seen;
  for (const std::string& name : kNames) {
    BOOST_TEST(seen.insert(name).second, name);
    BOOST_TEST((!name.empty() && name.size() <= Device::kMaxName));
    BOOST_TEST(std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; }));
  }
  BOOST_TEST(seen.contains("echo"));
  BOOST_TEST(seen.contains("vga"));
  BOOST_TEST(seen.contains("rtl8139-2"));
  BOOST_TEST(seen.contains("uhci"));
  BOOST_TEST(seen.size() >= 10U);
}

BOOST_DATA_TEST_CASE(what_was_saved_is_loaded_and_saved_again_as_the_same_bytes, kNames, name) {
  FullPc pc;
  pc.be_busy();
  const Bytes bytes = saved(pc, pc.device(name));
  FullPc other;
  other.machine->pause();
  BOOST_TEST_REQUIRE(accepted(other.device(name), bytes));
  BOOST_TEST((other.device(name).save() != bytes));  // something was going on
  other.device(name).load(bytes);
  BOOST_TEST((other.device(name).save() == bytes));
}

BOOST_DATA_TEST_CASE(a_check_changes_nothing, kNames, name) {
  FullPc pc;
  pc.be_busy();
  const Bytes bytes = saved(pc, pc.device(name));
  FullPc other;
  const Bytes before = saved(other, other.device(name));
  BOOST_TEST(accepted(other.device(name), bytes));
  BOOST_TEST(!accepted(other.device(name), std::span{bytes}.first(bytes.size() - 1)));
  BOOST_TEST((other.device(name).save() == before));
}

BOOST_DATA_TEST_CASE(to_pause_twice_is_to_pause_once_and_nothing_is_due_then, kNames, name) {
  FullPc pc;
  pc.be_busy();
  const Bytes bytes = saved(pc, pc.device(name));
  pc.device(name).pause();
  BOOST_TEST((pc.device(name).save() == bytes));
  BOOST_TEST(pc.machine->work().empty());
  pc.machine->resume();
  BOOST_TEST((saved(pc, pc.device(name)) == bytes));
}

BOOST_DATA_TEST_CASE(to_resume_what_is_not_paused_changes_nothing, kNames, name) {
  FullPc pc;
  pc.be_busy();
  FullPc same;
  same.be_busy();
  same.device(name).resume();
  BOOST_TEST((saved(same, same.device(name)) == saved(pc, pc.device(name))));
}

BOOST_DATA_TEST_CASE(a_reset_makes_it_as_a_new_one_is, kNames, name) {
  FullPc fresh;
  const Bytes expected = saved(fresh, fresh.device(name));
  FullPc pc;
  pc.outb(0x70, 0x34);
  const std::uint8_t battery_backed = pc.inb(0x71);
  pc.be_busy();
  pc.outb(0x70, 0x34);  // what be_busy() has written there
  pc.outb(0x71, battery_backed);
  pc.device(name).reset();
  BOOST_TEST((saved(pc, pc.device(name)) == expected));
  pc.machine->resume();
  pc.look_around();
  pc.machine->pause();
  BOOST_TEST(is_valid(*pc.machine));
}

BOOST_DATA_TEST_CASE(a_new_one_that_is_reset_or_woken_is_still_new, kNames, name) {
  FullPc pc;
  const Bytes expected = saved(pc, pc.device(name));
  pc.device(name).reset();
  BOOST_TEST((pc.device(name).save() == expected));
  pc.device(name).wake();
  BOOST_TEST((pc.device(name).save() == expected));
}

BOOST_DATA_TEST_CASE(what_has_slept_goes_on, kNames, name) {
  FullPc pc;
  pc.be_busy();
  pc.device(name).wake();
  pc.look_around();
  pc.machine->pause();
  BOOST_TEST(is_valid(*pc.machine));
}

BOOST_DATA_TEST_CASE(a_flush_can_be_repeated, kNames, name) {
  FullPc pc;
  pc.be_busy();
  BOOST_TEST(pc.device(name).flush());
  const Bytes bytes = saved(pc, pc.device(name));
  BOOST_TEST(pc.device(name).flush());
  BOOST_TEST((saved(pc, pc.device(name)) == bytes));
}

BOOST_DATA_TEST_CASE(what_is_handed_over_and_taken_back_goes_on_as_if_nothing_were, kNames, name) {
  FullPc pc;
  pc.be_busy();
  const Bytes bytes = saved(pc, pc.device(name));
  BOOST_TEST(pc.device(name).take_back());  // of nothing
  for (int again = 0; again < 2; ++again) {
    BOOST_TEST(pc.device(name).hand_over());
    BOOST_TEST(pc.device(name).hand_over());
    BOOST_TEST((pc.device(name).save() == bytes));
    BOOST_TEST(pc.device(name).take_back());
  }
  BOOST_TEST((pc.device(name).save() == bytes));
  pc.machine->resume();
  pc.look_around();
  pc.machine->pause();
  BOOST_TEST(is_valid(*pc.machine));
}

BOOST_DATA_TEST_CASE(what_was_unplugged_is_gone_for_good, kNames, name) {
  FullPc pc;
  pc.be_busy();
  Device& device = pc.device(name);
  BOOST_TEST(device.unplug({}));
  BOOST_TEST(device.unplug(kEverything));
  const Bytes bytes = saved(pc, device);
  BOOST_TEST(device.unplug(kEverything));
  BOOST_TEST((saved(pc, device) == bytes));
  BOOST_TEST(accepted(device, bytes, kEverything));
  pc.machine->resume();
  device.reset();
  device.wake();
  pc.look_around();
  BOOST_TEST((device.flush() && device.unplug(kEverything)));
  pc.machine->pause();
  BOOST_TEST(accepted(device, device.save(), kEverything));
  BOOST_TEST(!inspected(device).contains("network"));
}

/// Loads it if that is possible; it can be saved and used then.
struct Victim {
  explicit Victim(const std::string& of) : name{of} { pc.machine->pause(); }
  void take(std::span<const std::byte> bytes) {
    Device& device = pc.device(name);
    if (!accepted(device, bytes)) {
      ++refused;
      return;
    }
    device.load(bytes);
    UnplugRequest gone = kEverything;  // a chipset may have said so
    const Bytes again = device.save();
    BOOST_TEST_REQUIRE((accepted(device, again) || accepted(device, again, gone)));
    BOOST_TEST_REQUIRE(!boost::json::serialize(inspected(device)).empty());
    constexpr unsigned kOften = 32;
    if (taken++ % kOften == 0) {
      pc.machine->resume();
      pc.look_around();
      pc.machine->pause();
    }
  }
  std::string name;
  FullPc pc;
  unsigned refused = 0;
  unsigned taken = 0;
};

BOOST_DATA_TEST_CASE(a_state_that_is_cut_anywhere_is_refused_or_harmless, kNames, name) {
  FullPc pc;
  pc.be_busy();
  const Bytes bytes = saved(pc, pc.device(name));
  Victim victim{name};
  for (const std::size_t length : places(bytes.size())) {
    victim.take(std::span{bytes}.first(length));
  }
  BOOST_TEST(victim.refused > victim.taken);
}

BOOST_DATA_TEST_CASE(a_state_with_any_byte_changed_is_refused_or_harmless, kNames, name) {
  FullPc pc;
  pc.be_busy();
  Bytes bytes = saved(pc, pc.device(name));
  Victim victim{name};
  for (const std::size_t at : places(bytes.size())) {
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      bytes[at] ^= static_cast<std::byte>(flip);
      victim.take(bytes);
      bytes[at] ^= static_cast<std::byte>(flip);
    }
  }
  BOOST_TEST(victim.refused + victim.taken == 3 * places(bytes.size()).size());
  BOOST_TEST(victim.refused > 0U);
}

BOOST_DATA_TEST_CASE(the_state_of_another_kind_of_device_is_refused, kNames, name) {
  FullPc pc;
  pc.be_busy();
  pc.machine->pause();
  const Device& device = pc.device(name);
  for (const auto& other : pc.machine->devices()) {
    const Device& from = *other;
    if (typeid(from) != typeid(device)) {
      BOOST_TEST(!accepted(device, from.save()), "state of " << from.name());
    }
  }
}

BOOST_DATA_TEST_CASE(to_look_changes_nothing_and_shows_something, kNames, name) {
  FullPc pc;
  BOOST_TEST(!inspected(pc.device(name)).empty());
  pc.be_busy();
  const auto shown = inspected(pc.device(name));
  BOOST_TEST(!shown.empty());
  BOOST_TEST((inspected(pc.device(name)) == shown));
  const Bytes bytes = saved(pc, pc.device(name));
  BOOST_TEST((inspected(pc.device(name)) == inspected(pc.device(name))));
  BOOST_TEST((pc.device(name).save() == bytes));
}

/// What a driver of PCI 2.3 and Linux's uio_pci_generic look for: the bit can be changed.
BOOST_AUTO_TEST_CASE(every_pci_function_with_a_pin_lets_its_interrupt_be_disabled) {
  FullPc pc;
  unsigned pins = 0;
  for (std::uint8_t device = 0; device < 32; ++device) {
    for (std::uint8_t function = 0; function < 8; ++function) {
      const PciBdf at{device, function};
      if (pc.config_read(at, 0, 2) == 0xffff) {
        continue;
      }
      const bool pin = pc.config_read(at, 0x3d, 1) != 0;
      pins += pin ? 1 : 0;
      pc.config_write(at, 0x05, 1, pc.config_read(at, 0x05, 1) | 0x04U);
      BOOST_TEST(((pc.config_read(at, 0x05, 1) & 0x04U) != 0) == pin, int{device});
    }
  }
  BOOST_TEST(pins >= 4U);
}

BOOST_AUTO_TEST_CASE(a_disabled_interrupt_is_low_and_stays_so_where_it_is_loaded) {
  const std::vector<std::pair<std::string, PciBdf>> cards = {{"nic0", {4, 0}},
                                                             {"rtl8139-2", {6, 0}}};
  FullPc pc;
  pc.be_busy();
  pc.card(0xd0, 4);         // IMS: LSC
  pc.card(0xc8, 4);         // ICS
  pc.outw(0xc43c, 0x4000);  // IMR: TimeOut
  pc.outl(0xc454, 1000);    // TimerInt
  pc.outl(0xc448, 0);       // TCTR
  pc.clock.advance(std::chrono::seconds{1});
  pc.settle();
  for (const auto& [name, at] : cards) {
    BOOST_TEST_REQUIRE(pc.irqs.intx(at.device, 0), name);
    pc.config_write(at, 0x05, 1, 0x04);
    BOOST_TEST(!pc.irqs.intx(at.device, 0), name);
    BOOST_TEST((pc.config_read(at, 0x06, 1) & 0x08U) != 0, name);
  }
  pc.machine->pause();
  FullPc other;
  other.machine->pause();
  for (const auto& [name, at] : cards) {
    other.device(name).load(pc.device(name).save());
    BOOST_TEST(other.irqs.intx_edges(at.device, 0) == 0U, name);
  }
  other.machine->resume();
  for (const auto& [name, at] : cards) {
    BOOST_TEST(!other.irqs.intx(at.device, 0), name);
    other.config_write(at, 0x05, 1, 0);
    BOOST_TEST(other.irqs.intx(at.device, 0), name);
    other.config_write(at, 0x05, 1, 0x04);
    other.device(name).reset();
    BOOST_TEST(other.irqs.intx_edges(at.device, 0) == 1U, name);
  }
}

BOOST_AUTO_TEST_CASE(a_machine_with_one_device_more_is_saved_loaded_and_inspected) {
  FullPc pc;
  pc.be_busy();
  pc.clock.advance(std::chrono::milliseconds{2});
  pc.settle();
  BOOST_TEST(pc.irqs.isa_edges(10) == 1U);
  const auto shown = inspect(*pc.machine, pc.config);
  BOOST_TEST(shown.at("echo").at("heard").to_number<int>() == 0xa5);
  pc.machine->pause();
  const Bytes bytes = pc.machine->save();
  FullPc other;
  other.machine->pause();
  BOOST_TEST_REQUIRE(other.machine->load(bytes).has_value());
  BOOST_TEST((other.machine->save() == bytes));
  other.machine->resume();
  BOOST_TEST(other.inb(0xee0) == 0xa5U);
  SavedPc without;
  without.machine->pause();
  BOOST_TEST(without.machine->load(bytes).has_error());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
