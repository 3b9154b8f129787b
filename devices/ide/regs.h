// SPDX-License-Identifier: MIT
// Registers as the documents list them: the command and control blocks of ATA/ATAPI-6 (T13 1410D,
// clause 7), the bus-master registers and configuration space of the 82371SB PIIX3 (Intel
// 290550-002, chapters 2.3 and 3.2). Nothing else in this file.
#pragma once

#include "core/pci/header.h"
#include "core/reg/field.h"
#include "core/reg/map.h"

#include <cstdint>

namespace dm::ide::regs {

using reg::Field;
using reg::Flag;

template <class F>
inline constexpr auto kMask = static_cast<std::uint8_t>(F::kMask);

// clang-format off

// Command block, offsets from 0x1f0 or 0x170.
inline constexpr std::uint8_t kData        = 0;  // 16 or 32 bits
inline constexpr std::uint8_t kError       = 1;  // read
inline constexpr std::uint8_t kFeatures    = 1;  // write
inline constexpr std::uint8_t kSectorCount = 2;
inline constexpr std::uint8_t kLbaLow      = 3;
inline constexpr std::uint8_t kLbaMid      = 4;
inline constexpr std::uint8_t kLbaHigh     = 5;
inline constexpr std::uint8_t kDevice      = 6;
inline constexpr std::uint8_t kStatus      = 7;  // read
inline constexpr std::uint8_t kCommand     = 7;  // write
inline constexpr std::uint8_t kCommandBlockSize = 8;

struct STATUS {                                  // 7.15
  using BSY  = Flag<7>;
  using DRDY = Flag<6>;
  using DF   = Flag<5>;                          // device fault
  using DSC  = Flag<4>;                          // seek complete; "command dependent" since ATA-4
  using DRQ  = Flag<3>;
  using ERR  = Flag<0>;
};
inline constexpr std::uint8_t kReady = kMask<STATUS::DRDY> | kMask<STATUS::DSC>;  // and nothing under way
struct ERROR {                                   // 7.8
  using ICRC = Flag<7>;
  using UNC  = Flag<6>;                          // uncorrectable data
  using IDNF = Flag<4>;                          // address not found
  using ABRT = Flag<2>;                          // command aborted
};
struct DEVICE {                                  // 7.7
  using LBA  = Flag<6>;
  using DEV  = Flag<4>;
  using HEAD = Field<3, 0>;                      // or LBA 27:24
  static constexpr std::uint8_t kAlwaysOne = 0xa0;  // obsolete bits 7 and 5: software of the CHS days compares with a0h and b0h
};
struct CONTROL {                                 // 7.5, at 0x3f6 or 0x376
  using HOB  = Flag<7>;                          // high order byte
  using SRST = Flag<2>;
  using nIEN = Flag<1>;
};

// What Error says after a reset or EXECUTE DEVICE DIAGNOSTIC, ATA/ATAPI-6 table 26.
inline constexpr std::uint8_t kDiagnosticPassed = 0x01;

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
