// SPDX-License-Identifier: MIT
#include "devices/chipset/cmos.h"

#include "devices/chipset/byte_io.h"
#include "devices/chipset/fixed_ports.h"

namespace dm::chipset {

Cmos::Cmos(PioBus& pio, const CmosPresets& presets)
    : ram_{presets},
      claim_{claim_fixed(
          pio, {0x70, 0x71}, IoHandler::bind<&Cmos::read, &Cmos::write>(*this), "CMOS")} {}

/// The index port cannot be read back on a PC.
std::uint64_t Cmos::read(IoAccess a) const noexcept {
  return read_bytes(
      a, [this](std::uint64_t at) noexcept { return at == 0 ? std::uint8_t{0xff} : ram_.read(); });
}

void Cmos::write(IoAccess a, std::uint64_t value) noexcept {
  write_bytes(a, value, [this](std::uint64_t at, std::uint8_t byte) noexcept {
    if (at == 0) {
      ram_.select(byte);
    } else {
      ram_.write(byte);
    }
  });
}

}  // namespace dm::chipset
