// SPDX-License-Identifier: MIT
// The machines of which saved states are kept in saved_state_1/ and the like, each made by a
// program of its time (core/state/README.md). What they do before they are saved must never change:
// the files cannot be made again.
#pragma once

#include "tests/unit/ioreq/daemon/pc_rig.h"

#include <cstddef>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dm::test {

/// Every kind of device: disks, a CD-ROM drive, four serial ports, two network cards.
inline MachineConfig everything() {
  MachineConfig config = with_a_card();
  config.nics.push_back(nic());
  config.nics[1].id = "nic1";
  DiskConfig& cd = config.disks.emplace_back();
  cd.index = 3;
  cd.cdrom = true;
  return config;
}

inline MachineConfig without_acpi() {
  MachineConfig config = everything();
  config.acpi = false;
  return config;
}

/// Throws when the file is not there, or empty.
inline std::vector<std::byte> read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  const std::vector<char> text{std::istreambuf_iterator<char>{file}, {}};
  if (text.empty()) {
    throw std::runtime_error("nothing in " + path);
  }
  const auto bytes = std::as_bytes(std::span{text});
  return {bytes.begin(), bytes.end()};
}

/// A file that is kept here: "saved_state_1/full".
inline std::vector<std::byte> kept_state(const std::string& name) {
  return read_file(DM_KEPT_STATES "/" + name);
}

class SavedPc : public ManagedPc {
 public:
  explicit SavedPc(MachineConfig machine_config = everything(),
                   std::span<const DeviceMaker> more = {},
                   const UnplugRequest& gone = {})
      : ManagedPc{std::move(machine_config), more, gone} {}

  /// Something is going on in every chip.
  void live() {
    firmware();
    open_card(0x20000, 0x30000, 0x400000);
    cables[0]->arrive(rig::Bytes(60, std::byte{0xff}));
    settle();
    const std::uint64_t packet[2]{0x300000, 100 | 0x0aU << 24U};  // IFCS, RS; its end is to come
    std::memcpy(memory.ram().data() + 0x30000, packet, sizeof packet);
    card(0x3818, 1);           // TDT
    card(0x0020, 0x08210000);  // MDIC: a read of the PHY's status
    disks[0].stamp(7);
    ide_command(0, 0x20, 7, 1);  // READ SECTORS, taken in half
    rep_ins(0x1f0, 2, 0x10000, 100);
    ide1.select(1);
    ide1.command(0xa1);                // the CD-ROM drive: IDENTIFY PACKET DEVICE
    config_write({1, 0}, 0x60, 1, 5);  // PIRQA
    outb(0x70, 0x34);                  // CMOS
    outb(0x71, 0x12);
    outb(0x64, 0xaa);  // 8042: self-test
    constexpr std::array<std::uint16_t, 4> kCom{0x3f8, 0x2f8, 0x3e8, 0x2e8};
    for (const std::uint16_t base : kCom) {
      outb(static_cast<std::uint16_t>(base + 3), 0x1b);
      outb(static_cast<std::uint16_t>(base + 7), static_cast<std::uint8_t>(base >> 2U));
      outb(static_cast<std::uint16_t>(base + 1), 0x05);
    }
    outl(0xcf8, 0x80000800);
    outb(0x10, 1);  // the ROM lock
  }
};

}  // namespace dm::test
