// SPDX-License-Identifier: MIT
#pragma once

#include "core/irq/irq_line.h"
#include "core/pci/pci_bus.h"
#include "core/ports/domain_control.h"
#include "devices/chipset/acpi_block.h"

#include <array>
#include <cstdint>

namespace dm::chipset {

struct Piix4PmState {
  std::array<std::uint8_t, 256> config{};
  AcpiBlockState acpi;
};

template <class Visitor>
void describe(Visitor& v, Piix4PmState& s) {
  v.field(1, "config", s.config);
  v.field(2, "acpi", s.acpi);
}
[[nodiscard]] inline bool validate(const Piix4PmState& s) noexcept {
  return validate(s.acpi);
}

/// 82371AB function 3 at 0:1.3: the wiring of the ACPI registers. PM1a_CNT follows PMBASE and
/// PMREGMISC, as on the chip (hvmloader moves it to 0xB004). The other registers are where Xen's
/// tables say. The SCI is ISA interrupt 9. Of the power management block, only PM1a_CNT is claimed:
/// the status, enables and timer beside it are Xen's. Thread rule: the loop's thread only. Source:
/// Intel 290562-001.
class Piix4Pm final : public PciFunction {
 public:
  struct Ports {
    PioBus& pio;
    PciBus& pci;
    IrqRouter& irqs;
    DomainControl& control;
  };
  /// Throws std::runtime_error when the slot or a port is not to be had.
  Piix4Pm(const Ports& ports, CmosRam& cmos, unsigned vcpus_online, unsigned vcpus_max);

  [[nodiscard]] AcpiBlock& acpi() noexcept { return acpi_; }
  [[nodiscard]] const AcpiBlock& acpi() const noexcept { return acpi_; }

  void reset() noexcept;
  [[nodiscard]] Piix4PmState state() const noexcept { return {config().bytes(), acpi_.state()}; }
  void restore(const Piix4PmState& s) noexcept;

 private:
  void config_written(std::uint8_t offset, std::uint8_t size) noexcept override;
  void update_window() noexcept;

  PioBus& pio_;
  AcpiBlock acpi_;
  std::uint16_t pm_base_ = 0;  ///< the base that software asked for last; 0: none
  PioClaim pm_claim_;
  PioClaim apm_claim_;
  PioClaim gpe_claim_;
  PioClaim pci_hotplug_claim_;
  PioClaim cpu_hotplug_claim_;
};

}  // namespace dm::chipset
