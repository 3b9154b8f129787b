// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/pio_bus.h"
#include "core/pci/pci_bus.h"
#include "core/ports/domain_control.h"

#include <cstdint>

namespace dm::chipset {

struct ConfigPortsState {
  std::uint32_t confadd = 0;  ///< CONFADD, 0xCF8
  std::uint8_t rcr = 0;       ///< RCR, 0xCF9
};

template <class Visitor>
void describe(Visitor& v, ConfigPortsState& s) {
  v.field(1, "confadd", s.confadd);
  v.field(2, "rcr", s.rcr);
}
[[nodiscard]] bool validate(const ConfigPortsState& s) noexcept;

/// Ports 0xCF8-0xCFF: PCI configuration mechanism 1 of the 82441FX and, in its middle, the PIIX3's
/// reset control register. The first answers to double words, the second to bytes.
///
/// Xen keeps its own latch and sends configuration cycles straight to their function. But it passes
/// the address port on to us and takes our answer: without it Linux finds no PCI bus. The data port
/// comes here only while the enable bit of Xen's latch is clear. Xen does not save its latch, so
/// after a migration ours may have the bit set; then our latch serves the access. Thread rule: the
/// loop's thread only. Sources: Intel 290549-001 (CONFADD, CONFDATA), Intel 290550-002 (RCR).
class ConfigPorts {
 public:
  /// Throws std::runtime_error when the ports are not to be had.
  ConfigPorts(PioBus& pio, PciBus& pci, DomainControl& control);

  void reset() noexcept { state_ = {}; }
  [[nodiscard]] const ConfigPortsState& state() const noexcept { return state_; }
  void restore(const ConfigPortsState& s) noexcept { state_ = s; }
  /// Number of writes with a width that no register has.
  [[nodiscard]] std::uint64_t ignored() const noexcept { return ignored_; }

 private:
  [[nodiscard]] std::uint64_t read_address(IoAccess a) const noexcept;
  void write_address(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_data(IoAccess a) noexcept;
  void write_data(IoAccess a, std::uint64_t value) noexcept;
  void write_reset_control(std::uint8_t value) noexcept;

  /// True if CONFADD names a function that can exist: enabled, bus 0.
  [[nodiscard]] bool selects_bus_0() const noexcept;
  [[nodiscard]] PciBdf selected() const noexcept;
  [[nodiscard]] std::uint8_t register_at(IoAccess a) const noexcept;

  PciBus& pci_;
  DomainControl& control_;
  ConfigPortsState state_;
  std::uint64_t ignored_ = 0;
  PioClaim address_claim_;
  PioClaim data_claim_;
};

}  // namespace dm::chipset
