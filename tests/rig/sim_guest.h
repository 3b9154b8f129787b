// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/mmio_bus.h"
#include "core/io/pio_bus.h"
#include "core/irq/irq_line.h"
#include "core/mem/guest_memory.h"
#include "core/pci/pci_bus.h"
#include "core/time/timer.h"
#include "core/time/work.h"
#include "ioreq/dispatcher.h"
#include "ioreq/server.h"
#include "platform/sim/sim_platform.h"
#include "tests/rig/guest_instructions.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

namespace dm::rig {

/// A guest made of plain memory, joined to the real buses and the real dispatcher: every access
/// fills a slot of a request page and runs the protocol that Xen would run. Devices under test are
/// built on its ports.
class SimGuest final : public GuestInstructions {
 public:
  struct Options {
    std::size_t ram = std::size_t{16} << 20;
    unsigned vcpus = 1;
    GuestMemory::Limits limits{.windows = 16};
  };
  SimGuest() : SimGuest(Options{}) {}
  explicit SimGuest(Options options);

  /// Any request at all, on any vCPU: what the slot's data field holds afterwards. Throws when it
  /// was not answered.
  using GuestInstructions::send;
  std::uint64_t send(const RawRequest& request, unsigned vcpu) override;

  // The guest's memory.
  [[nodiscard]] std::span<std::byte> ram() noexcept { return sim_memory_.ram(); }
  template <class T>
  void poke(std::uint64_t gpa, const T& value) {
    std::memcpy(ram().subspan(gpa, sizeof value).data(), &value, sizeof value);
  }
  template <class T>
  [[nodiscard]] T peek(std::uint64_t gpa) {
    T value;
    std::memcpy(&value, ram().subspan(gpa, sizeof value).data(), sizeof value);
    return value;
  }

  // What the guest and the hypervisor notice.
  [[nodiscard]] bool isa_irq(unsigned irq) const { return sim_irqs_.isa(irq); }
  [[nodiscard]] std::uint64_t isa_edges(unsigned irq) const { return sim_irqs_.isa_edges(irq); }
  [[nodiscard]] bool intx(unsigned device, unsigned pin) const {
    return sim_irqs_.intx(device, pin);
  }
  [[nodiscard]] unsigned link_route(unsigned link) const { return sim_irqs_.link_route(link); }
  [[nodiscard]] const std::vector<ShutdownReason>& shutdowns() const noexcept {
    return sim_domain_.shutdowns();
  }

  // Time and deferred work.
  void advance(std::chrono::nanoseconds by);
  /// Runs units until none is left; throws when there is no end to it.
  void run_work();
  /// Off: work waits for run_work(). On (the default): it runs after each request, as the loop
  /// would.
  void set_auto_work(bool on) noexcept { auto_work_ = on; }

  // The ports that devices are built on.
  [[nodiscard]] PioBus& pio() noexcept { return pio_; }
  [[nodiscard]] MmioBus& mmio() noexcept { return mmio_; }
  [[nodiscard]] PciBus& pci() noexcept { return pci_; }
  [[nodiscard]] IrqRouter& irqs() noexcept { return irqs_; }
  [[nodiscard]] GuestMemory& memory() noexcept { return memory_; }
  [[nodiscard]] TimerQueue& timers() noexcept { return timers_; }
  [[nodiscard]] WorkQueue& work() noexcept { return work_; }
  [[nodiscard]] DomainControl& control() noexcept { return sim_domain_; }

  // The simulated host itself.
  [[nodiscard]] sim::SimMemory& sim_memory() noexcept { return sim_memory_; }
  [[nodiscard]] sim::SimIrqs& sim_irqs() noexcept { return sim_irqs_; }
  [[nodiscard]] sim::SimClaims& claims() noexcept { return claims_; }
  [[nodiscard]] sim::SimDomain& domain() noexcept { return sim_domain_; }
  [[nodiscard]] sim::SimIoreqPort& ioreq_port() noexcept { return port_; }
  [[nodiscard]] ioreq::Dispatcher& dispatcher() noexcept { return dispatcher_; }
  [[nodiscard]] ioreq::Server& server() noexcept { return server_; }

  /// Puts a request into a slot without serving it.
  void fill_slot(const RawRequest& request, unsigned vcpu) {
    rig::fill_slot(port_.slots(), request, vcpu);
  }
  /// The vCPU's side of an answer: its data; the slot is free again. Throws when there is none.
  std::uint64_t take_answer(unsigned vcpu) { return rig::take_answer(port_.slots(), vcpu); }

 private:
  sim::SimMemory sim_memory_;
  sim::SimIrqs sim_irqs_;
  sim::SimClaims claims_;
  sim::SimClock clock_;
  sim::SimIoreqPort port_;
  sim::SimDomain sim_domain_;
  PioBus pio_{claims_};
  MmioBus mmio_{claims_};
  PciBus pci_{pio_, mmio_, claims_};
  IrqRouter irqs_{sim_irqs_};
  TimerQueue timers_{clock_};
  WorkQueue work_;
  GuestMemory memory_;
  ioreq::Dispatcher dispatcher_{pio_, mmio_, pci_, memory_, &work_.meter()};
  ioreq::Server server_{port_, dispatcher_};
  bool auto_work_ = true;
};

}  // namespace dm::rig
