// SPDX-License-Identifier: MIT
#include "devices/chipset/xen_platform.h"

#include "devices/chipset/fixed_ports.h"
#include "devices/chipset/xen_platform_regs.h"

namespace dm::chipset {

namespace hw = xen_platform;

XenPlatform::XenPlatform(const Ports& ports)
    : PciFunction{ports.pci, {2, 0}, "xen-platform", Config{hw::Map{}}},
      ports_{ports.control, ports.unplug},
      claim_{
          claim_fixed(ports.pio,
                      hw::kPorts,
                      IoHandler::bind<&UnplugPorts::read_fixed, &UnplugPorts::write_fixed>(ports_),
                      "xen-platform")} {
  add_bar(0, BarKind::io, hw::kIoBarSize,
          IoHandler::bind<&UnplugPorts::read_bar, &UnplugPorts::write_bar>(ports_),
          "xen-platform BAR 0");
  add_bar(1, BarKind::prefetchable, hw::kMemoryBarSize,
          IoHandler::bind<&XenPlatform::read_memory, &XenPlatform::write_memory>(*this),
          "xen-platform BAR 1");
}

/// What was unplugged stays so: nothing but a new domain brings it back.
void XenPlatform::reset() noexcept {
  reset_config();
  ports_.restore({.unplugged = ports_.state().unplugged});
}

void XenPlatform::restore(const XenPlatformState& s) noexcept {
  restore_config(s.config);
  ports_.restore(s.ports);
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): a handler is a member
std::uint64_t XenPlatform::read_memory(IoAccess /*a*/) noexcept {
  return 0;
}

void XenPlatform::write_memory(IoAccess /*a*/, std::uint64_t /*value*/) noexcept {}

}  // namespace dm::chipset
