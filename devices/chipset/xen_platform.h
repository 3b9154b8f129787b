// SPDX-License-Identifier: MIT
#pragma once

#include "core/pci/pci_bus.h"
#include "devices/chipset/unplug_ports.h"

#include <array>
#include <cstdint>

namespace dm::chipset {

struct XenPlatformState {
  std::array<std::uint8_t, 256> config{};
  UnplugPortsState ports;
};

template <class Visitor>
void describe(Visitor& v, XenPlatformState& s) {
  v.field(1, "config", s.config);
  v.field(2, "ports", s.ports);
}
[[nodiscard]] inline bool validate(const XenPlatformState& s) noexcept {
  return validate(s.ports);
}

/// Xen's platform device at 0:2.0, and its fixed ports 0x10-0x1F. The slot's INTA is declared, but
/// we never drive it: Xen raises it for event channels, and a second user would break their
/// delivery. Thread rule: the loop's thread only. Source: Xen docs/misc/hvm-emulated-unplug.pandoc.
class XenPlatform final : public PciFunction {
 public:
  struct Ports {
    PioBus& pio;
    PciBus& pci;
    DomainControl& control;
    UnplugHandler& unplug;
  };
  /// Throws std::runtime_error when the slot or the ports are not to be had.
  explicit XenPlatform(const Ports& ports);

  void reset() noexcept;
  [[nodiscard]] XenPlatformState state() const noexcept {
    return {config().bytes(), ports_.state()};
  }
  void restore(const XenPlatformState& s) noexcept;

 private:
  [[nodiscard]] std::uint64_t read_memory(IoAccess a) noexcept;
  void write_memory(IoAccess a, std::uint64_t value) noexcept;

  UnplugPorts ports_;
  PioClaim claim_;
};

}  // namespace dm::chipset
