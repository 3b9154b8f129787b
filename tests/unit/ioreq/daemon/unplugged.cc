// SPDX-License-Identifier: MIT
// A saved guest that had unplugged disks: their images are behind its PV disks and are not opened
// here. Linux writes the mask again after every resume (arch/x86/xen/suspend_hvm.c).
#include "core/ports/unplug.h"
#include "ioreq/daemon/incoming.h"
#include "ioreq/daemon/open_backends.h"
#include "ioreq/machine/machine_state.h"
#include "ioreq/machine/make_devices.h"
#include "platform/linux/loop/loop.h"
#include "platform/linux/unique_fd.h"
#include "platform/linux/whole_io.h"
#include "tests/unit/ioreq/daemon/saved_machines.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace dm::test {
namespace {

constexpr std::uint16_t kAllDisks = 0x0001;
constexpr std::uint16_t kCards = 0x0002;
constexpr std::uint16_t kSecondaryDisks = 0x0004;

std::vector<std::byte> saved_after(std::uint16_t mask) {
  SavedPc pc;
  pc.live();
  pc.outw(0x10, mask);
  pc.control->stop();
  return pc.control->save(0);
}

Incoming read_back(std::span<const std::byte> state) {
  const host::UniqueFd file{::memfd_create("qemu-resume", MFD_CLOEXEC)};
  BOOST_TEST_REQUIRE(host::write_whole(file.get(), state, std::chrono::seconds{10}).has_value());
  BOOST_TEST_REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
  return read_incoming(file.get()).value();
}

/// Where such a guest goes on.
struct Arrived {
  explicit Arrived(std::uint16_t mask) : saved{read_back(saved_after(mask))} {
    MachineConfig config = everything();
    config.incoming_fd = 3;
    pc.emplace(config, std::span<const DeviceMaker>{}, saved.gone);
  }
  [[nodiscard]] bool load() { return load_incoming(saved, *pc->machine).has_value(); }
  [[nodiscard]] std::vector<bool> open() const {
    return {pc->disks[0].is_open(), pc->disks[1].is_open(), pc->disks[2].is_open(),
            pc->disks[3].is_open()};
  }

  Incoming saved;
  std::optional<SavedPc> pc;
};

BOOST_AUTO_TEST_SUITE(unplugged)

BOOST_AUTO_TEST_CASE(a_state_says_what_its_guest_had_unplugged) {
  for (const std::uint16_t mask :
       {std::uint16_t{0}, kAllDisks, kCards, kSecondaryDisks, std::uint16_t{7}}) {
    const UnplugRequest gone = unplugged_in(saved_after(mask)).value();
    BOOST_TEST(gone.ide_disks == ((mask & kAllDisks) != 0));
    BOOST_TEST(gone.ide_secondary_disks == ((mask & kSecondaryDisks) != 0));
    BOOST_TEST(gone.nics == ((mask & kCards) != 0));
  }
}

BOOST_AUTO_TEST_CASE(a_request_names_disks_by_their_position) {
  for (std::size_t position = 0; position < 4; ++position) {
    BOOST_TEST(UnplugRequest{.ide_disks = true}.takes_disk(position));
    BOOST_TEST(UnplugRequest{.ide_secondary_disks = true}.takes_disk(position) == (position != 0));
    BOOST_TEST(!UnplugRequest{.nics = true}.takes_disk(position));
  }
}

/// A machine whose configuration has no platform device must not lose disks by what is in its
/// bytes.
BOOST_AUTO_TEST_CASE(without_a_platform_device_nothing_was_unplugged) {
  chipset::ChipsetState state;
  state.platform.ports.unplugged = 7;
  BOOST_TEST(unplugged_by(state).ide_disks);
  state.has_platform = false;
  const UnplugRequest gone = unplugged_by(state);
  BOOST_TEST((!gone.ide_disks && !gone.ide_secondary_disks && !gone.nics));
}

BOOST_AUTO_TEST_CASE(bytes_without_a_sound_chipset_are_refused_before_there_is_a_machine) {
  auto devices = read_saved_state(saved_after(kAllDisks)).value();
  for (std::size_t cut = 0; cut < 3; ++cut) {
    auto bad = devices;
    auto& chipset = *std::ranges::find(bad, "chipset", &SavedDevice::name);
    if (cut == 0) {
      chipset.name = "chip";
    } else {
      chipset.bytes.resize(cut == 1 ? 0 : chipset.bytes.size() - 1);
      chipset.bytes.insert(chipset.bytes.end(), 3, std::byte{0xff});
    }
    BOOST_TEST(unplugged_in(write_saved_state(bad)).has_error());
  }
}

BOOST_AUTO_TEST_CASE(a_machine_without_those_images_loads_the_same_state) {
  for (const std::uint16_t mask : {kAllDisks, kSecondaryDisks, std::uint16_t{7}}) {
    BOOST_TEST_CONTEXT("mask " << mask) {
      Arrived arrived{mask};
      const bool first = mask == kSecondaryDisks;
      BOOST_TEST((arrived.open() == std::vector<bool>{first, false, false, true}));
      BOOST_TEST_REQUIRE(arrived.load());
      BOOST_TEST((arrived.pc->control->save(0) == arrived.saved.state));
      BOOST_TEST((arrived.open() == std::vector<bool>{first, false, false, true}));
      arrived.pc->control->cont();
      BOOST_TEST(arrived.pc->control->drives().size() == (first ? 2U : 1U));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_second_unplug_and_a_second_migration_are_harmless) {
  Arrived arrived{kAllDisks};
  BOOST_TEST_REQUIRE(arrived.load());
  SavedPc& pc = *arrived.pc;
  pc.control->cont();
  for (int again = 0; again < 2; ++again) {
    pc.outw(0x10, kAllDisks | kCards);
    pc.settle();
    BOOST_TEST(pc.control->drives().size() == 1U);
    BOOST_TEST(pc.disks[3].is_open());
    pc.control->stop();
    BOOST_TEST(is_valid(*pc.machine));
    BOOST_TEST(pc.control->hand_over());
    pc.control->cont();
  }
  pc.control->stop();
  const Incoming further = read_back(pc.control->save(0));
  SavedPc third{pc.config, {}, further.gone};
  BOOST_TEST(load_incoming(further, *third.machine).has_value());
}

/// What is gone stays away within one process. A guest that reboots gets a new one.
BOOST_AUTO_TEST_CASE(the_end_of_s3_brings_no_disk_back_and_leaves_the_disc) {
  Arrived arrived{kAllDisks};
  BOOST_TEST_REQUIRE(arrived.load());
  SavedPc& pc = *arrived.pc;
  pc.control->cont();
  pc.outw(0xb004, 0x2401);  // SLP_TYP, SLP_EN
  BOOST_TEST_REQUIRE(pc.domain.suspends() == 1U);
  pc.control->wake();
  BOOST_TEST((arrived.open() == std::vector<bool>{false, false, false, true}));
  BOOST_TEST(pc.inb(0x1f7) == 0x00);  // no drive on the primary channel
  BOOST_TEST(pc.machine->cd_drive(3) != nullptr);
}

/// Such bytes did not come from a guest: they would have it lose a disk that it still uses.
BOOST_AUTO_TEST_CASE(a_disk_that_is_gone_and_has_a_state_is_refused) {
  auto devices = read_saved_state(saved_after(0)).value();
  const auto unplugged = read_saved_state(saved_after(kAllDisks)).value();
  *std::ranges::find(devices, "chipset", &SavedDevice::name) =
      *std::ranges::find(unplugged, "chipset", &SavedDevice::name);
  const Incoming saved = read_back(write_saved_state(devices));
  BOOST_TEST(saved.gone.ide_disks);
  SavedPc pc{everything(), {}, saved.gone};
  BOOST_TEST(load_incoming(saved, *pc.machine).has_error());
}

DiskConfig disk_at(std::uint8_t index, bool cdrom = false) {
  DiskConfig disk;
  disk.index = index;
  disk.cdrom = cdrom;
  disk.path = "/nowhere/image" + std::to_string(index);
  return disk;
}

BOOST_AUTO_TEST_CASE(an_image_that_was_unplugged_is_not_even_looked_for) {
  host::Loop loop;
  MachineConfig config;
  config.disks = {disk_at(0), disk_at(2)};
  const auto backends = open_backends(config, {.ide_disks = true}, loop);
  BOOST_TEST_REQUIRE(backends.has_value());
  BOOST_TEST(backends->disks[0] == nullptr);
  const auto master = open_backends(config, {.ide_secondary_disks = true}, loop);
  BOOST_TEST_REQUIRE(master.has_error());
  BOOST_TEST(master.error().message.find("image0") != std::string::npos);
  BOOST_TEST(open_backends(config, {.nics = true}, loop).has_error());
  config.disks = {disk_at(2, true)};  // a disc stays
  BOOST_TEST(open_backends(config, {.ide_disks = true}, loop).has_error());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace dm::test
