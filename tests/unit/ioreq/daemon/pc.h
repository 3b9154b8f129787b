// SPDX-License-Identifier: MIT
#pragma once

#include "ioreq/daemon/machine.h"
#include "platform/sim/sim_platform.h"
#include "tests/rig/guest_instructions.h"
#include "tests/rig/scripted_block.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/// The PC of the product on the simulated host.
namespace dm::test {

struct QuietLoop final : EventLoop {
  bool wait(std::optional<std::chrono::nanoseconds> /*timeout*/) noexcept override { return false; }
  void poll() noexcept override {}
};

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
  [[nodiscard]] std::string_view description() const noexcept override { return "test"; }
};

class Pc : public rig::GuestInstructions {
 public:
  explicit Pc(MachineConfig config = {}) : config_{std::move(config)} {
    Backends backends;
    for (std::size_t i = 0; i < disks.size(); ++i) {
      if (disks[i] != nullptr) {
        backends.disks[i] = disks[i]->open();
      }
    }
    backends.serial[0] = std::make_unique<Terminal>(terminal);
    const MachineHost host{.claims = claims,
                           .irqs = irqs,
                           .memory = memory,
                           .ioreq = port,
                           .domain = domain,
                           .clock = clock,
                           .events = loop};
    auto made =
        Machine::create(config_, host, std::move(backends), {.mode = ioreq::SpinPolicy::Mode::off});
    BOOST_TEST_REQUIRE(made.has_value());
    machine = std::move(*made);
  }

  using GuestInstructions::send;
  std::uint64_t send(const rig::RawRequest& request, unsigned vcpu) override {
    rig::fill_slot(port.slots(), request, vcpu);
    for (int turn = 0; turn < 20; ++turn) {  // the request, then what the devices have put off
      BOOST_TEST_REQUIRE(machine->poller().turn());
    }
    return rig::take_answer(port.slots(), vcpu);
  }

  sim::SimClaims claims;
  sim::SimIrqs irqs;
  sim::SimMemory memory{std::size_t{8} << 20};
  sim::SimIoreqPort port{2};
  sim::SimDomain domain;
  sim::SimClock clock;
  QuietLoop loop;
  std::string terminal;
  std::array<std::unique_ptr<rig::ScriptedBlock>, 4> disks = [] {
    std::array<std::unique_ptr<rig::ScriptedBlock>, 4> made;
    made[0] = std::make_unique<rig::ScriptedBlock>(std::uint64_t{64} << 20);
    made[2] = std::make_unique<rig::ScriptedBlock>(std::uint64_t{8} << 20);
    return made;
  }();
  std::unique_ptr<Machine> machine;

 private:
  MachineConfig config_;
};

/// A command to the primary master, LBA28, one sector.
inline void ide_command(Pc& pc, std::uint8_t opcode, std::uint32_t lba) {
  pc.outb(0x1f6, static_cast<std::uint8_t>(0xe0 | (lba >> 24 & 0xf)));
  pc.outb(0x1f2, 1);
  pc.outb(0x1f3, static_cast<std::uint8_t>(lba));
  pc.outb(0x1f4, static_cast<std::uint8_t>(lba >> 8));
  pc.outb(0x1f5, static_cast<std::uint8_t>(lba >> 16));
  pc.outb(0x1f7, opcode);
}

}  // namespace dm::test
