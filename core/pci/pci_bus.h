// SPDX-License-Identifier: MIT
#pragma once

#include "core/addr.h"
#include "core/io/mmio_bus.h"
#include "core/io/pio_bus.h"
#include "core/irq/irq_line.h"
#include "core/pci/header.h"
#include "core/ports/io_claims.h"
#include "core/reg/map.h"

#include <boost/container/static_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dm {

class PciFunction;

/// PCI bus 0: finds a function by its address, and answers for functions that do not exist. Xen
/// decodes 0xCF8/0xCFC itself and sends configuration cycles with the address in them, so no other
/// access arrives here. Thread rule: the loop's thread only. No allocation.
class PciBus {
 public:
  PciBus(PioBus& pio, MmioBus& mmio, IoClaims& claims) noexcept
      : pio_{pio}, mmio_{mmio}, claims_{claims} {}
  PciBus(const PciBus&) = delete;
  PciBus& operator=(const PciBus&) = delete;

  [[nodiscard]] std::uint64_t read(PciBdf at, std::uint8_t reg, std::uint8_t size) noexcept;
  void write(PciBdf at, std::uint8_t reg, std::uint8_t size, std::uint64_t value) noexcept;

  [[nodiscard]] PciFunction* at(PciBdf bdf) const noexcept { return functions_[bdf.devfn()]; }
  [[nodiscard]] std::uint64_t unclaimed() const noexcept { return unclaimed_; }

 private:
  friend class PciFunction;
  [[nodiscard]] bool attach(PciFunction& function) noexcept;
  void detach(PciFunction& function) noexcept;
  /// A region was released: windows that had been refused for an overlap may fit now.
  void retry_refused(const PciFunction& except) noexcept;

  PioBus& pio_;
  MmioBus& mmio_;
  IoClaims& claims_;
  std::array<PciFunction*, 256> functions_{};
  std::uint64_t unclaimed_ = 0;
};

enum class BarKind : std::uint8_t { io, memory, prefetchable, rom };

/// The number that stands for the expansion ROM in bar_mapped().
inline constexpr std::uint8_t kRomBar = 6;

/// One PCI function: its configuration space and the windows behind its BARs. A window follows the
/// BAR and the command register: it moves when software moves it, and vanishes when decoding is
/// off. A BAR that overlaps a claimed region stays unmapped until there is room (first come, first
/// served). Base 0 and "all ones" are never mapped.
///
/// A chip's wiring derives from this class, adds its BARs, and is told of configuration writes in
/// `config_written`. Nothing here allocates after construction. Thread rule: the loop's thread
/// only. Source: PCI Local Bus 2.1.
class PciFunction {
 public:
  static constexpr std::size_t kConfigSize = 256;
  using Config = reg::Bank<kConfigSize>;

  PciFunction(const PciFunction&) = delete;
  PciFunction& operator=(const PciFunction&) = delete;
  virtual ~PciFunction();

  [[nodiscard]] std::uint64_t read_config(std::uint8_t offset, std::uint8_t size) noexcept;
  void write_config(std::uint8_t offset, std::uint8_t size, std::uint64_t value) noexcept;

  [[nodiscard]] PciBdf bdf() const noexcept { return bdf_; }
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] bool present() const noexcept { return present_; }
  [[nodiscard]] bool bus_master() const noexcept;
  /// Back to power-on: configuration reset, windows gone.
  void reset_config() noexcept;
  /// The function leaves the bus for good: no configuration space, no windows.
  void unplug() noexcept;
  /// Does the guest see this window now? For inspection and tests.
  [[nodiscard]] bool bar_mapped(std::uint8_t index) const noexcept;
  /// The registers as stored, without the side effects of a read.
  [[nodiscard]] const Config::Bytes& config_space() const noexcept { return config_.bytes(); }
  struct Window {
    std::uint8_t index;  ///< of the BAR
    BarKind kind;
    std::uint32_t size;  ///< bytes
    std::uint64_t base;  ///< 0: not mapped
  };
  /// `number` counts from 0 in the order of their making; nothing beyond the last. For management.
  [[nodiscard]] std::optional<Window> window(std::size_t number) const noexcept;

 protected:
  /// `list` is the chip's register map, `PciMap{}`. `name` has static storage. Throws
  /// std::runtime_error when the slot is taken or Xen refuses: construction happens at start-up
  /// only.
  PciFunction(PciBus& bus, PciBdf bdf, std::string_view name, Config config);

  /// `size` is a power of two: I/O 4-256, memory 16 and up. Constructor only.
  void add_bar(std::uint8_t index,
               BarKind kind,
               std::uint32_t size,
               IoHandler handler,
               std::string_view name);

  /// A prefetchable memory BAR behind which lies memory of the guest, of `size` bytes. Where the
  /// BAR is enabled, memory_wanted() is asked to bring the memory there; where it is not, the
  /// memory stays where it is. `handler` answers accesses that reach us all the same. Constructor
  /// only.
  void add_memory_bar(std::uint8_t index,
                      std::uint32_t size,
                      IoHandler handler,
                      std::string_view name);
  /// The guest wants the memory of a BAR at `base`. False: it cannot be there, and the BAR counts
  /// as not mapped. Asked again at each write of a BAR or of the command register, until it is
  /// true.
  [[nodiscard]] virtual bool memory_wanted(std::uint8_t /*index*/,
                                           std::uint64_t /*base*/) noexcept {
    return false;
  }
  /// Looks again whether windows that are not mapped can be. For a derived class, when it could not
  /// grant memory_wanted() at its time.
  void retry_windows() noexcept { update_windows(); }

  /// The interrupt pin's line: it obeys bit 10 of the command register, and bit 3 of the status
  /// register shows its level (PCI 2.3, 6.2.2 and 6.2.3). A function with a pin and without a line,
  /// whose interrupts Xen raises itself, stores bit 10 alone. `line` outlives the function's last
  /// configuration cycle. Constructor only.
  void add_interrupt(IrqLine& line) noexcept { interrupt_ = &line; }

  /// An expansion ROM behind the register at 0x30 (PCI 2.1 6.2.5.2): reads come from `image`, which
  /// must outlive the function, and are all ones behind its end; writes do nothing. At most 16 MiB.
  /// Constructor only.
  void add_rom(std::span<const std::byte> image, std::string_view name);

  /// After a write to configuration space has been stored.
  virtual void config_written(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {}
  /// Before a read: the last moment to bring dynamic bits up to date.
  virtual void config_reading(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {}

  /// After a load: takes saved bytes; read-only bits come from the register list again, and the
  /// windows follow the registers.
  void restore_config(const Config::Bytes& saved) noexcept;

  [[nodiscard]] Config& config() noexcept { return config_; }
  [[nodiscard]] const Config& config() const noexcept { return config_; }

 private:
  friend class PciBus;
  struct Bar {
    std::uint8_t index;
    BarKind kind;
    std::uint32_t size;
    IoHandler handler;
    std::string_view name;
    bool memory = false;  ///< the guest's memory lies there
    std::uint64_t mapped_at = 0;
    PioClaim pio;
    MmioClaim mmio;

    [[nodiscard]] bool mapped() const noexcept { return pio.ok() || mmio.ok(); }
    [[nodiscard]] bool refused() const noexcept {
      return pio.status() == ClaimStatus::overlap || mmio.status() == ClaimStatus::overlap;
    }
  };
  static constexpr std::size_t kBars = 7;  ///< with the ROM

  [[nodiscard]] Bar& new_bar(std::uint8_t index,
                             BarKind kind,
                             std::uint32_t size,
                             IoHandler handler,
                             std::string_view name);
  [[nodiscard]] std::uint64_t read_rom(IoAccess a) noexcept;
  void write_rom(IoAccess /*a*/, std::uint64_t /*value*/) noexcept {}
  void update_interrupt() noexcept;
  void update_windows() noexcept;
  /// Brings one window in line with the registers; true when a region was released.
  bool update_window(Bar& bar) noexcept;
  [[nodiscard]] std::uint64_t wanted_base(const Bar& bar) const noexcept;

  PciBus& bus_;
  PciBdf bdf_;
  std::string_view name_;
  Config config_;
  boost::container::static_vector<Bar, kBars> bars_;
  std::span<const std::byte> rom_;
  IrqLine* interrupt_ = nullptr;
  bool present_ = false;
};

}  // namespace dm
