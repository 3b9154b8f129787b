// SPDX-License-Identifier: MIT
// Registers of the 82371AB (PIIX4), function 3, power management, Intel 290562-001 (April 1997), in
// its order and with its names; then the ports that Xen's ACPI tables give to the device model.
// Nothing else in this file.
#pragma once

#include "core/pci/header.h"
#include "core/range.h"
#include "core/reg/map.h"

#include <cstdint>

namespace dm::chipset::piix4 {

using reg::Field;
using reg::Flag;
using reg::Reg;

// clang-format off
// Configuration space. Only I/O space enable (for SMBus, which is missing) can be written.
using PCICMD = pci::PCICMD<0x0000, reg::Layout<pci::CommandBits::IOSE>>;

struct PMBASE    : Reg<"PMBASE",    0x40, std::uint32_t, 0x00000001> {   // power management base address
  using BASE   = Field<15, 6>;
  using Layout = reg::Layout<BASE>;
};
struct CNTA      : Reg<"CNTA",      0x44, std::uint32_t> { using Layout = reg::Storage; };
struct CNTB      : Reg<"CNTB",      0x48, std::uint32_t> { using Layout = reg::Storage; };
struct GPICTL    : Reg<"GPICTL",    0x4c, std::uint32_t> { using Layout = reg::Storage; };
struct DEVRESD   : Reg<"DEVRESD",   0x50, std::uint32_t> { using Layout = reg::Layout<Field<23, 0>>; };
struct DEVACTA   : Reg<"DEVACTA",   0x54, std::uint32_t> { using Layout = reg::Storage; };
struct DEVACTB   : Reg<"DEVACTB",   0x58, std::uint32_t> { using Layout = reg::Storage; };
struct DEVRESA   : Reg<"DEVRESA",   0x5c, std::uint32_t> { using Layout = reg::Storage; };
struct DEVRESB   : Reg<"DEVRESB",   0x60, std::uint32_t> { using Layout = reg::Storage; };
struct DEVRESC   : Reg<"DEVRESC",   0x64, std::uint32_t> { using Layout = reg::Storage; };
struct DEVRESE   : Reg<"DEVRESE",   0x68, std::uint32_t> { using Layout = reg::Storage; };
struct DEVRESF   : Reg<"DEVRESF",   0x6c, std::uint32_t> { using Layout = reg::Storage; };
struct DEVRESG   : Reg<"DEVRESG",   0x70, std::uint32_t> { using Layout = reg::Storage; };
struct DEVRESH   : Reg<"DEVRESH",   0x74, std::uint32_t> { using Layout = reg::Storage; };
struct DEVRESI   : Reg<"DEVRESI",   0x78, std::uint32_t> { using Layout = reg::Storage; };
struct DEVRESJ   : Reg<"DEVRESJ",   0x7c, std::uint32_t> { using Layout = reg::Storage; };
struct PMREGMISC : Reg<"PMREGMISC", 0x80, std::uint8_t> {                // miscellaneous power management
  using PMIOSE = Flag<0>;  // power management I/O space enable
  using Layout = reg::Layout<PMIOSE>;
};
struct SMBBA     : Reg<"SMBBA",     0x90, std::uint32_t, 0x00000001> {   // SMBus base address
  using Layout = reg::Layout<Field<15, 4>>;
};
struct SMBHSTCFG : Reg<"SMBHSTCFG", 0xd2, std::uint8_t>  { using Layout = reg::Layout<Field<3, 0>>; };
struct SMBSLVC   : Reg<"SMBSLVC",   0xd3, std::uint8_t>  { using Layout = reg::Storage; };
struct SMBSHDW1  : Reg<"SMBSHDW1",  0xd4, std::uint8_t>  { using Layout = reg::Storage; };
struct SMBSHDW2  : Reg<"SMBSHDW2",  0xd5, std::uint8_t>  { using Layout = reg::Storage; };
struct SMBREV    : Reg<"SMBREV",    0xd6, std::uint8_t>  {};

using Map = reg::Map<256, pci::VID<0x8086>, pci::DID<0x7113>, PCICMD, pci::PCISTS<0x0280>, pci::RID<0x03>, pci::PI<0x00>,
                     pci::CLASS<0x0680>, pci::HEDT<0x00>, pci::INTLN, pci::INTPN<1>, PMBASE, CNTA, CNTB, GPICTL, DEVRESD,
                     DEVACTA, DEVACTB, DEVRESA, DEVRESB, DEVRESC, DEVRESE, DEVRESF, DEVRESG, DEVRESH, DEVRESI, DEVRESJ,
                     PMREGMISC, SMBBA, SMBHSTCFG, SMBSLVC, SMBSHDW1, SMBSHDW2, SMBREV>;

// Power management I/O space, from PMBASE. PMSTS, PMEN (00-03h) and PMTMR (08-0Bh) are Xen's: only this one is ours.
struct PMCNTRL {                     // ACPI's PM1a_CNT
  static constexpr std::uint16_t kOffset = 0x04;
  using SUS_EN     = Flag<13>;       // ACPI: SLP_EN; reads 0
  using SUS_TYP    = Field<12, 10>;  // ACPI: SLP_TYP
  using BRLD_EN_BM = Flag<1>;
  using SCI_EN     = Flag<0>;
  using Kept       = reg::Layout<SUS_TYP, BRLD_EN_BM, SCI_EN>;
  // What Xen's DSDT says for SLP_TYP.
  static constexpr std::uint16_t kSoftOff = 0;       // _S5, and _S4
  static constexpr std::uint16_t kSuspendToRam = 1;  // _S3
};

// Advanced power management: control and status. On hardware a write to APMC raises SMI#; there is no SMM here.
inline constexpr PortRange kApm{0xb2, 0xb3};
inline constexpr std::uint8_t kAcpiEnable = 0xf1;
inline constexpr std::uint8_t kAcpiDisable = 0xf0;

// General purpose event block 0, as Xen's FADT has it: two bytes of status, two of enables.
struct GPE0 {
  static constexpr PortRange kPorts{0xafe0, 0xafe3};
  using STS = Field<15, 0, reg::Access::w1c>;
  using EN  = Field<31, 16>;
  static constexpr std::uint16_t kCpuHotplug = 1U << 2;  // _E02
};

// PCI hotplug: slots up, slots down, eject, removable slots, bus. Five double words.
inline constexpr PortRange kPciHotplug{0xae00, 0xae13};
// CPU hotplug: one bit for each vCPU that is there. Xen's DSDT reads the first 16 bytes.
inline constexpr PortRange kCpuHotplug{0xaf00, 0xaf1f};
// clang-format on

}  // namespace dm::chipset::piix4
