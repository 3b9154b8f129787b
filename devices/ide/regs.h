// SPDX-License-Identifier: MIT
// Registers as the document lists them: the bus-master registers and configuration space of the
// 82371SB PIIX3 (Intel 290550-002, chapters 2.3 and 3.2). Nothing else in this file.
#pragma once

#include "core/pci/header.h"
#include "core/reg/field.h"
#include "core/reg/map.h"

#include <cstdint>

namespace dm::ide::regs {

using reg::Flag;

template <class F>
inline constexpr auto kMask = static_cast<std::uint8_t>(F::kMask);

// clang-format off

// Bus master registers, offsets from BMIBA; the secondary channel 8 higher.
struct BMICX {                                   // Bus Master IDE Command
  static constexpr std::uint8_t kOffset = 0;
  using RWCON = Flag<3>;                         // 1: device to memory
  using SSBM  = Flag<0>;                         // start/stop
  using Layout = reg::Layout<RWCON, SSBM>;
};
struct BMISX {                                   // Bus Master IDE Status
  static constexpr std::uint8_t kOffset = 2;
  using DMA1CAP = Flag<6>;                       // software's own notes
  using DMA0CAP = Flag<5>;
  using IDEINTS = Flag<2>;                       // w1c: the interrupt line rose
  using ERROR   = Flag<1>;                       // w1c: target or master abort
  using BMIDEA  = Flag<0>;                       // active
};
struct BMIDTPX {                                 // Bus Master IDE Descriptor Table Pointer
  static constexpr std::uint8_t kOffset = 4;
  static constexpr std::uint32_t kWritable = 0xfffffffc;
};
inline constexpr std::uint8_t kBusMasterSize = 8;  // bytes a channel
inline constexpr std::uint8_t kBmibaSize     = 16;

// Configuration space of function 1.
struct IDETIM_P : reg::Reg<"IDETIM_P", 0x40, std::uint16_t> { using Layout = reg::Storage; };  // timing, primary
struct IDETIM_S : reg::Reg<"IDETIM_S", 0x42, std::uint16_t> { using Layout = reg::Storage; };  // timing, secondary
struct SIDETIM  : reg::Reg<"SIDETIM",  0x44, std::uint8_t>  { using Layout = reg::Storage; };  // slave timing

using ConfigMap = reg::Map<256,
    pci::VID<0x8086>, pci::DID<0x7010>,
    pci::PCICMD<0x0000>, pci::PCISTS<0x0280>,    // fast back-to-back, medium DEVSEL
    pci::RID<0x00>,
    pci::PI<0x80>,                               // bus master capable, both channels in compatibility mode for good
    pci::CLASS<0x0101>, pci::MLT<4>, pci::HEDT<0x00>,  // MLT: bits 3:0 are hardwired to 0
    pci::SVID<0x1af4>, pci::SID<0x1100>,
    pci::INTPN<0>,                               // IRQ 14 and 15: no INTx, and no interrupt line (3Ch is reserved)
    IDETIM_P, IDETIM_S, SIDETIM>;

// clang-format on

}  // namespace dm::ide::regs
