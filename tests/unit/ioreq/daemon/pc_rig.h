// SPDX-License-Identifier: MIT
// The product's machine with everything in it, on the simulated host, together with its management
// side: disks whose completions the test controls, four serial ports, S3.
#pragma once

#include "ioreq/daemon/control.h"
#include "tests/rig/scripted_block.h"
#include "tests/rig/scripted_chardev.h"
#include "tests/unit/ioreq/daemon/sim_host.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace dm::test {

struct DirtyPages final : DirtySink {
  void written(std::uint64_t first_gfn, std::uint64_t pages) noexcept override {
    for (std::uint64_t i = 0; i < pages; ++i) {
      waiting.insert(first_gfn + i);
    }
  }
  void flush() noexcept override {
    ++flushes;
    told.merge(waiting);
    waiting.clear();
  }
  std::set<std::uint64_t> waiting;
  std::set<std::uint64_t> told;
  int flushes = 0;
};

inline MachineConfig six_vcpus() {
  MachineConfig config;
  config.vcpus_online = 2;
  config.vcpus_max = 6;
  return config;
}

class ManagedPc : public SimHost {
 public:
  static constexpr PciBdf kIde{1, 1};
  static constexpr PciBdf kPm{1, 3};
  static constexpr PciBdf kPlatform{2, 0};
  static constexpr std::uint16_t kBusMaster = 0xc100;
  static constexpr std::uint16_t kPlatformBar = 0xc000;

  explicit ManagedPc(MachineConfig machine_config = six_vcpus())
      : SimHost{6}, config{std::move(machine_config)} {
    Backends backends;
    for (std::size_t i = 0; i < disks.size(); ++i) {
      backends.disks[i] = disks[i].open();
      auto line = std::make_unique<ScriptedChardev>();
      lines[i] = line.get();
      backends.serial[i] = std::move(line);
    }
    for (const DiskConfig& disk : config.disks) {
      backends.cdroms.at(disk.index) = disk.cdrom;
    }
    machine = make(config, std::move(backends));
    control = std::make_unique<Control>(
        config, *machine, host_clock, dirty,
        Control::Actions{
            .launch = [] { return true; },
            .quit = [] {},
            .asleep = [this] { return domain.suspends() > wakes; },
            .wake = [this] { ++wakes; },
            .open_disc =
                [this](const std::string& name, const host::UniqueFd& /*fd*/,
                       ImageFormat /*format*/, const Control::Actions::Opened& opened) {
                  opening = [this, name, opened] {
                    if (name == "/missing") {
                      opened(Error{"disk /missing: cannot find it"});
                    } else {
                      opened(other_disc.open());
                    }
                  };
                  if (!slow_opening) {
                    opening();
                  }
                }});
  }
  /// The answer, if it is there when the call returns.
  std::optional<Result<DiscChange>> insert(std::string_view drive, const std::string& name) {
    std::optional<Result<DiscChange>> answer;
    control->insert(drive, name, -1, ImageFormat::raw,
                    [&answer](Result<DiscChange> given) { answer = std::move(given); });
    return answer;
  }

  /// What hvmloader sets up and these tests need.
  void firmware() {
    config_write(kPm, 0x40, 4, 0xb001);
    config_write(kPm, 0x80, 1, 1);
    outb(0xb2, 0xf1);
    config_write(kIde, 0x20, 4, kBusMaster);
    config_write(kIde, 0x04, 2, 0x0005);
    config_write(kPlatform, 0x10, 4, kPlatformBar);
    config_write(kPlatform, 0x04, 2, 0x0001);
  }
  /// A command for `sectors` sectors from `lba` on, primary channel.
  void ide_command(unsigned unit, std::uint8_t opcode, std::uint32_t lba, std::uint8_t sectors) {
    outb(0x1f6, static_cast<std::uint8_t>(0xe0U | unit << 4U));
    outb(0x1f2, sectors);
    outb(0x1f3, static_cast<std::uint8_t>(lba));
    outb(0x1f4, static_cast<std::uint8_t>(lba >> 8U));
    outb(0x1f5, static_cast<std::uint8_t>(lba >> 16U));
    outb(0x1f7, opcode);
  }
  /// READ DMA (C8h) or WRITE DMA (CAh) with one region; the table is at 1000h.
  void ide_dma(std::uint8_t opcode, std::uint32_t lba, std::uint8_t sectors, std::uint32_t gpa) {
    const std::uint32_t table[2]{gpa, 0x80000000U | sectors * 512U};
    std::memcpy(memory.ram().data() + 0x1000, table, sizeof table);
    outb(kBusMaster, 0x00);
    outl(kBusMaster + 4, 0x1000);
    ide_command(0, opcode, lba, sectors);
    outb(kBusMaster, opcode == 0xc8 ? 0x09 : 0x01);
  }

  MachineConfig config;
  host::HostClock host_clock;
  DirtyPages dirty;
  unsigned wakes = 0;
  std::array<rig::ScriptedBlock, 4> disks{
      rig::ScriptedBlock{std::uint64_t{64} << 20}, rig::ScriptedBlock{std::uint64_t{8} << 20},
      rig::ScriptedBlock{std::uint64_t{8} << 20}, rig::ScriptedBlock{std::uint64_t{8} << 20}};
  rig::ScriptedBlock other_disc{std::uint64_t{1} << 20};
  bool slow_opening = false;  ///< an inserted image is open when the test calls:
  std::function<void()> opening;
  std::array<ScriptedChardev*, 4> lines{};
  std::unique_ptr<Machine> machine;
  std::unique_ptr<Control> control;

 private:
  [[nodiscard]] ioreq::Poller& poller() override { return machine->poller(); }
};

}  // namespace dm::test
