// SPDX-License-Identifier: MIT
// A saved machine and a configuration that is not its own: refused, and the message says what
// differs in the words of xl.cfg.
#include "core/state/describe.h"
#include "devices/chipset/chipset.h"
#include "devices/ide/state.h"
#include "ioreq/machine/machine_state.h"
#include "tests/unit/ioreq/daemon/saved_machines.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::test {
namespace {

using Bytes = std::vector<std::byte>;

/// Which back ends a machine has, beside its configuration.
struct Parts {
  MachineConfig config = everything();
  std::array<std::uint64_t, 4> disk_mib{64, 8, 8, 8};  ///< 0: no drive
  std::array<bool, 4> serial{true, true, true, true};
};

class AnyPc final : public SimHost {
 public:
  explicit AnyPc(Parts with) : SimHost{6}, parts{std::move(with)} {
    Backends backends;
    for (std::size_t i = 0; i < parts.disk_mib.size(); ++i) {
      if (parts.disk_mib[i] != 0) {
        disks[i] = std::make_unique<rig::ScriptedBlock>(parts.disk_mib[i] << 20U);
        backends.disks[i] = disks[i]->open();
      }
      if (parts.serial[i]) {
        backends.serial[i] = std::make_unique<ScriptedChardev>();
      }
    }
    for (std::size_t i = 0; i < parts.config.nics.size(); ++i) {
      backends.nics.push_back({.cable = std::make_unique<rig::ScriptedNet>(), .rom = {}});
    }
    for (const DiskConfig& disk : parts.config.disks) {
      backends.cdroms.at(disk.index) = disk.cdrom;
    }
    machine = make(parts.config, std::move(backends));
  }
  [[nodiscard]] Bytes saved() {
    machine->pause();
    return machine->save();
  }
  /// What load() says; empty: it took it.
  [[nodiscard]] std::string refusal(const Bytes& bytes) {
    const Bytes before = saved();
    const auto result = machine->load(bytes);
    BOOST_TEST((result.has_value() || machine->save() == before));
    return result ? "" : result.error().message;
  }

  Parts parts;
  std::array<std::unique_ptr<rig::ScriptedBlock>, 4> disks;
  std::unique_ptr<Machine> machine;

 private:
  [[nodiscard]] ioreq::Poller& poller() override { return machine->poller(); }
};

using Change = std::function<void(Parts&)>;

Bytes saved_from(const Change& change) {
  Parts parts;
  change(parts);
  return AnyPc{parts}.saved();
}

std::string refused_by(const Change& change, const Bytes& bytes) {
  Parts parts;
  change(parts);
  return AnyPc{parts}.refusal(bytes);
}

const Change kNothing = [](Parts&) {};

/// Saved by a full machine and loaded where `change` was made; then the other way round.
void check_both_ways(const Change& change, std::string_view there, std::string_view back) {
  const std::string begin = "not as it was saved: ";
  BOOST_TEST(refused_by(change, saved_from(kNothing)) == begin + std::string{there});
  BOOST_TEST(refused_by(kNothing, saved_from(change)) == begin + std::string{back});
}

BOOST_AUTO_TEST_SUITE(other_configuration)

BOOST_AUTO_TEST_CASE(the_same_configuration_is_taken) {
  BOOST_TEST(refused_by(kNothing, saved_from(kNothing)).empty());
}

BOOST_AUTO_TEST_CASE(a_disk_that_is_missing_or_new_is_named) {
  check_both_ways([](Parts& p) { p.disk_mib[1] = 0; }, "disk: hdb was a disk and is not there",
                  "disk: hdb was not there and is a disk");
  check_both_ways(
      [](Parts& p) {
        p.config.disks.clear();
        p.disk_mib[3] = 0;
      },
      "disk: hdd was a CD-ROM drive and is not there",
      "disk: hdd was not there and is a CD-ROM drive");
}

BOOST_AUTO_TEST_CASE(a_cd_rom_drive_for_a_disk_is_named) {
  check_both_ways(
      [](Parts& p) {
        DiskConfig& cd = p.config.disks.emplace_back();
        cd.index = 2;
        cd.cdrom = true;
      },
      "disk: hdc was a disk and is a CD-ROM drive", "disk: hdc was a CD-ROM drive and is a disk");
}

BOOST_AUTO_TEST_CASE(a_disk_of_another_size_is_named_with_both_sizes) {
  check_both_ways([](Parts& p) { p.disk_mib[0] = 32; },
                  "disk: hda had 131072 sectors of 512 bytes and has 65536",
                  "disk: hda had 65536 sectors of 512 bytes and has 131072");
}

BOOST_AUTO_TEST_CASE(a_state_that_does_not_tell_the_size_is_taken_as_before) {
  auto devices = read_saved_state(saved_from(kNothing)).value();
  const auto ide = std::ranges::find(devices, "ide", &SavedDevice::name);
  const auto state = std::make_unique<ide::ControllerState>();
  BOOST_TEST_REQUIRE(state::load(ide->bytes, *state));
  BOOST_TEST(state->drives[0].disk.capacity == 131072U);
  state->drives[0].disk.capacity = 0;
  ide->bytes = state::save(*state);
  BOOST_TEST(refused_by([](Parts& p) { p.disk_mib[0] = 32; }, write_saved_state(devices)).empty());
}

BOOST_AUTO_TEST_CASE(another_disc_in_the_drive_is_no_other_configuration) {
  BOOST_TEST(refused_by([](Parts& p) { p.disk_mib[3] = 1; }, saved_from(kNothing)).empty());
}

BOOST_AUTO_TEST_CASE(serial_ports_are_named) {
  check_both_ways([](Parts& p) { p.serial[1] = false; }, "serial: COM2 was there and is not",
                  "serial: COM2 was not there and is");
}

BOOST_AUTO_TEST_CASE(network_cards_are_counted) {
  check_both_ways([](Parts& p) { p.config.nics.pop_back(); },
                  "vif: emulated network cards (model=e1000) were 2 and are 1",
                  "vif: emulated network cards (model=e1000) were 1 and are 2");
  check_both_ways([](Parts& p) { p.config.nics.clear(); },
                  "vif: emulated network cards (model=e1000) were 2 and are 0",
                  "vif: emulated network cards (model=e1000) were 0 and are 2");
}

BOOST_AUTO_TEST_CASE(acpi_and_the_platform_device_are_named) {
  check_both_ways([](Parts& p) { p.config.acpi = false; }, "acpi was 1 and is 0",
                  "acpi was 0 and is 1");
  check_both_ways([](Parts& p) { p.config.xen_platform = false; },
                  "xen_platform_pci was 1 and is 0", "xen_platform_pci was 0 and is 1");
}

BOOST_AUTO_TEST_CASE(fewer_vcpus_than_were_online_are_named_and_more_are_taken) {
  const Change fewer = [](Parts& p) { p.config.vcpus_online = p.config.vcpus_max = 1; };
  BOOST_TEST(refused_by(fewer, saved_from(kNothing)) ==
             "not as it was saved: maxvcpus (vcpus, where it is not set) was 2 or more and is 1");
  BOOST_TEST(refused_by(kNothing, saved_from(fewer)).empty());
}

BOOST_AUTO_TEST_CASE(all_that_differs_is_told_at_once) {
  const Change change = [](Parts& p) {
    p.config.acpi = false;
    p.config.xen_platform = false;
    p.disk_mib[0] = 0;
    p.disk_mib[1] = 16;
    p.serial = {false, true, false, true};
    p.config.nics.pop_back();
  };
  check_both_ways(change,
                  "serial: COM1 was there and is not; serial: COM3 was there and is not; "
                  "vif: emulated network cards (model=e1000) were 2 and are 1; "
                  "acpi was 1 and is 0; xen_platform_pci was 1 and is 0; "
                  "disk: hda was a disk and is not there; "
                  "disk: hdb had 16384 sectors of 512 bytes and has 32768",
                  "serial: COM1 was not there and is; serial: COM3 was not there and is; "
                  "vif: emulated network cards (model=e1000) were 1 and are 2; "
                  "acpi was 0 and is 1; xen_platform_pci was 0 and is 1; "
                  "disk: hda was not there and is a disk; "
                  "disk: hdb had 32768 sectors of 512 bytes and has 16384");
}

BOOST_AUTO_TEST_CASE(a_screen_more_or_less_is_told_as_vga_and_its_size_as_videoram) {
  const auto screen = [](unsigned mib) -> Change {
    return [mib](Parts& parts) { parts.config.vga.emplace().memory_mib = mib; };
  };
  BOOST_TEST(refused_by(kNothing, saved_from(screen(1))) ==
             "not as it was saved: vga: the graphics card (any but \"none\") was there and is not");
  BOOST_TEST(refused_by(screen(1), saved_from(kNothing)) ==
             "not as it was saved: vga: the graphics card (any but \"none\") was not there and is");
  BOOST_TEST(refused_by(screen(2), saved_from(screen(1))) ==
             "not as it was saved: videoram was 1 (MiB) and is 2");
}

/// Before there is a machine.
BOOST_AUTO_TEST_CASE(where_video_memory_lies_is_read_from_a_saved_state) {
  BOOST_TEST(!video_memory_in(saved_from(kNothing)).value());
  Parts parts;
  parts.config.vga.emplace().memory_mib = 1;
  AnyPc pc{parts};
  pc.config_write({3, 0}, 0x10, 4, 0xe4000000);
  pc.config_write({3, 0}, 0x04, 2, 2);
  const Bytes saved = pc.saved();
  BOOST_TEST(video_memory_in(saved).value().value().value == 0xe4000000U);
  auto devices = read_saved_state(saved).value();
  for (SavedDevice& device : devices) {
    if (device.name == "vga") {
      device.bytes.pop_back();
    }
  }
  BOOST_TEST(video_memory_in(write_saved_state(devices)).has_error());
}

BOOST_AUTO_TEST_CASE(a_device_that_this_program_does_not_know_is_named_in_characters_that_print) {
  auto devices = read_saved_state(saved_from(kNothing)).value();
  devices.push_back({.name = "vga\x1b[2J", .bytes = {}});
  BOOST_TEST(refused_by(kNothing, write_saved_state(devices)) ==
             "not as it was saved: device vga?[2J was there and is not");
  devices.back().name = "serial77";
  BOOST_TEST(refused_by(kNothing, write_saved_state(devices)) ==
             "not as it was saved: device serial77 was there and is not");
  devices.back().name = "nic1";
  BOOST_TEST(refused_by(kNothing, write_saved_state(devices)) ==
             "not as it was saved: the saved state is damaged: it has nic1 twice");
}

BOOST_AUTO_TEST_CASE(a_card_of_another_name_is_no_card_of_ours) {
  auto devices = read_saved_state(saved_from(kNothing)).value();
  BOOST_TEST_REQUIRE(devices.back().name == "nic1");
  devices.back().name = "nic7";
  BOOST_TEST(refused_by(kNothing, write_saved_state(devices)) ==
             "not as it was saved: device nic1 was not there and is; "
             "device nic7 was there and is not");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
