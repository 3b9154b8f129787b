// SPDX-License-Identifier: MIT
#pragma once

#include "core/ports/unplug.h"
#include "devices/chipset/chipset.h"
#include "tests/drivers/chipset_driver.h"
#include "tests/rig/sim_guest.h"

#include <vector>

namespace dm::test {

/// Remembers what was to be unplugged.
class RecordingUnplug final : public UnplugHandler {
 public:
  void unplug(UnplugRequest request) noexcept override { requests.push_back(request); }
  std::vector<UnplugRequest> requests;
};

/// A machine with nothing but its chips.
struct Machine {
  explicit Machine(const chipset::Config& config = {})
      : chipset{{guest.pio(), guest.pci(), guest.irqs(), guest.control(), unplug}, config} {}

  [[nodiscard]] std::uint64_t cfg(PciBdf at, std::uint32_t reg, std::uint8_t size) {
    return guest.config_read(at, reg, size);
  }
  [[nodiscard]] bool rebooted_once() {
    return guest.shutdowns() == std::vector{ShutdownReason::reboot};
  }

  rig::SimGuest guest;
  RecordingUnplug unplug;
  chipset::Chipset chipset;
  drivers::FirmwareDriver firmware{guest};
  drivers::KeyboardDriver kbc{guest};
};

inline constexpr PciBdf kHostBridge{0, 0};
inline constexpr PciBdf kIsa{1, 0};
inline constexpr PciBdf kPm{1, 3};
inline constexpr PciBdf kPlatform{2, 0};

}  // namespace dm::test
