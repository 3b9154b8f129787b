// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/domain_control.h"
#include "core/ports/event_loop.h"
#include "core/ports/io_claims.h"
#include "core/ports/irq_sink.h"
#include "core/ports/memory_mapper.h"
#include "platform/sim/sim_platform.h"
#include "platform/sim/sim_video.h"
#include "tests/fuzz/host_calls.h"
#include "tests/fuzz/input.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

/// The host under a machine that is fuzzed: as small as can be, the same for every execution, and
/// strict: what no hypervisor should ever be asked for is an abort.
namespace dm::fuzz {

/// Guest RAM in three islands: the start of memory, both sides of a window's edge, and the start of
/// the third window. Holes are pages without access, so that whoever strays is caught. One for the
/// process; reset() makes it as new.
class Ram {
 public:
  struct Island {
    std::uint64_t first_gfn;
    std::uint64_t pages;
  };
  static constexpr std::array<Island, 3> kIslands{{{0, 20}, {0x1fa, 12}, {0x400, 2}}};
  static constexpr std::size_t kWindows = 3;

  static Ram& get();
  void reset();
  [[nodiscard]] std::byte* base() const noexcept { return base_; }
  /// An address in RAM made of two bytes and a bit of each island.
  [[nodiscard]] static std::uint64_t address(Input& in) noexcept;
  /// Bytes from `gpa` to the end of its island; 0 outside.
  [[nodiscard]] static std::size_t room(std::uint64_t gpa) noexcept;
  void set_present(std::uint64_t gfn, bool present) noexcept;
  [[nodiscard]] const WindowPages& present(std::size_t window) const noexcept {
    return present_[window];
  }

 private:
  Ram();
  std::byte* base_;
  std::array<WindowPages, kWindows> present_;
};

class FuzzMemory final : public MemoryMapper {
 public:
  static constexpr std::size_t kMostWindows = 2;  ///< fewer than there are, so that some make room

  ~FuzzMemory() override { require(mapped_ == 0, "every window of guest memory is unmapped"); }
  [[nodiscard]] std::byte* map(std::uint64_t number, WindowPages& present) noexcept override;
  void unmap(std::byte* window) noexcept override;

 private:
  std::size_t mapped_ = 0;
};

class FuzzIrqs final : public IrqSink {
 public:
  static constexpr std::size_t kIsa = 16;
  void set_isa_level(std::uint8_t irq, bool level) noexcept override { set(irq, level); }
  void set_intx_level(std::uint8_t device, std::uint8_t pin, bool level) noexcept override {
    set(kIsa + device * 4U + pin, level);
  }
  void set_link_route(std::uint8_t link, std::uint8_t irq) noexcept override {
    ++host_calls.system;
    require(!strict_ || routes_.at(link) != irq, "a PCI link is routed only where it is not");
    routes_.at(link) = irq;
  }
  /// Xen saves and restores its own side; what devices say meanwhile may be said twice.
  void take_over(const FuzzIrqs& from) noexcept {
    levels_ = from.levels_;
    routes_ = from.routes_;
    strict_ = false;
  }
  void be_strict() noexcept { strict_ = true; }
  [[nodiscard]] bool strict() const noexcept { return strict_; }
  [[nodiscard]] bool same(const FuzzIrqs& other) const noexcept {
    return levels_ == other.levels_ && routes_ == other.routes_;
  }
  [[nodiscard]] bool all_low() const noexcept { return levels_ == std::array<bool, kIsa + 128>{}; }

 private:
  void set(std::size_t input, bool level) noexcept {
    ++host_calls.system;
    require(!strict_ || levels_.at(input) != level, "an interrupt level is sent only to change it");
    levels_.at(input) = level;
  }
  std::array<bool, kIsa + 128> levels_{};
  std::array<std::uint8_t, 4> routes_{};
  bool strict_ = true;
};

class FuzzClaims final : public IoClaims {
 public:
  ~FuzzClaims() override {
    require(sim_.ports().empty() && sim_.mmio().empty() && sim_.pci().empty(),
            "every claim is released");
  }
  bool claim_ports(PortRange range) noexcept override { return made(sim_.claim_ports(range)); }
  void release_ports(PortRange range) noexcept override {
    sim_.release_ports(range);
    released();
  }
  bool claim_mmio(MmioRange range) noexcept override { return made(sim_.claim_mmio(range)); }
  void release_mmio(MmioRange range) noexcept override {
    sim_.release_mmio(range);
    released();
  }
  bool claim_pci(PciBdf function) noexcept override { return made(sim_.claim_pci(function)); }
  void release_pci(PciBdf function) noexcept override {
    sim_.release_pci(function);
    released();
  }

 private:
  bool made(bool ok) const noexcept {
    ++host_calls.system;
    require(ok, "what one of our regions has is not claimed for another");
    require(sim_.ports().size() + sim_.mmio().size() < 64, "claims stay few");
    return ok;
  }
  void released() const noexcept {
    ++host_calls.system;
    require(sim_.errors() == 0, "only what is claimed is released");
  }
  sim::SimClaims sim_;
};

/// Video memory that does not go where RAM is. A move is dear: whether all is empty there, the move
/// itself, and how it is cached.
class FuzzVideo final : public sim::SimVideoMemory {
 public:
  explicit FuzzVideo(std::size_t bytes) : SimVideoMemory{bytes} { take({0, 0xbfffffff}); }
  [[nodiscard]] bool move(Gpa to) noexcept override {
    constexpr std::uint64_t kCalls = 8;
    host_calls.system += kCalls;
    require(to.value % kPageSize == 0 && to != at(), "video memory moves to another page");
    return SimVideoMemory::move(to);
  }
};

class FuzzDomain final : public DomainControl {
 public:
  void shutdown(ShutdownReason /*reason*/) noexcept override {
    ++host_calls.system;
    require(!ended_, "a domain ends once");
    ended_ = true;
  }
  void suspend_to_ram() noexcept override { ++host_calls.system; }
  void protect_rom(std::uint64_t first_gfn, std::uint32_t count, bool read_only) noexcept override {
    ++host_calls.system;
    require(first_gfn == 0xc0 && count == 0x40, "the ROM lock is for the firmware's place");
    require(read_only != rom_locked_, "the ROM lock is sent only to change it");
    rom_locked_ = read_only;
  }

 private:
  bool ended_ = false;
  bool rom_locked_ = false;
};

/// Nothing ever comes by itself: an input says what comes.
class FuzzLoop final : public EventLoop {
 public:
  bool wait(std::optional<std::chrono::nanoseconds> /*timeout*/) noexcept override { return false; }
  void poll() noexcept override {}
};

}  // namespace dm::fuzz
