// SPDX-License-Identifier: MIT
#pragma once

#include "tests/drivers/ata_driver.h"
#include "tests/rig/scripted_block.h"
#include "tests/unit/ioreq/daemon/sim_host.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/// The PC of the product on the simulated host.
namespace dm::test {

struct Terminal final : CharBackend {
  std::string& out;
  explicit Terminal(std::string& to) : out{to} {}
  void attach(CharClient* /*client*/) noexcept override {}
  std::size_t write(std::span<const std::byte> bytes) noexcept override {
    for (const std::byte b : bytes) {
      out += static_cast<char>(b);
    }
    return bytes.size();
  }
  std::size_t read(std::span<std::byte> /*to*/) noexcept override { return 0; }
  void set_break(bool /*on*/) noexcept override {}
  void set_line(std::uint32_t, std::uint8_t, std::uint8_t, char) noexcept override {}
  void set_outputs(bool, bool) noexcept override {}
  [[nodiscard]] Output output() const noexcept override { return {}; }
  [[nodiscard]] std::string_view description() const noexcept override { return "test"; }
};

class Pc final : public SimHost {
 public:
  explicit Pc(MachineConfig config = {}) : SimHost{2}, config_{std::move(config)} {
    Backends backends;
    for (std::size_t i = 0; i < disks.size(); ++i) {
      if (disks[i] != nullptr) {
        backends.disks[i] = disks[i]->open();
      }
    }
    backends.serial[0] = std::make_unique<Terminal>(terminal);
    machine = make(config_, std::move(backends));
  }

  std::string terminal;
  std::array<std::unique_ptr<rig::ScriptedBlock>, 4> disks = [] {
    std::array<std::unique_ptr<rig::ScriptedBlock>, 4> made;
    made[0] = std::make_unique<rig::ScriptedBlock>(std::uint64_t{64} << 20);
    made[2] = std::make_unique<rig::ScriptedBlock>(std::uint64_t{8} << 20);
    return made;
  }();
  std::unique_ptr<Machine> machine;
  /// The guest's, of the primary channel.
  drivers::AtaDriver ata{*this, memory.ram()};

 private:
  [[nodiscard]] ioreq::Poller& poller() override { return machine->poller(); }

  MachineConfig config_;
};

/// A command to the primary master, LBA28, one sector.
inline void ide_command(Pc& pc, std::uint8_t opcode, std::uint32_t lba) {
  pc.ata.lba28(0, lba, 1);
  pc.ata.command(opcode);
}

}  // namespace dm::test
