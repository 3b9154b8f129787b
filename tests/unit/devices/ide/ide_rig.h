// SPDX-License-Identifier: MIT
#pragma once

#include "devices/ata/ata_disk.h"
#include "devices/ide/piix3_ide.h"
#include "tests/drivers/ide_driver.h"
#include "tests/rig/same_bytes.h"
#include "tests/rig/scripted_block.h"
#include "tests/rig/sim_guest.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace dm::test {

using rig::same;
using Prd = drivers::IdeDriver::Prd;

/// Where a guest has the data of its DMA commands.
inline constexpr std::uint32_t kBuffer = 0x200000;

/// A guest with an IDE function. Disks are given by position; the usual machine has one of 64 MiB
/// as primary master.
struct IdeMachine {
  using Disks = std::array<rig::ScriptedBlock*, 4>;

  explicit IdeMachine(Disks disks, rig::SimGuest::Options options = {}) : guest{options} {
    ide::Piix3Ide::Drives drives;
    for (unsigned i = 0; i < 4; ++i) {
      if (disks[i] != nullptr) {
        drives[i] = std::make_unique<ata::AtaDisk>(disks[i]->open(), guest.work(),
                                                   ata::default_identity(i));
      }
    }
    controller.emplace(guest.pci(), guest.pio(), guest.irqs(), guest.memory(), std::move(drives));
  }

  [[nodiscard]] const ata::AtaDisk& disk_at(unsigned position) {
    return dynamic_cast<const ata::AtaDisk&>(*controller->drive(position));
  }

  rig::SimGuest guest;
  std::optional<ide::Piix3Ide> controller;
  drivers::IdeDriver ide0{guest, 0};
  drivers::IdeDriver ide1{guest, 1};
};

struct OneDisk {
  static constexpr std::uint64_t kSectors = 131072;
  rig::ScriptedBlock disk{kSectors * 512};
  IdeMachine machine{{&disk, nullptr, nullptr, nullptr}};
  rig::SimGuest& guest = machine.guest;
  drivers::IdeDriver& ide = machine.ide0;
  OneDisk() { ide.enable(); }
};

struct TwoDisks {
  static constexpr std::uint64_t kSectors = 131072;
  rig::ScriptedBlock disk{kSectors * 512};
  rig::ScriptedBlock slave{kSectors * 512};
  IdeMachine machine{{&disk, &slave, nullptr, nullptr}};
  rig::SimGuest& guest = machine.guest;
  drivers::IdeDriver& ide = machine.ide0;
  TwoDisks() { ide.enable(); }
};

/// Regions of 64 KiB, one behind the other, from kBuffer on; they begin again after 8 MiB.
inline std::vector<Prd> regions(std::size_t count) {
  std::vector<Prd> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back({static_cast<std::uint32_t>(kBuffer + i % 128 * 65536), 65536});
  }
  return out;
}

/// A guest of so much memory that each region of edges() has two windows of its own, more than are
/// kept mapped.
inline constexpr std::uint64_t kWindow = std::uint64_t{2} << 20;
inline constexpr rig::SimGuest::Options kManyWindows{.ram = 1210 * kWindow,
                                                     .limits = {.windows = 600}};
/// Regions of `bytes` that each lie across the edge of two windows.
inline std::vector<Prd> edges(std::size_t count, std::uint32_t bytes) {
  std::vector<Prd> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto edge = static_cast<std::uint32_t>((2 + i % 600 * 2) * kWindow);
    out.push_back({edge - bytes / 2, bytes});
  }
  return out;
}

/// `sectors` patterns in a row, as stamp() leaves them.
inline std::vector<std::byte> patterns(std::uint64_t lba,
                                       std::uint64_t sectors,
                                       std::uint64_t salt = 0) {
  std::vector<std::byte> out;
  for (std::uint64_t i = 0; i < sectors; ++i) {
    const auto one = rig::ScriptedBlock::pattern(lba + i, salt);
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}
/// What a test writes over them.
inline std::vector<std::byte> salted(std::uint64_t lba, std::uint64_t sectors) {
  return patterns(lba, sectors, 7);
}
inline void stamp(rig::ScriptedBlock& disk, std::uint64_t lba, std::uint64_t sectors) {
  for (std::uint64_t i = 0; i < sectors; ++i) {
    disk.stamp(lba + i);
  }
}
inline std::vector<std::byte> image(const rig::ScriptedBlock& disk,
                                    std::uint64_t lba,
                                    std::uint64_t sectors) {
  std::vector<std::byte> out(sectors * 512);
  disk.read(lba * 512, out);
  return out;
}
inline std::vector<std::byte> memory(rig::SimGuest& guest, std::uint64_t gpa, std::size_t bytes) {
  const auto from = guest.ram().subspan(gpa, bytes);
  return {from.begin(), from.end()};
}
inline void put_memory(rig::SimGuest& guest, std::uint64_t gpa, std::span<const std::byte> from) {
  std::memcpy(guest.ram().subspan(gpa, from.size()).data(), from.data(), from.size());
}

}  // namespace dm::test
