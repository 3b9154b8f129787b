// SPDX-License-Identifier: MIT
// A machine with everything in it that can be saved at any point and gone on with in a new one. The
// guest, its memory, its disks and the other ends of its cables stay.
#pragma once

#include "tests/drivers/atapi_driver.h"
#include "tests/drivers/ide_driver.h"
#include "tests/rig/same_bytes.h"
#include "tests/rig/scripted_net.h"
#include "tests/unit/ioreq/daemon/saved_machines.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dm::test {

/// The near end of a cable whose other end stays.
class BorrowedNet final : public NetBackend {
 public:
  explicit BorrowedNet(rig::ScriptedNet& real) noexcept : real_{real} {}
  ~BorrowedNet() override { real_.attach(nullptr); }
  void attach(NetClient* client) noexcept override { real_.attach(client); }
  [[nodiscard]] std::size_t most_segments() const noexcept override {
    return real_.most_segments();
  }
  SendStatus send(const NetOffload& offload,
                  std::span<const std::span<std::byte>> frame) noexcept override {
    return real_.send(offload, frame);
  }
  Received receive(NetOffload& offload,
                   std::span<const std::span<std::byte>> pieces) noexcept override {
    return real_.receive(offload, pieces);
  }
  void want_receive(bool on) noexcept override { real_.want_receive(on); }
  void accept_offloads(bool checksum, bool gso) noexcept override {
    real_.accept_offloads(checksum, gso);
  }
  void set_promiscuous(bool on) noexcept override { real_.set_promiscuous(on); }
  [[nodiscard]] bool link_up() const noexcept override { return real_.link_up(); }
  [[nodiscard]] const Counters& counters() const noexcept override { return real_.counters(); }
  [[nodiscard]] std::string_view name() const noexcept override { return "borrowed"; }

 private:
  rig::ScriptedNet& real_;
};

class MovingPc final : public SimHost {
 public:
  static constexpr std::uint16_t kBusMaster = 0xc100;
  static constexpr PciBdf kCard{4, 0};
  static constexpr std::uint32_t kCardRegisters = 0xf2020000;

  MovingPc() : SimHost{6} { build(); }

  /// Called after each request of the guest, and after each unit of work that changed something.
  std::function<void()> at_point = [] {};

  using GuestInstructions::send;
  std::uint64_t send(const rig::RawRequest& request, unsigned vcpu) override {
    rig::fill_slot(port.slots(), request, vcpu);
    BOOST_TEST_REQUIRE(machine->poller().turn());
    const std::uint64_t answer = rig::take_answer(port.slots(), vcpu);
    at_point();
    work();
    return answer;
  }
  /// What the devices have put off, unit by unit. After each save they look again at all that they
  /// have, so a unit that changes nothing is no point.
  void work() {
    constexpr int kMostUnits = 400;
    for (int unit = 0; unit < kMostUnits && !machine->work().empty(); ++unit) {
      const auto before = states();
      BOOST_TEST_REQUIRE(machine->poller().turn());
      if (states() != before) {
        at_point();
      }
    }
    BOOST_TEST_REQUIRE(machine->work().empty());
  }

  void pass(GuestClock::duration by) {
    clock.advance(by);
    constexpr int kTurns = 20;
    for (int turn = 0; turn < kTurns; ++turn) {
      BOOST_TEST_REQUIRE(machine->poller().turn());
    }
    at_point();
    work();
  }

  [[nodiscard]] std::vector<std::byte> save() {
    machine->pause();
    auto bytes = machine->save();
    machine->resume();
    return bytes;
  }
  /// The machine goes; a new one goes on from the bytes, which it would save again as they are.
  void go_on_from(std::span<const std::byte> bytes) {
    replace(bytes);
    BOOST_TEST_REQUIRE(rig::same(machine->save(), bytes));
    machine->resume();
  }
  /// The same with bytes that an older program has saved: they may lack fields.
  void go_on_from_older(std::span<const std::byte> bytes) {
    replace(bytes);
    machine->resume();
  }

  [[nodiscard]] std::uint32_t card(std::uint32_t reg) {
    return static_cast<std::uint32_t>(mmio_read(kCardRegisters + reg, 4));
  }
  void card(std::uint32_t reg, std::uint32_t value) { mmio_write(kCardRegisters + reg, 4, value); }
  [[nodiscard]] std::span<std::byte> ram() { return memory.ram(); }

  std::array<rig::ScriptedBlock, 4> disks{
      rig::ScriptedBlock{std::uint64_t{64} << 20}, rig::ScriptedBlock{std::uint64_t{8} << 20},
      rig::ScriptedBlock{std::uint64_t{8} << 20}, rig::ScriptedBlock{std::uint64_t{1} << 20}};
  std::array<ScriptedChardev, 4> lines;
  std::array<rig::ScriptedNet, 2> cables;
  std::unique_ptr<Machine> machine;

  drivers::IdeDriver ide0{*this, memory.ram(), irqs, 0, kBusMaster};
  drivers::IdeDriver ide1{*this, memory.ram(), irqs, 1, kBusMaster};
  drivers::AtapiDriver cd{ide1, 1};

 private:
  [[nodiscard]] std::vector<std::vector<std::byte>> states() const {
    std::vector<std::vector<std::byte>> all;
    for (const auto& device : machine->devices()) {
      all.push_back(device->save());
    }
    return all;
  }
  /// Paused when it returns.
  void replace(std::span<const std::byte> bytes) {
    machine->pause();
    const sim::SimIrqs::Saved levels = irqs.save();  // Xen saves and restores its own side
    machine.reset();
    build();
    irqs.restore(levels);
    machine->pause();
    const auto loaded = machine->load(bytes);
    BOOST_TEST_REQUIRE(loaded.has_value(), (loaded ? "" : loaded.error().message));
  }
  void build() {
    const MachineConfig config = everything();
    Backends backends;
    for (std::size_t i = 0; i < disks.size(); ++i) {
      backends.disks[i] = disks[i].open();
      backends.serial[i] = std::make_unique<BorrowedChardev>(lines[i], "line");
    }
    backends.cdroms.at(3) = true;
    for (rig::ScriptedNet& cable : cables) {
      backends.nics.push_back({.cable = std::make_unique<BorrowedNet>(cable), .rom = {}});
    }
    // No time passes: else a turn that took long does two units, and points come together.
    machine = make(config, std::move(backends),
                   {.mode = ioreq::SpinPolicy::Mode::off,
                    .now = []() noexcept { return std::chrono::steady_clock::time_point{}; }});
  }
  [[nodiscard]] ioreq::Poller& poller() override { return machine->poller(); }
};

}  // namespace dm::test
