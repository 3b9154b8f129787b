// SPDX-License-Identifier: MIT
#include "devices/chipset/chipset.h"

#include "core/state/show.h"
#include "core/text/list.h"
#include "devices/chipset/xen_platform_regs.h"

#include <string>
#include <string_view>
#include <utility>

namespace dm::chipset {

bool validate(const ChipsetState& s) noexcept {
  return validate(s.host_bridge) && validate(s.config_ports) && validate(s.isa) &&
         validate(s.cmos) && validate(s.i8042) && validate(s.port92) && validate(s.dma) &&
         validate(s.pm) && validate(s.platform);
}

UnplugRequest unplugged_by(const ChipsetState& s) noexcept {
  if (!s.has_platform) {
    return {};
  }
  using Mask = xen_platform::UNPLUG;
  const std::uint16_t mask = s.platform.ports.unplugged;
  return {.ide_disks = Mask::IDE_DISKS::test(mask),
          .ide_secondary_disks = Mask::AUX_IDE_DISKS::test(mask),
          .nics = Mask::NICS::test(mask)};
}

Chipset::Chipset(const Ports& ports, const Config& config)
    : host_bridge_{ports.pci},
      config_ports_{ports.pio, ports.pci, ports.control},
      isa_{ports.pci, ports.irqs},
      cmos_{ports.pio, config.cmos},
      i8042_{ports.pio, ports.irqs, ports.control},
      port92_{ports.pio, ports.control},
      dma_{ports.pio},
      vcpus_online_{config.vcpus_online},
      vcpus_max_{config.vcpus_max} {
  if (config.acpi) {
    pm_.emplace(Piix4Pm::Ports{ports.pio, ports.pci, ports.irqs, ports.control}, cmos_.ram(),
                config.vcpus_online, config.vcpus_max);
  }
  if (config.xen_platform) {
    platform_.emplace(XenPlatform::Ports{ports.pio, ports.pci, ports.control, ports.unplug});
  }
}

void Chipset::reset() noexcept {
  host_bridge_.reset();
  config_ports_.reset();
  isa_.reset();
  cmos_.reset();
  i8042_.reset();
  port92_.reset();
  dma_.reset();
  if (pm_) {
    pm_->reset();
  }
  if (platform_) {
    platform_->reset();
  }
}

void Chipset::wake() noexcept {
  config_ports_.reset();
  cmos_.reset();
  i8042_.reset();
  port92_.reset();
  dma_.reset();
}

ChipsetState Chipset::state() const noexcept {
  ChipsetState s{.host_bridge = host_bridge_.state(),
                 .config_ports = config_ports_.state(),
                 .isa = isa_.state(),
                 .cmos = cmos_.state(),
                 .i8042 = i8042_.state(),
                 .port92 = port92_.state(),
                 .dma = dma_.state(),
                 .pm = {},
                 .platform = {},
                 .has_pm = pm_.has_value(),
                 .has_platform = platform_.has_value()};
  if (pm_) {
    s.pm = pm_->state();
  }
  if (platform_) {
    s.platform = platform_->state();
  }
  return s;
}

Result<> Chipset::fits(const ChipsetState& s, UnplugRequest& gone) const {
  std::string differs;
  const auto compare = [&differs](std::string_view setting, std::string_view saved,
                                  std::string_view here) {
    if (saved != here) {
      append_item(differs, setting);
      differs.append(" was ").append(saved).append(" and is ").append(here);
    }
  };
  compare("acpi", s.has_pm ? "1" : "0", pm_ ? "1" : "0");
  compare("xen_platform_pci", s.has_platform ? "1" : "0", platform_ ? "1" : "0");
  if (const unsigned needed = vcpus_needed(s.pm.acpi); s.has_pm && needed > vcpus_max_) {
    compare("maxvcpus (vcpus, where it is not set)", std::to_string(needed) + " or more",
            std::to_string(vcpus_max_));
  }
  const UnplugRequest unplugged = unplugged_by(s);
  gone.ide_disks = gone.ide_disks || unplugged.ide_disks;
  gone.ide_secondary_disks = gone.ide_secondary_disks || unplugged.ide_secondary_disks;
  gone.nics = gone.nics || unplugged.nics;
  return differs.empty() ? Result<>{} : Error{std::move(differs)};
}

bool Chipset::restore(const ChipsetState& s) noexcept {
  if (!validate(s)) {
    return false;
  }
  host_bridge_.restore(s.host_bridge);
  config_ports_.restore(s.config_ports);
  isa_.restore(s.isa);
  cmos_.restore(s.cmos);
  i8042_.restore(s.i8042);
  port92_.restore(s.port92);
  dma_.restore(s.dma);
  if (pm_) {
    pm_->restore(s.pm);
  }
  if (platform_) {
    platform_->restore(s.platform);
  }
  return true;
}

void Chipset::inspect(Inspector& to, std::string_view name) const {
  to.number("vcpus_online", vcpus_online());
  const Inspector::Part part{to, name};
  state::show(state(), to);
}

}  // namespace dm::chipset
