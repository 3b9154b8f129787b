// SPDX-License-Identifier: MIT
// The product's machine with everything in it, on the simulated host, together with its management
// side: disks whose completions the test controls, four serial ports, S3.
#pragma once

#include "core/ports/clock_switch.h"
#include "core/ports/disc_image.h"
#include "ioreq/machine/control.h"
#include "tests/drivers/ide_driver.h"
#include "tests/rig/boot_files.h"
#include "tests/rig/scripted_block.h"
#include "tests/rig/scripted_chardev.h"
#include "tests/rig/scripted_net.h"
#include "tests/unit/ioreq/daemon/sim_host.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// The guest's time as Control switches it.
struct SwitchedClock final : ClockSwitch {
  void pause() noexcept override { running = false; }
  void resume() noexcept override { running = true; }
  bool running = true;
};

/// The process around the machine, which remembers what it was told.
struct ScriptedProcess : ControlHost {
  [[nodiscard]] bool launch() noexcept override {
    ++launches;
    return launches_well;
  }
  void quit() noexcept override { ++quits; }
  void wake() noexcept override { ++wakes; }
  [[nodiscard]] bool pause_others() noexcept override {
    others_run = false;
    return others_durable;
  }
  void resume_others() noexcept override { others_run = true; }
  [[nodiscard]] bool hand_over_others() noexcept override {
    others_here = others_stay;
    return !others_stay;
  }
  void take_back_others() noexcept override { others_here = true; }
  unsigned launches = 0;
  bool launches_well = true;
  unsigned quits = 0;
  unsigned wakes = 0;
  bool others_run = true;
  bool others_durable = true;
  bool others_here = true;   ///< not handed over
  bool others_stay = false;  ///< cannot be
};

inline NicConfig nic() {
  NicConfig made;
  made.id = "nic0";
  made.model = "e1000";
  made.mac = {0x00, 0x16, 0x3e, 0x12, 0x34, 0x56};
  return made;
}

inline MachineConfig six_vcpus() {
  MachineConfig config;
  config.vcpus_online = 2;
  config.vcpus_max = 6;
  return config;
}

inline MachineConfig with_a_card() {
  MachineConfig config = six_vcpus();
  config.nics.push_back(nic());
  return config;
}

/// Could each device have the state that it has? In a paused machine.
inline bool is_valid(const Machine& machine) {
  UnplugRequest gone;
  return std::ranges::all_of(machine.devices(), [&gone](const auto& device) {
    return device->check(device->save(), gone).has_value();
  });
}

class ManagedPc : public SimHost, public ScriptedProcess {
 public:
  static constexpr PciBdf kIde{1, 1};
  static constexpr PciBdf kPm{1, 3};
  static constexpr PciBdf kPlatform{2, 0};
  static constexpr std::uint16_t kBusMaster = 0xc100;
  static constexpr std::uint16_t kPlatformBar = 0xc000;

  // A network card's, where the configuration has one
  static constexpr PciBdf kCard{4, 0};
  static constexpr std::uint32_t kCardRegisters = 0xf2020000;

  explicit ManagedPc(MachineConfig machine_config = six_vcpus(),
                     std::span<const DeviceMaker> more = {},
                     const UnplugRequest& gone = {})
      : SimHost{6, more}, config{std::move(machine_config)} {
    Backends backends;
    for (const DiskConfig& disk : config.disks) {
      backends.cdroms.at(disk.index) = disk.cdrom;
    }
    for (std::size_t i = 0; i < disks.size(); ++i) {
      if (backends.cdroms[i] || !gone.takes_disk(i)) {
        backends.disks[i] = disks[i].open();
      }
      auto line = std::make_unique<ScriptedChardev>();
      lines[i] = line.get();
      backends.serial[i] = std::move(line);
    }
    for (std::size_t i = 0; i < config.nics.size(); ++i) {
      auto cable = std::make_unique<rig::ScriptedNet>();
      cables.push_back(cable.get());
      backends.nics.push_back({.cable = std::move(cable), .rom = {}});
    }
    if (config.kernel) {
      backends.boot = rig::make_boot(100'000, 70'000);
    }
    machine = make(config, std::move(backends));
    control = std::make_unique<Control>(config, *machine, guest_time, dirty, *this);
  }
  /// other_disc, unless its name is /missing.
  class Image final : public DiscImage {
   public:
    Image(ManagedPc& pc, std::string name) : pc_{pc}, name_{std::move(name)} {}
    void open(Opened opened) override {
      pc_.opening = [&pc = pc_, name = name_, opened = std::move(opened)] {
        if (name == "/missing") {
          opened(Error{"disk /missing: cannot find it"});
        } else {
          opened(pc.other_disc.open());
        }
      };
      if (!pc_.slow_opening) {
        pc_.opening();
      }
    }

   private:
    ManagedPc& pc_;
    std::string name_;
  };
  [[nodiscard]] std::unique_ptr<DiscImage> image(std::string name) {
    return std::make_unique<Image>(*this, std::move(name));
  }
  [[nodiscard]] bool asleep() noexcept override { return domain.suspends() > wakes; }
  /// The answer, if it is there when the call returns.
  std::optional<Result<DiscChange>> insert(std::string_view drive, const std::string& name) {
    std::optional<Result<DiscChange>> answer;
    control->insert(drive, image(name),
                    [&answer](Result<DiscChange> given) { answer = std::move(given); });
    return answer;
  }

  /// What hvmloader sets up and these tests need.
  void firmware() {
    config_write(kPm, 0x40, 4, 0xb001);
    config_write(kPm, 0x80, 1, 1);
    outb(0xb2, 0xf1);
    ide0.enable(0x0005);
    config_write(kPlatform, 0x10, 4, kPlatformBar);
    config_write(kPlatform, 0x04, 2, 0x0001);
    config_write(kCard, 0x10, 4, kCardRegisters);
    config_write(kCard, 0x04, 2, 0x0006);
  }
  /// A command for `sectors` sectors from `lba` on, primary channel.
  void ide_command(unsigned unit, std::uint8_t opcode, std::uint32_t lba, std::uint8_t sectors) {
    ide0.lba28(unit, lba, sectors);
    ide0.command(opcode);
  }
  /// READ DMA (C8h) or WRITE DMA (CAh) with one region; the table is at 1000h.
  void ide_dma(std::uint8_t opcode, std::uint32_t lba, std::uint8_t sectors, std::uint32_t gpa) {
    using D = drivers::IdeDriver;
    const D::Prd region{gpa, sectors * 512U};
    ide0.prepare_dma({&region, 1}, 0x1000);
    ide_command(0, opcode, lba, sectors);
    ide0.bm_command(opcode == 0xc8 ? D::START | D::TO_MEMORY : D::START);
  }

  [[nodiscard]] std::uint32_t card(std::uint32_t reg) {
    return static_cast<std::uint32_t>(mmio_read(kCardRegisters + reg, 4));
  }
  void card(std::uint32_t reg, std::uint32_t value) { mmio_write(kCardRegisters + reg, 4, value); }
  /// Both rings at the given places, buffers of 2 KiB from `buffer` on, both directions on, every
  /// interrupt unmasked (8254x SDM, 14.4 and 14.5).
  void open_card(std::uint32_t rx_ring, std::uint32_t tx_ring, std::uint32_t buffer) {
    constexpr std::uint32_t kCount = 8;
    std::memset(memory.ram().data() + rx_ring, 0, kCount * 16);
    for (std::uint32_t i = 0; i < kCount; ++i) {
      const std::uint64_t at = buffer + i * 2048U;
      std::memcpy(memory.ram().data() + rx_ring + i * 16, &at, sizeof at);
    }
    card(0x0000, 0x00000240);  // CTRL: SLU, 1000 Mb/s
    card(0x2800, rx_ring);     // RDBAL, RDLEN, RDH
    card(0x2808, kCount * 16);
    card(0x2810, 0);
    card(0x3800, tx_ring);  // TDBAL, TDLEN, TDH, TDT
    card(0x3808, kCount * 16);
    card(0x3810, 0);
    card(0x3818, 0);
    (void)card(0x00c0);        // ICR
    card(0x00d0, 0x0000009d);  // IMS: TXDW, LSC, RXSEQ, RXDMT0, RXT0
    card(0x0100, 0x0000801a);  // RCTL: EN, UPE, MPE, BAM
    card(0x0400, 0x0000000a);  // TCTL: EN, PSP
    card(0x2818, kCount - 1);  // RDT
  }

  // The guest's drivers of both channels.
  drivers::IdeDriver ide0{*this, memory.ram(), irqs, 0, kBusMaster};
  drivers::IdeDriver ide1{*this, memory.ram(), irqs, 1, kBusMaster};

  MachineConfig config;
  SwitchedClock guest_time;
  DirtyPages dirty;
  std::array<rig::ScriptedBlock, 4> disks{
      rig::ScriptedBlock{std::uint64_t{64} << 20}, rig::ScriptedBlock{std::uint64_t{8} << 20},
      rig::ScriptedBlock{std::uint64_t{8} << 20}, rig::ScriptedBlock{std::uint64_t{8} << 20}};
  rig::ScriptedBlock other_disc{std::uint64_t{1} << 20};
  bool slow_opening = false;  ///< an inserted image is open when the test calls:
  std::function<void()> opening;
  std::array<ScriptedChardev*, 4> lines{};
  std::vector<rig::ScriptedNet*> cables;
  std::unique_ptr<Machine> machine;
  std::unique_ptr<Control> control;

 private:
  [[nodiscard]] ioreq::Poller& poller() override { return machine->poller(); }
};

}  // namespace dm::test
