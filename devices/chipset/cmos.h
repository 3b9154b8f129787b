// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/pio_bus.h"
#include "devices/chipset/cmos_ram.h"

#include <cstdint>

namespace dm::chipset {

/// Ports 0x70 and 0x71. Xen takes index writes below 0x0E, and the data accesses after them, for
/// its own clock. We see only the others, so a data access here always belongs to the last index
/// that came here. Thread rule: the loop's thread only. Sources: MC146818A; Xen
/// xen/arch/x86/hvm/rtc.c.
class Cmos {
 public:
  /// Throws std::runtime_error when the ports are not to be had.
  Cmos(PioBus& pio, const CmosPresets& presets);

  [[nodiscard]] CmosRam& ram() noexcept { return ram_; }

  /// A reset clears only the index: the memory has a battery.
  void reset() noexcept { ram_.select(0); }
  [[nodiscard]] const CmosState& state() const noexcept { return ram_.state(); }
  void restore(const CmosState& s) noexcept { ram_.restore(s); }

 private:
  [[nodiscard]] std::uint64_t read(IoAccess a) const noexcept;
  void write(IoAccess a, std::uint64_t value) noexcept;

  CmosRam ram_;
  PioClaim claim_;
};

}  // namespace dm::chipset
