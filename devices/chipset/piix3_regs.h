// SPDX-License-Identifier: MIT
// Configuration registers of the 82371SB (PIIX3), function 0, Intel 290550-002 (April 1997), in its
// order and with its names. Nothing else in this file.
#pragma once

#include "core/pci/header.h"
#include "core/reg/map.h"

#include <cstdint>

namespace dm::chipset::piix3 {

using reg::Field;
using reg::Flag;
using reg::Reg;

// clang-format off
// Bus mastering, memory and I/O cannot be switched off; bit 3 lets it answer special cycles.
using PCICMD = pci::PCICMD<0x0007, reg::Layout<Flag<3>>>;

// PIRQx route control: which ISA interrupt PCI INTx# drives.
template <reg::Name N, std::size_t Offset>
struct PIRQRC : Reg<N, Offset, std::uint8_t, 0x80> {
  using NR     = Flag<7>;      // 1: not routed
  using IRQ    = Field<3, 0>;
  using Layout = reg::Layout<NR, IRQ>;
};
using PIRQRCA = PIRQRC<"PIRQRCA", 0x60>;
using PIRQRCB = PIRQRC<"PIRQRCB", 0x61>;
using PIRQRCC = PIRQRC<"PIRQRCC", 0x62>;
using PIRQRCD = PIRQRC<"PIRQRCD", 0x63>;

struct IORT    : Reg<"IORT",     0x4c, std::uint8_t, 0x4d>    { using Layout = reg::Storage; };  // ISA I/O recovery timer
struct XBCS    : Reg<"XBCS",     0x4e, std::uint16_t, 0x0003> { using Layout = reg::Storage; };  // X-bus chip select
struct TOM     : Reg<"TOM",      0x69, std::uint8_t, 0x02>    { using Layout = reg::Storage; };  // top of memory
struct MSTAT   : Reg<"MSTAT",    0x6a, std::uint16_t>         { using Layout = reg::Storage; };  // miscellaneous status
struct MBIRQ0  : Reg<"MBIRQ0",   0x70, std::uint8_t, 0x80>    { using Layout = reg::Storage; };  // motherboard IRQ route
struct MBDMA0  : Reg<"MBDMA0",   0x76, std::uint8_t, 0x0c>    { using Layout = reg::Storage; };  // motherboard DMA route
struct MBDMA1  : Reg<"MBDMA1",   0x77, std::uint8_t, 0x0c>    { using Layout = reg::Storage; };
struct PCSC    : Reg<"PCSC",     0x78, std::uint16_t, 0x0002> { using Layout = reg::Storage; };  // programmable chip select
struct APICBASE: Reg<"APICBASE", 0x80, std::uint8_t>          { using Layout = reg::Storage; };
struct DLC     : Reg<"DLC",      0x82, std::uint8_t>          { using Layout = reg::Storage; };  // deterministic latency
struct SMICNTL : Reg<"SMICNTL",  0xa0, std::uint8_t, 0x08>    { using Layout = reg::Storage; };
struct SMIEN   : Reg<"SMIEN",    0xa2, std::uint16_t>         { using Layout = reg::Storage; };
struct SEE     : Reg<"SEE",      0xa4, std::uint32_t>         { using Layout = reg::Storage; };  // system event enable
struct FTMR    : Reg<"FTMR",     0xa8, std::uint8_t, 0x0f>    { using Layout = reg::Storage; };  // fast off timer
struct SMIREQ  : Reg<"SMIREQ",   0xaa, std::uint16_t>         { using Layout = reg::Storage; };
struct CTLTMR  : Reg<"CTLTMR",   0xac, std::uint8_t>          { using Layout = reg::Storage; };  // clock throttle, low
struct CTHTMR  : Reg<"CTHTMR",   0xae, std::uint8_t>          { using Layout = reg::Storage; };  // clock throttle, high

// Header type 80h: there are functions 1 (IDE) and, from the PIIX4, 3 (power management).
using Map = reg::Map<256, pci::VID<0x8086>, pci::DID<0x7000>, PCICMD, pci::PCISTS<0x0200>, pci::RID<0x00>, pci::PI<0x00>,
                     pci::CLASS<0x0601>, pci::HEDT<0x80>, IORT, XBCS, PIRQRCA, PIRQRCB, PIRQRCC, PIRQRCD, TOM, MSTAT,
                     MBIRQ0, MBDMA0, MBDMA1, PCSC, APICBASE, DLC, SMICNTL, SMIEN, SEE, FTMR, SMIREQ, CTLTMR, CTHTMR>;
// clang-format on

}  // namespace dm::chipset::piix3
