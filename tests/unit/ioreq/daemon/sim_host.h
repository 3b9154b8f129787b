// SPDX-License-Identifier: MIT
#pragma once

#include "ioreq/machine/machine.h"
#include "platform/sim/sim_platform.h"
#include "platform/sim/sim_video.h"
#include "tests/rig/guest_instructions.h"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace dm::test {

struct QuietLoop final : EventLoop {
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept override {
    asked_for = timeout;
    return false;
  }
  void poll() noexcept override {}
  std::optional<std::chrono::nanoseconds> asked_for;  ///< of the last sleep
};

/// The simulated host of one of the product's machines, which a test makes on it, and the
/// instructions of its guest. Whoever derives declares the machine behind its disks: it goes before
/// everything that it stands on.
class SimHost : public rig::GuestInstructions {
 public:
  explicit SimHost(unsigned vcpus, std::span<const DeviceMaker> more = {})
      : port{vcpus}, more_devices{more} {}

  using GuestInstructions::send;
  std::uint64_t send(const rig::RawRequest& request, unsigned vcpu) override {
    rig::fill_slot(port.slots(), request, vcpu);
    settle();
    return rig::take_answer(port.slots(), vcpu);
  }
  /// The request, then what the devices have put off.
  void settle() {
    for (int turn = 0; turn < 20; ++turn) {
      BOOST_TEST_REQUIRE(poller().turn());
    }
  }

  [[nodiscard]] MachineHost host(IoClaims& with) {
    return {.claims = with,
            .irqs = irqs,
            .memory = memory,
            .ioreq = port,
            .domain = domain,
            .clock = clock,
            .events = loop,
            .video = video ? &*video : nullptr,
            .more_devices = more_devices};
  }
  /// A machine that sleeps at once when there is nothing to do.
  [[nodiscard]] std::unique_ptr<Machine> make(const MachineConfig& config,
                                              Backends backends,
                                              const ioreq::SpinPolicy& spin = {
                                                  .mode = ioreq::SpinPolicy::Mode::off}) {
    if (config.vga) {
      video.emplace(std::size_t{config.vga->memory_mib} << 20U);
    }
    auto made = Machine::create(config, host(claims), std::move(backends), spin);
    return std::move(made).value();  // throws where there is none
  }

  sim::SimClaims claims;
  sim::SimIrqs irqs;
  sim::SimMemory memory{std::size_t{8} << 20};
  sim::SimIoreqPort port;
  sim::SimDomain domain;
  sim::SimClock clock;
  QuietLoop loop;
  std::optional<sim::SimVideoMemory> video;  ///< where the configuration has a graphics card
  std::span<const DeviceMaker> more_devices;

 private:
  [[nodiscard]] virtual ioreq::Poller& poller() = 0;
};

}  // namespace dm::test
