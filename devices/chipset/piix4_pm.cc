// SPDX-License-Identifier: MIT
#include "devices/chipset/piix4_pm.h"

#include "devices/chipset/fixed_ports.h"
#include "devices/chipset/piix4_regs.h"

namespace dm::chipset {

using piix4::GPE0;
using piix4::PMBASE;
using piix4::PMCNTRL;
using piix4::PMREGMISC;

namespace {
constexpr std::uint8_t kSciIrq = 9;
}

Piix4Pm::Piix4Pm(const Ports& ports, CmosRam& cmos, unsigned vcpus_online, unsigned vcpus_max)
    : PciFunction{ports.pci, {1, 3}, "power management", Config{piix4::Map{}}},
      pio_{ports.pio},
      acpi_{ports.irqs.isa(kSciIrq), ports.control, cmos, vcpus_online, vcpus_max},
      apm_claim_{claim_fixed(pio_,
                             piix4::kApm,
                             IoHandler::bind<&AcpiBlock::read_apm, &AcpiBlock::write_apm>(acpi_),
                             "APM control and status")},
      gpe_claim_{claim_fixed(pio_,
                             GPE0::kPorts,
                             IoHandler::bind<&AcpiBlock::read_gpe, &AcpiBlock::write_gpe>(acpi_),
                             "ACPI GPE0")},
      pci_hotplug_claim_{claim_fixed(
          pio_,
          piix4::kPciHotplug,
          IoHandler::bind<&AcpiBlock::read_pci_hotplug, &AcpiBlock::write_nothing>(acpi_),
          "ACPI PCI hotplug")},
      cpu_hotplug_claim_{
          claim_fixed(pio_,
                      piix4::kCpuHotplug,
                      IoHandler::bind<&AcpiBlock::read_cpus, &AcpiBlock::write_nothing>(acpi_),
                      "ACPI CPU hotplug")} {}

void Piix4Pm::reset() noexcept {
  reset_config();
  update_window();
  acpi_.reset();
}

void Piix4Pm::restore(const Piix4PmState& s) noexcept {
  restore_config(s.config);
  update_window();
  acpi_.restore(s.acpi);
}

void Piix4Pm::config_written(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {
  update_window();
}

/// Like a BAR: first come, first served; a window that overlaps somebody else's ports stays
/// unmapped until the guest writes again.
void Piix4Pm::update_window() noexcept {
  const bool enabled = PMREGMISC::PMIOSE::test(config().get<PMREGMISC>());
  const auto base = static_cast<std::uint16_t>(config().get<PMBASE>() & PMBASE::BASE::kMask);
  const std::uint16_t wanted = enabled ? base : std::uint16_t{0};
  if (wanted == pm_base_ && (wanted == 0 || pm_claim_.ok())) {
    return;
  }
  pm_claim_ = PioClaim{};
  pm_base_ = wanted;
  if (wanted != 0) {
    const auto first = static_cast<std::uint16_t>(wanted + PMCNTRL::kOffset);
    pm_claim_ = pio_.claim(
        {first, static_cast<std::uint16_t>(first + 1)},
        IoHandler::bind<&AcpiBlock::read_pm1_control, &AcpiBlock::write_pm1_control>(acpi_),
        "ACPI PM1a_CNT");
  }
}

}  // namespace dm::chipset
