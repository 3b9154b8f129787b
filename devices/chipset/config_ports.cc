// SPDX-License-Identifier: MIT
#include "devices/chipset/config_ports.h"

#include "core/reg/field.h"
#include "devices/chipset/fixed_ports.h"

namespace dm::chipset {

namespace {

struct CONFADD {  // Configuration Address Register, 82441FX, I/O 0CF8h, double words only
  static constexpr std::uint64_t kOffset = 0;
  using CONE = reg::Flag<31>;  // configuration enable
  using BUSNUM = reg::Field<23, 16>;
  using DEVNUM = reg::Field<15, 11>;
  using FUNCNUM = reg::Field<10, 8>;
  using REGNUM = reg::Field<7, 2>;
};

struct RCR {  // Reset Control Register, PIIX3, I/O 0CF9h, bytes only
  static constexpr std::uint64_t kOffset = 1;
  using RCPU = reg::Flag<2>;  // reset CPU
  using SRST = reg::Flag<1>;  // 1: hard reset, 0: soft reset
};

}  // namespace

bool validate(const ConfigPortsState& s) noexcept {
  return (s.rcr & ~RCR::SRST::kMask) == 0;
}

ConfigPorts::ConfigPorts(PioBus& pio, PciBus& pci, DomainControl& control)
    : pci_{pci},
      control_{control},
      address_claim_{claim_fixed(
          pio,
          {0xcf8, 0xcfb},
          IoHandler::bind<&ConfigPorts::read_address, &ConfigPorts::write_address>(*this),
          "PCI configuration address")},
      data_claim_{
          claim_fixed(pio,
                      {0xcfc, 0xcff},
                      IoHandler::bind<&ConfigPorts::read_data, &ConfigPorts::write_data>(*this),
                      "PCI configuration data")} {}

std::uint64_t ConfigPorts::read_address(IoAccess a) const noexcept {
  if (a.size == 4) {
    return state_.confadd;
  }
  return a.size == 1 && a.offset == RCR::kOffset ? state_.rcr : all_ones(a.size);
}

void ConfigPorts::write_address(IoAccess a, std::uint64_t value) noexcept {
  if (a.size == 4) {
    state_.confadd = static_cast<std::uint32_t>(value);
  } else if (a.size == 1 && a.offset == RCR::kOffset) {
    write_reset_control(static_cast<std::uint8_t>(value));
  } else {
    // Linux writes 01h to 0CFBh to see that this is mechanism 1: only double words reach CONFADD.
    ++ignored_;
  }
}

/// Hard and soft reset are one here: the toolstack builds the domain anew. RCPU never reads as 1.
void ConfigPorts::write_reset_control(std::uint8_t value) noexcept {
  state_.rcr = static_cast<std::uint8_t>(value & RCR::SRST::kMask);
  if (RCR::RCPU::test(value)) {
    control_.shutdown(ShutdownReason::reboot);
  }
}

bool ConfigPorts::selects_bus_0() const noexcept {
  return CONFADD::CONE::test(state_.confadd) && CONFADD::BUSNUM::get(state_.confadd) == 0;
}

PciBdf ConfigPorts::selected() const noexcept {
  return {static_cast<std::uint8_t>(CONFADD::DEVNUM::get(state_.confadd)),
          static_cast<std::uint8_t>(CONFADD::FUNCNUM::get(state_.confadd))};
}

std::uint8_t ConfigPorts::register_at(IoAccess a) const noexcept {
  return static_cast<std::uint8_t>((state_.confadd & CONFADD::REGNUM::kMask) + a.offset);
}

std::uint64_t ConfigPorts::read_data(IoAccess a) noexcept {
  return selects_bus_0() ? pci_.read(selected(), register_at(a), a.size) : all_ones(a.size);
}

void ConfigPorts::write_data(IoAccess a, std::uint64_t value) noexcept {
  if (selects_bus_0()) {
    pci_.write(selected(), register_at(a), a.size, value);
  }
}

}  // namespace dm::chipset
