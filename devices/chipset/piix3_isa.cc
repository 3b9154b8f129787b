// SPDX-License-Identifier: MIT
#include "devices/chipset/piix3_isa.h"

#include "devices/chipset/piix3_regs.h"

namespace dm::chipset {

using piix3::PIRQRCA;

Piix3Isa::Piix3Isa(PciBus& bus, IrqRouter& irqs)
    : PciFunction{bus, {1, 0}, "ISA bridge", Config{piix3::Map{}}}, irqs_{irqs} {}

void Piix3Isa::reset() noexcept {
  reset_config();
  update_routes();
}

void Piix3Isa::restore(const Piix3IsaState& s) noexcept {
  restore_config(s.config);
  // Xen has restored its routes by itself; saying the same again changes nothing there.
  update_routes();
}

void Piix3Isa::config_written(std::uint8_t /*offset*/, std::uint8_t /*size*/) noexcept {
  update_routes();
}

/// The reserved values 0, 1, 2, 8 and 13 are passed on as they are: 0 means "none" to Xen, and a
/// route to the others concerns nobody but this guest.
void Piix3Isa::update_routes() noexcept {
  for (unsigned link = 0; link < kLinks; ++link) {
    const auto value = static_cast<std::uint8_t>(config().read(PIRQRCA::kOffset + link, 1));
    const std::uint8_t irq = PIRQRCA::NR::test(value) ? std::uint8_t{0} : PIRQRCA::IRQ::get(value);
    if (routed_[link] != irq) {
      routed_[link] = irq;
      irqs_.route_link(static_cast<std::uint8_t>(link), irq);
    }
  }
}

}  // namespace dm::chipset
