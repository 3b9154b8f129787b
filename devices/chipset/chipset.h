// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/pio_bus.h"
#include "core/irq/irq_line.h"
#include "core/obs/inspector.h"
#include "core/pci/pci_bus.h"
#include "core/ports/domain_control.h"
#include "core/ports/unplug.h"
#include "core/result.h"
#include "devices/chipset/cmos.h"
#include "devices/chipset/config_ports.h"
#include "devices/chipset/dma8237.h"
#include "devices/chipset/host_bridge.h"
#include "devices/chipset/i8042.h"
#include "devices/chipset/piix3_isa.h"
#include "devices/chipset/piix4_pm.h"
#include "devices/chipset/port92.h"
#include "devices/chipset/xen_platform.h"

#include <optional>
#include <string_view>

namespace dm::chipset {

struct Config {
  CmosPresets cmos{};
  unsigned vcpus_online = 1;
  unsigned vcpus_max = 1;
  bool acpi = true;  ///< false: no power management function (acpi=0 in the guest's configuration)
  bool xen_platform = true;  ///< false: no platform device, no unplug (xen_platform_pci=0)
};

/// A function that this machine does not have keeps its power-on values here and is not restored.
struct ChipsetState {
  HostBridgeState host_bridge;
  ConfigPortsState config_ports;
  Piix3IsaState isa;
  CmosState cmos;
  I8042State i8042;
  Port92State port92;
  Dma8237State dma;
  Piix4PmState pm;
  XenPlatformState platform;
  bool has_pm = true;
  bool has_platform = true;
};

template <class Visitor>
void describe(Visitor& v, ChipsetState& s) {
  v.field(1, "host_bridge", s.host_bridge);
  v.field(2, "config_ports", s.config_ports);
  v.field(3, "isa", s.isa);
  v.field(4, "cmos", s.cmos);
  v.field(5, "i8042", s.i8042);
  v.field(6, "port92", s.port92);
  v.field(7, "dma", s.dma);
  v.field(8, "pm", s.pm);
  v.field(9, "platform", s.platform);
  v.field(10, "has_pm", s.has_pm);
  v.field(11, "has_platform", s.has_platform);
}
[[nodiscard]] bool validate(const ChipsetState& s) noexcept;

/// What the guest of this valid state has unplugged.
[[nodiscard]] UnplugRequest unplugged_by(const ChipsetState& s) noexcept;

/// All chips of the PC that Xen leaves out and that have no back end: every guest gets them before
/// disks, cards and serial ports. Construct it first, so that its slots and ports are free. The
/// buses must outlive it. Nothing allocates or throws after construction. Thread rule: the loop's
/// thread only.
class Chipset {
 public:
  struct Ports {
    PioBus& pio;
    PciBus& pci;
    IrqRouter& irqs;
    DomainControl& control;
    UnplugHandler& unplug;  ///< called only when a guest asks, or by restore()
  };
  /// Throws std::runtime_error when a slot or port is taken or the hypervisor refuses it.
  Chipset(const Ports& ports, const Config& config);

  /// Adds a vCPU, on behalf of management. False when it is online already, can never be, or the
  /// machine has no ACPI to tell the guest.
  bool plug_vcpu(unsigned index) noexcept { return pm_ && pm_->acpi().plug_vcpu(index); }
  [[nodiscard]] bool vcpu_online(unsigned index) const noexcept {
    return pm_ ? pm_->acpi().vcpu_online(index) : index < vcpus_online_;
  }
  [[nodiscard]] bool has_acpi() const noexcept { return pm_.has_value(); }
  [[nodiscard]] unsigned vcpus_online() const noexcept {
    return pm_ ? pm_->acpi().vcpus_online() : vcpus_online_;
  }

  /// Where a person's keys and movements of the mouse arrive.
  [[nodiscard]] I8042& i8042() noexcept { return i8042_; }

  /// Power-on values everywhere, but CMOS contents, vCPUs and what was unplugged stay.
  void reset() noexcept;
  /// The end of S3. The configuration latch, the CMOS index, the keyboard controller, port 92h and
  /// the DMA controllers are as after power-on. PCI configuration, interrupt routes, ACPI's
  /// registers and CMOS contents stay as firmware set them up, since under Xen no firmware does it
  /// again: SeaBIOS skips PCI and power management there (src/fw/pciinit.c), and hvmloader does not
  /// run.
  void wake() noexcept;
  [[nodiscard]] ChipsetState state() const noexcept;
  /// Fails if the state is from a machine with other functions, or with vCPUs that cannot be here.
  /// Adds what its guest has unplugged to `gone`.
  [[nodiscard]] Result<> fits(const ChipsetState& s, UnplugRequest& gone) const;
  /// Replaces the state by a saved one. False, and nothing changes, unless validate() agrees.
  /// Interrupt levels and link routes are sent to Xen where they differ from what was sent before;
  /// Xen takes a level that it has already as no change.
  [[nodiscard]] bool restore(const ChipsetState& s) noexcept;

  /// vcpus_online, and the state under `name`.
  void inspect(Inspector& to, std::string_view name) const;

 private:
  HostBridge host_bridge_;
  ConfigPorts config_ports_;
  Piix3Isa isa_;
  Cmos cmos_;
  I8042 i8042_;
  Port92 port92_;
  Dma8237 dma_;
  std::optional<Piix4Pm> pm_;
  std::optional<XenPlatform> platform_;
  unsigned vcpus_online_;
  unsigned vcpus_max_;
};

}  // namespace dm::chipset
