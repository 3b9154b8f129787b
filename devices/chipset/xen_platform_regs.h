// SPDX-License-Identifier: MIT
// Xen's platform device, as docs/misc/hvm-emulated-unplug.pandoc of Xen 4.17 and the guests'
// drivers know it. Nothing else in this file.
#pragma once

#include "core/pci/header.h"
#include "core/range.h"
#include "core/reg/map.h"

#include <cstdint>

namespace dm::chipset::xen_platform {

// clang-format off
// INTA belongs to Xen: it raises it for event channels. It never masters, so there is no latency timer.
using Map = reg::Map<256, pci::VID<0x5853>, pci::DID<0x0001>, pci::PCICMD<0x0000>, pci::PCISTS<0x0000>, pci::RID<0x01>,
                     pci::PI<0x00>, pci::CLASS<0xff80>, pci::CLS, pci::HEDT<0x00>, pci::SVID<0x5853>,
                     pci::SID<0x0001>, pci::INTLN, pci::INTPN<1>>;

inline constexpr std::uint32_t kIoBarSize = 0x100;             // BAR 0
inline constexpr std::uint32_t kMemoryBarSize = 16U << 20;     // BAR 1: guests use the address space only

// Fixed ports 10h-1Fh. The width of an access says what it means.
inline constexpr PortRange kPorts{0x10, 0x1f};
inline constexpr std::uint64_t kMagicOrMask  = 0;  // word read: magic; word write: unplug mask
inline constexpr std::uint64_t kFlagsOrBuild = 0;  // byte: flags; double word write: driver's build number
inline constexpr std::uint64_t kVersionOrLog = 2;  // byte read: protocol version; byte write: character for the log
inline constexpr std::uint64_t kProduct      = 2;  // word write: driver's product number
inline constexpr std::uint16_t kMagic        = 0x49d2;
inline constexpr std::uint8_t  kVersion      = 1;

struct FLAGS {
  using ROM_LOCK = reg::Flag<0>;
};
struct UNPLUG {
  using IDE_DISKS      = reg::Flag<0>;  // IDE and SCSI disks, not CD-ROMs
  using NICS           = reg::Flag<1>;
  using AUX_IDE_DISKS  = reg::Flag<2>;  // all but the primary master; IDE_DISKS wins
  using NVME           = reg::Flag<3>;  // there are none
  using Layout         = reg::Layout<IDE_DISKS, NICS, AUX_IDE_DISKS, NVME>;
};

// BAR 0: the flags again, and the unplug registers of old SUSE drivers.
inline constexpr std::uint64_t kOldUnplugAll  = 4;  // 1: disks and network cards
inline constexpr std::uint64_t kOldUnplugSome = 8;  // 1: disks, 2: network cards

// The firmware's 256 KiB below 1 MiB, which the ROM lock makes read-only.
inline constexpr std::uint64_t kRomFirstGfn = 0xc0;
inline constexpr std::uint32_t kRomPages    = 0x40;
// clang-format on

}  // namespace dm::chipset::xen_platform
