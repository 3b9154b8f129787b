// SPDX-License-Identifier: MIT
#pragma once

#include "devices/ata/atapi_drive.h"
#include "tests/drivers/atapi_driver.h"
#include "tests/unit/devices/ide/ide_rig.h"

#include <memory>
#include <optional>
#include <utility>

namespace dm::test {

/// A guest with a CD-ROM drive as secondary master, and a disk as its slave.
struct CdMachine {
  explicit CdMachine(rig::ScriptedBlock* disc,
                     rig::ScriptedBlock* slave = nullptr,
                     rig::SimGuest::Options options = {})
      : guest{options} {
    ide::Piix3Ide::Drives drives;
    auto made = std::make_unique<ata::AtapiDrive>(disc != nullptr ? disc->open() : nullptr,
                                                  guest.work(), ata::default_cd_identity(2));
    drive = made.get();
    drives[2] = std::move(made);
    if (slave != nullptr) {
      drives[3] =
          std::make_unique<ata::AtaDisk>(slave->open(), guest.work(), ata::default_identity(3));
    }
    controller.emplace(guest.pci(), guest.pio(), guest.irqs(), guest.memory(), std::move(drives));
    ide.enable();
  }
  rig::SimGuest guest;
  ata::AtapiDrive* drive = nullptr;
  std::optional<ide::Piix3Ide> controller;
  drivers::IdeDriver ide{guest, 1};
  drivers::AtapiDriver cd{ide};
};

/// 1000 blocks, a CD; what power-on left has been told.
struct OneCd {
  static constexpr std::uint32_t kBlocks = 1000;
  rig::ScriptedBlock disc{std::uint64_t{kBlocks} * 2048};
  CdMachine machine{&disc};
  rig::SimGuest& guest = machine.guest;
  drivers::IdeDriver& ide = machine.ide;
  drivers::AtapiDriver& cd = machine.cd;
  ata::AtapiDrive& drive = *machine.drive;
  using Sense = drivers::AtapiDriver::Sense;
  using Prd = drivers::IdeDriver::Prd;
  static drivers::AtapiDriver::Cdb cdb(std::initializer_list<unsigned> bytes) {
    return drivers::AtapiDriver::cdb(bytes);
  }
  OneCd() {
    disc.info.read_only = true;
    (void)cd.ready();
  }
  /// The image's bytes of some blocks.
  std::vector<std::uint8_t> blocks(std::uint32_t lba, std::uint32_t count) {
    stamp(disc, std::uint64_t{lba} * 4, std::uint64_t{count} * 4);
    const auto bytes = image(disc, std::uint64_t{lba} * 4, std::uint64_t{count} * 4);
    const auto* const first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return {first, first + bytes.size()};
  }
};

}  // namespace dm::test
