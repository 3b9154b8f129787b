// SPDX-License-Identifier: MIT
// The product's machine with everything in it, on the simulated host, together with its management
// side: disks whose completions the test controls, four serial ports, S3.
#pragma once

#include "ioreq/daemon/control.h"
#include "ioreq/daemon/machine.h"
#include "platform/sim/sim_platform.h"
#include "tests/rig/guest_instructions.h"
#include "tests/rig/scripted_block.h"
#include "tests/rig/scripted_chardev.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <set>
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

class ManagedPc : public rig::GuestInstructions {
 public:
  static constexpr PciBdf kIde{1, 1};
  static constexpr PciBdf kPm{1, 3};
  static constexpr PciBdf kPlatform{2, 0};
  static constexpr std::uint16_t kBusMaster = 0xc100;
  static constexpr std::uint16_t kPlatformBar = 0xc000;

  explicit ManagedPc(MachineConfig machine_config = six_vcpus())
      : config{std::move(machine_config)} {
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
    auto made = Machine::create(config,
                                {.claims = claims,
                                 .irqs = irqs,
                                 .memory = memory,
                                 .ioreq = port,
                                 .domain = domain,
                                 .clock = clock,
                                 .events = loop},
                                std::move(backends), {.mode = ioreq::SpinPolicy::Mode::off});
    BOOST_TEST_REQUIRE(made.has_value());
    machine = std::move(*made);
    control = std::make_unique<Control>(
        config, *machine, host_clock, dirty,
        Control::Actions{
            .launch = [] { return true; },
            .quit = [] {},
            .asleep = [this] { return domain.suspends() > wakes; },
            .wake = [this] { ++wakes; },
            .open_disc = [this](const std::string& name, const host::UniqueFd& /*fd*/,
                                ImageFormat /*format*/) -> Result<std::unique_ptr<BlockBackend>> {
              if (name == "/missing") {
                return Error{"disk /missing: cannot find it"};
              }
              return other_disc.open();
            }});
  }

  using GuestInstructions::send;
  std::uint64_t send(const rig::RawRequest& request, unsigned vcpu) override {
    rig::fill_slot(port.slots(), request, vcpu);
    settle();
    return rig::take_answer(port.slots(), vcpu);
  }
  /// The request, then what the devices have put off.
  void settle() {
    for (int turn = 0; turn < 20; ++turn) {
      BOOST_TEST_REQUIRE(machine->poller().turn());
    }
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

  struct QuietLoop final : EventLoop {
    bool wait(std::optional<std::chrono::nanoseconds> /*timeout*/) noexcept override {
      return false;
    }
    void poll() noexcept override {}
  };

  MachineConfig config;
  sim::SimClaims claims;
  sim::SimIrqs irqs;
  sim::SimMemory memory{std::size_t{8} << 20};
  sim::SimIoreqPort port{6};
  sim::SimDomain domain;
  sim::SimClock clock;
  host::HostClock host_clock;
  QuietLoop loop;
  DirtyPages dirty;
  unsigned wakes = 0;
  std::array<rig::ScriptedBlock, 4> disks{
      rig::ScriptedBlock{std::uint64_t{64} << 20}, rig::ScriptedBlock{std::uint64_t{8} << 20},
      rig::ScriptedBlock{std::uint64_t{8} << 20}, rig::ScriptedBlock{std::uint64_t{8} << 20}};
  rig::ScriptedBlock other_disc{std::uint64_t{1} << 20};
  std::array<ScriptedChardev*, 4> lines{};
  std::unique_ptr<Machine> machine;
  std::unique_ptr<Control> control;
};

}  // namespace dm::test
