// SPDX-License-Identifier: MIT
// Configuration registers of the 82441FX PCI and Memory Controller (PMC), Intel 290549-001 (May
// 1996), in its order and with its names. Nothing else in this file.
#pragma once

#include "core/pci/header.h"
#include "core/reg/map.h"

#include <cstdint>

namespace dm::chipset::pmc {

using reg::Field;
using reg::Flag;
using reg::Reg;

// clang-format off
// Bus mastering and memory access cannot be switched off, I/O access cannot be switched on.
using PCICMD = pci::PCICMD<0x0006, reg::Layout<pci::CommandBits::PER, pci::CommandBits::SERRE>>;
struct PMCCFG : Reg<"PMCCFG",  0x50, std::uint16_t>        { using Layout = reg::Storage; };  // PMC configuration
struct DETURBO: Reg<"DETURBO", 0x52, std::uint8_t>         { using Layout = reg::Storage; };  // Deturbo counter
struct DBC    : Reg<"DBC",     0x53, std::uint8_t, 0x80>   { using Layout = reg::Storage; };  // DBX buffer control
struct AXC    : Reg<"AXC",     0x54, std::uint8_t>         { using Layout = reg::Storage; };  // auxiliary control
struct DRT    : Reg<"DRT",     0x55, std::uint16_t>        { using Layout = reg::Storage; };  // DRAM row type
struct DRAMC  : Reg<"DRAMC",   0x57, std::uint8_t, 0x01>   { using Layout = reg::Storage; };  // DRAM control
struct DRAMT  : Reg<"DRAMT",   0x58, std::uint8_t, 0x10>   { using Layout = reg::Storage; };  // DRAM timing
// Programmable attribute map: read and write enable for each 16 KiB of C0000-EFFFF, and for F0000-FFFFF.
using PamHigh = Field<5, 4>;
using PamLow = Field<1, 0>;
struct PAM0   : Reg<"PAM0",    0x59, std::uint8_t>         { using Layout = reg::Layout<PamHigh>; };
struct PAM1   : Reg<"PAM1",    0x5a, std::uint8_t>         { using Layout = reg::Layout<PamHigh, PamLow>; };
struct PAM2   : Reg<"PAM2",    0x5b, std::uint8_t>         { using Layout = reg::Layout<PamHigh, PamLow>; };
struct PAM3   : Reg<"PAM3",    0x5c, std::uint8_t>         { using Layout = reg::Layout<PamHigh, PamLow>; };
struct PAM4   : Reg<"PAM4",    0x5d, std::uint8_t>         { using Layout = reg::Layout<PamHigh, PamLow>; };
struct PAM5   : Reg<"PAM5",    0x5e, std::uint8_t>         { using Layout = reg::Layout<PamHigh, PamLow>; };
struct PAM6   : Reg<"PAM6",    0x5f, std::uint8_t>         { using Layout = reg::Layout<PamHigh, PamLow>; };
struct DRB    : Reg<"DRB",     0x60, std::uint64_t, 0x0101010101010101> { using Layout = reg::Storage; };  // 8 row boundaries
struct FDHC   : Reg<"FDHC",    0x68, std::uint8_t>         { using Layout = reg::Layout<Field<7, 6>>; };   // fixed DRAM hole
struct MTT    : Reg<"MTT",     0x70, std::uint8_t>         { using Layout = reg::Layout<Field<7, 3>>; };   // multi-transaction timer
struct CLT    : Reg<"CLT",     0x71, std::uint8_t, 0x10>   { using Layout = reg::Layout<Field<7, 3>>; };   // CPU latency timer
struct SMRAM  : Reg<"SMRAM",   0x72, std::uint8_t, 0x02> {                     // system management RAM control
  using DOPEN    = Flag<6>;  // SMM space open
  using DCLS     = Flag<5>;  // SMM space closed
  using DLCK     = Flag<4>;  // SMM space locked: DOPEN becomes 0, and both keep their value until power-on
  using SMRAME   = Flag<3>;  // SMRAM enable
  using CBASESEG = Field<2, 0, reg::Access::ro>;
  using Layout   = reg::Layout<DOPEN, DCLS, DLCK, SMRAME, CBASESEG>;
};
struct ERRCMD : Reg<"ERRCMD",  0x90, std::uint8_t>         { using Layout = reg::Storage; };               // error command
struct ERRSTS : Reg<"ERRSTS",  0x91, std::uint8_t> {                           // error status
  using FIRST  = Field<7, 5, reg::Access::ro>;   // row of the first multi-bit error
  using MULTI  = Flag<4, reg::Access::w1c>;
  using FIRSTS = Field<3, 1, reg::Access::ro>;   // row of the first single-bit error
  using SINGLE = Flag<0, reg::Access::w1c>;
  using Layout = reg::Layout<FIRST, MULTI, FIRSTS, SINGLE>;
};
struct TRC    : Reg<"TRC",     0x93, std::uint8_t>         { using Layout = reg::Layout<Field<3, 0>>; };   // turbo reset control

// The PMC has no subsystem ids. These are Xen's, see README: 1af4:1100 here would send SeaBIOS looking for fw_cfg.
using SVID = pci::SVID<0x5853>;
using SID  = pci::SID<0x0001>;

using Map = reg::Map<256, pci::VID<0x8086>, pci::DID<0x1237>, PCICMD, pci::PCISTS<0x0280>, pci::RID<0x02>, pci::PI<0x00>,
                     pci::CLASS<0x0600>, pci::MLT<3>, pci::HEDT<0x00>, SVID, SID, PMCCFG, DETURBO, DBC, AXC, DRT, DRAMC, DRAMT,
                     PAM0, PAM1, PAM2, PAM3, PAM4, PAM5, PAM6, DRB, FDHC, MTT, CLT, SMRAM, ERRCMD, ERRSTS, TRC>;
// clang-format on

}  // namespace dm::chipset::pmc
