// SPDX-License-Identifier: MIT
#pragma once

#include "core/state/describe.h"
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
#include <cstring>
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

/// The usual machine, and what most tests of DMA do to it.
struct OneDisk {
  static constexpr std::uint64_t kSectors = 131072;
  rig::ScriptedBlock disk{kSectors * 512};
  IdeMachine machine;
  rig::SimGuest& guest = machine.guest;
  drivers::IdeDriver& ide = machine.ide0;
  OneDisk() : OneDisk{nullptr} {}

  /// READ DMA to kBuffer is given. It waits for the bus master.
  void give_read(std::uint32_t lba, unsigned sectors) {
    const Prd prd{kBuffer, sectors * 512};
    ide.prepare_dma({&prd, 1});
    ide.lba28(0, lba, sectors);
    ide.command(drivers::IdeDriver::READ_DMA);
  }
  void start_read(std::uint32_t lba, unsigned sectors) {
    give_read(lba, sectors);
    ide.bm_command(drivers::IdeDriver::START | drivers::IdeDriver::TO_MEMORY);
  }

 protected:
  explicit OneDisk(rig::ScriptedBlock* slave) : machine{{&disk, slave, nullptr, nullptr}} {
    ide.enable();
  }
};

struct Slave {
  rig::ScriptedBlock slave{OneDisk::kSectors * 512};
};
struct TwoDisks : Slave, OneDisk {
  TwoDisks() : OneDisk{&slave} {}
};

/// What a machine's controller is saved as. It is paused afterwards.
template <class Machine>
[[nodiscard]] std::vector<std::byte> save(Machine& m) {
  m.controller->pause();
  auto snapshot = m.controller->state();
  return state::save(snapshot);
}
template <class Machine>
[[nodiscard]] bool load(Machine& m, std::span<const std::byte> bytes) {
  ide::ControllerState loaded;
  return state::load(bytes, loaded) && m.controller->restore(loaded);
}
/// Controller and memory go on in `to`, which is saved as the same bytes.
template <class Machine>
void carry_over(Machine& from, Machine& to) {
  const auto bytes = save(from);
  BOOST_TEST_REQUIRE(load(to, bytes));
  BOOST_TEST((save(to) == bytes));
  std::memcpy(to.guest.ram().data(), from.guest.ram().data(), to.guest.ram().size());
}

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
