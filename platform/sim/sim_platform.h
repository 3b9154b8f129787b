// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/domain_control.h"
#include "core/ports/io_claims.h"
#include "core/ports/ioreq_port.h"
#include "core/ports/irq_sink.h"
#include "core/ports/memory_mapper.h"
#include "core/time/guest_time.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// The host's ports over plain memory: a guest without Xen, for tests, fuzzing and benchmarks.
/// Everything can be looked at.
namespace dm::sim {

/// Guest RAM from address 0; holes can be punched, and filled again, page by page.
class SimMemory final : public MemoryMapper {
 public:
  explicit SimMemory(std::size_t bytes);
  ~SimMemory() override;

  [[nodiscard]] std::byte* map(std::uint64_t number, WindowPages& present) noexcept override;
  void unmap(std::byte* window) noexcept override;

  [[nodiscard]] std::span<std::byte> ram() noexcept { return {base_, size_}; }
  void set_present(std::uint64_t gfn, bool present) { present_.at(gfn) = present; }
  [[nodiscard]] unsigned mapped() const noexcept { return mapped_; }
  /// Calls of map(), also those that found nothing.
  [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }

 private:
  std::byte* base_;
  std::size_t size_;
  std::size_t reserved_;
  std::vector<bool> present_;
  unsigned mapped_ = 0;
  std::uint64_t calls_ = 0;
};

class SimIrqs final : public IrqSink {
  struct Input {
    bool level = false;
    std::uint64_t edges = 0;
  };

 public:
  /// Levels and routes, which Xen saves and restores by itself.
  struct Saved {
    std::array<Input, 16> isa{};
    std::array<Input, 128> intx{};
    std::array<std::uint8_t, 4> routes{};
  };
  [[nodiscard]] Saved save() const noexcept { return {isa_, intx_, routes_}; }
  void restore(const Saved& saved) noexcept {
    isa_ = saved.isa;
    intx_ = saved.intx;
    routes_ = saved.routes;
  }

  void set_isa_level(std::uint8_t irq, bool level) noexcept override;
  void set_intx_level(std::uint8_t device, std::uint8_t pin, bool level) noexcept override;
  void set_link_route(std::uint8_t link, std::uint8_t irq) noexcept override {
    routes_[link] = irq;
  }

  [[nodiscard]] bool isa(unsigned irq) const { return isa_.at(irq).level; }
  [[nodiscard]] std::uint64_t isa_edges(unsigned irq) const { return isa_.at(irq).edges; }
  [[nodiscard]] bool intx(unsigned device, unsigned pin) const {
    return intx_.at(device * 4 + pin).level;
  }
  [[nodiscard]] std::uint64_t intx_edges(unsigned device, unsigned pin) const {
    return intx_.at(device * 4 + pin).edges;
  }
  [[nodiscard]] unsigned link_route(unsigned link) const { return routes_.at(link); }
  /// Calls that changed nothing: each would have been a wasted hypercall.
  [[nodiscard]] std::uint64_t redundant() const noexcept { return redundant_; }

 private:
  void set(Input& input, bool level) noexcept;

  std::array<Input, 16> isa_{};
  std::array<Input, 128> intx_{};
  std::array<std::uint8_t, 4> routes_{};
  std::uint64_t redundant_ = 0;
};

/// Keeps what was claimed, as Xen would: overlap inside one server is refused.
class SimClaims final : public IoClaims {
 public:
  [[nodiscard]] bool claim_ports(PortRange range) noexcept override {
    return claim(ports_, {range.first, range.last});
  }
  void release_ports(PortRange range) noexcept override {
    release(ports_, {range.first, range.last});
  }
  [[nodiscard]] bool claim_mmio(MmioRange range) noexcept override { return claim(mmio_, range); }
  void release_mmio(MmioRange range) noexcept override { release(mmio_, range); }
  [[nodiscard]] bool claim_pci(PciBdf function) noexcept override;
  void release_pci(PciBdf function) noexcept override;

  using Ranges = std::vector<MmioRange>;
  [[nodiscard]] const Ranges& ports() const noexcept { return ports_; }
  [[nodiscard]] const Ranges& mmio() const noexcept { return mmio_; }
  [[nodiscard]] const Ranges& pci() const noexcept { return pci_; }
  /// Releases of what was not claimed: Xen would answer ENOENT.
  [[nodiscard]] unsigned errors() const noexcept { return errors_; }

 private:
  [[nodiscard]] static bool claim(Ranges& set, MmioRange range) noexcept;
  void release(Ranges& set, MmioRange range) noexcept;

  Ranges ports_;
  Ranges mmio_;
  Ranges pci_;
  unsigned errors_ = 0;
};

class SimClock final : public Clock {
 public:
  [[nodiscard]] GuestTime now() const noexcept override { return now_; }
  void advance(GuestClock::duration by) noexcept { now_ += by; }
  void set(GuestTime to) noexcept { now_ = to; }

 private:
  GuestTime now_{};
};

class SimIoreqPort final : public IoreqPort {
 public:
  explicit SimIoreqPort(unsigned vcpus) noexcept : vcpus_{vcpus} {}

  [[nodiscard]] std::byte* slots() noexcept override { return page_.data(); }
  [[nodiscard]] unsigned vcpus() const noexcept override { return vcpus_; }
  void notify(unsigned vcpu) noexcept override { ++notified_.at(vcpu); }
  [[nodiscard]] bool acknowledge() noexcept override {
    ++acknowledged_;
    return !gone_;
  }
  [[nodiscard]] int descriptor() const noexcept override { return -1; }

  [[nodiscard]] std::uint64_t notified(unsigned vcpu) const { return notified_.at(vcpu); }
  [[nodiscard]] std::uint64_t acknowledged() const noexcept { return acknowledged_; }
  void go_away() noexcept { gone_ = true; }

 private:
  alignas(4096) std::array<std::byte, 4096> page_{};
  unsigned vcpus_;
  std::array<std::uint64_t, 128> notified_{};
  std::uint64_t acknowledged_ = 0;
  bool gone_ = false;
};

class SimDomain final : public DomainControl {
 public:
  struct Protection {
    std::uint64_t first_gfn;
    std::uint32_t count;
    bool read_only;
  };
  void shutdown(ShutdownReason reason) noexcept override { shutdowns_.push_back(reason); }
  void suspend_to_ram() noexcept override { ++suspends_; }
  void protect_rom(std::uint64_t first_gfn, std::uint32_t count, bool read_only) noexcept override {
    protections_.push_back({first_gfn, count, read_only});
  }

  [[nodiscard]] const std::vector<ShutdownReason>& shutdowns() const noexcept { return shutdowns_; }
  [[nodiscard]] unsigned suspends() const noexcept { return suspends_; }
  [[nodiscard]] const std::vector<Protection>& protections() const noexcept { return protections_; }

 private:
  std::vector<ShutdownReason> shutdowns_;
  unsigned suspends_ = 0;
  std::vector<Protection> protections_;
};

}  // namespace dm::sim
