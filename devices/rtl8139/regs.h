// SPDX-License-Identifier: MIT
// The registers of Realtek's RTL8139C+, in the order of their offsets and with the datasheet's
// names, and its configuration space. Reset values and masks are those on which drivers lean;
// where the datasheet's are not known, those of the part's common emulation. Nothing else in this
// file.
#pragma once

#include "core/pci/header.h"
#include "core/reg/field.h"
#include "core/reg/map.h"
#include "devices/rtl8139/register_list.h"

#include <cstdint>

namespace dm::rtl8139::regs {

using reg::Access;
using reg::Field;
using reg::Flag;
using reg::Reg;
using reg::Storage;

// clang-format off

/// Writes need 9346CR.EEM = 11.
struct Locked { static constexpr bool kWriteActs = true; };

// The station address, from the EEPROM at each reset.
struct IDR0  : Reg<"IDR0", 0x00, std::uint32_t> { using Layout = Storage; static constexpr bool kWriteActs = true; };
struct IDR4  : Reg<"IDR4", 0x04, std::uint16_t> { using Layout = Storage; static constexpr bool kWriteActs = true; };
// 64 bits of the multicast hash.
struct MAR   : RegArray<"MAR", 0x08, std::uint32_t, 2> { using Layout = Storage; static constexpr bool kKept = true; };
// Transmit status of the four descriptors of C mode. In C+ mode the first two are the dump tally counter command.
struct TSD   : RegArray<"TSD", 0x10, std::uint32_t, 4, 0x2000> {
  using SIZE   = Field<12, 0>;
  using OWN    = Flag<13>;                       // 1: the driver's
  using TUN    = Flag<14>;
  using TOK    = Flag<15>;
  using STATUS = Field<31, 24>;                  // NCC, CDH, OWC, TABT, CRS
  using TABT   = Flag<30>;
  using Layout = Storage;
  static constexpr bool kWriteActs = true;
};
struct DTCCR { using CMD = Flag<3>; static constexpr std::uint32_t kAddress = 0xffffffc0; };
// Buffers of C mode. In C+ mode the first two are the ring of normal priority (TNPDS), the others that of high priority.
struct TSAD  : RegArray<"TSAD", 0x20, std::uint32_t, 4> { using Layout = Storage; static constexpr bool kWriteActs = true;
                                                          static constexpr bool kKept = true; };
struct RBSTART : Reg<"RBSTART", 0x30, std::uint32_t> { using Layout = Storage; };
struct ERBCR : Reg<"ERBCR", 0x34, std::uint16_t> {};    // early receive: never used
struct ERSR  : Reg<"ERSR",  0x36, std::uint8_t> {};
struct CR    : Reg<"CR", 0x37, std::uint8_t> {
  using BUFE   = Flag<0>;                        // the ring of C mode is empty
  using TE     = Flag<2>;
  using RE     = Flag<3>;
  using RST    = Flag<4>;
  using Layout = reg::Layout<TE, RE>;
  static constexpr bool kReadActs = true;
  static constexpr bool kWriteActs = true;
};
struct CAPR  : Reg<"CAPR", 0x38, std::uint16_t, 0xfff0> { using Layout = Storage; static constexpr bool kWriteActs = true; };
struct CBR   : Reg<"CBR",  0x3a, std::uint16_t> { static constexpr std::uint16_t kLive = 0xffff; };

template <reg::Name N, std::size_t Offset>
struct CauseRegister : Reg<N, Offset, std::uint16_t> {
  using ROK     = Flag<0>;
  using RER     = Flag<1>;
  using TOK     = Flag<2>;
  using TER     = Flag<3>;
  using RDU     = Flag<4>;                       // C+ mode: no receive descriptor
  using PUN     = Flag<5>;                       // link change
  using SWInt   = Flag<8>;
  using TimeOut = Flag<14>;
};
struct IMR   : CauseRegister<"IMR", 0x3c> { using Layout = reg::Layout<Field<15, 13>, Field<8, 0>>;
                                            static constexpr bool kReadActs = true; static constexpr bool kWriteActs = true; };
struct ISR   : CauseRegister<"ISR", 0x3e> { using Layout = reg::Layout<Field<15, 13, Access::w1c>, Field<8, 0, Access::w1c>>;
                                            static constexpr bool kReadActs = true; static constexpr bool kWriteActs = true; };

// Bits 30:26, 23 and 22 name the part: 8139C+.
struct TCR   : Reg<"TCR", 0x40, std::uint32_t, 0x74800000> {
  using MXDMA  = Field<10, 8>;
  using CRC    = Flag<16>;                       // the driver's frames have an FCS
  using LBK    = Field<18, 17>;
  using IFG    = Field<25, 24>;
  using TXRR   = Field<7, 4>;
  static constexpr std::uint32_t kLoopback = 3;
  using Layout = reg::Layout<TXRR, MXDMA, CRC, LBK, IFG>;
  static constexpr bool kWriteActs = true;
};
struct RCR   : Reg<"RCR", 0x44, std::uint32_t> {
  using AAP    = Flag<0>;                        // all
  using APM    = Flag<1>;                        // the station address
  using AM     = Flag<2>;                        // multicast, by MAR
  using AB     = Flag<3>;                        // broadcast
  using WRAP   = Flag<7>;                        // C mode: an entry may go on behind the ring
  using RBLEN  = Field<12, 11>;                  // C mode: 8 KiB << n
  using Layout = reg::Layout<Field<27, 24>, Field<17, 7>, Field<5, 0>>;  // bit 6 is 0: a 93C46
  static constexpr bool kWriteActs = true;
};
struct TCTR  : Reg<"TCTR", 0x48, std::uint32_t> { static constexpr bool kReadActs = true; static constexpr bool kWriteActs = true; };
struct MPC   : Reg<"MPC",  0x4c, std::uint32_t> { static constexpr std::uint32_t kLive = 0x00ffffff; static constexpr bool kWriteActs = true; };
struct EECR  : Reg<"9346CR", 0x50, std::uint8_t> {
  using EEDO   = Flag<0>;
  using EEDI   = Flag<1>;
  using EESK   = Flag<2>;
  using EECS   = Flag<3>;
  using EEM    = Field<7, 6>;
  static constexpr std::uint8_t kLoad = 1, kProgram = 2, kUnlock = 3;
  using Layout = reg::Layout<EEDI, EESK, EECS, EEM>;
  static constexpr bool kReadActs = true;
  static constexpr bool kWriteActs = true;
  static constexpr bool kKept = true;
};
struct CONFIG0 : Reg<"CONFIG0", 0x51, std::uint8_t>,       Locked { using Layout = reg::Layout<Field<2, 0>>; };
// MEMMAP and IOMAP are 1, VPD is 0.
struct CONFIG1 : Reg<"CONFIG1", 0x52, std::uint8_t, 0x0c>, Locked { using Layout = reg::Layout<Field<7, 4>, Flag<0>>; };
struct TimerInt : Reg<"TimerInt", 0x54, std::uint32_t> { using Layout = Storage; static constexpr bool kWriteActs = true; };
struct MSR   : Reg<"MSR", 0x58, std::uint8_t, 0xd0> {
  using LINKB    = Flag<2>;                      // 1: down
  using SPEED_10 = Flag<3>;
  static constexpr bool kReadActs = true;
};
struct CONFIG3 : Reg<"CONFIG3", 0x59, std::uint8_t, 0x01>, Locked { using Layout = reg::Layout<Field<6, 4>>; };
struct CONFIG4 : Reg<"CONFIG4", 0x5a, std::uint8_t>,       Locked { using Layout = reg::Layout<Field<7, 4>, Flag<2>, Flag<0>>;
                                                                    static constexpr bool kKept = true; };
struct HLTCLK : Reg<"HLTCLK", 0x5b, std::uint8_t, 1> { static constexpr std::uint8_t kLive = 1; static constexpr bool kWriteActs = true; };
struct MULINT : Reg<"MULINT", 0x5c, std::uint16_t> { using Layout = reg::Layout<Field<11, 0>>; static constexpr bool kKept = true; };
struct RERID  : Reg<"RERID",  0x5e, std::uint8_t, 0x20> {};
// What TSD0 to TSD3 say, in one word.
struct TSADS  : Reg<"TSAD", 0x60, std::uint16_t, 0x000f> { static constexpr bool kReadActs = true; };

// The PHY's registers, IEEE 802.3 22.2.4.
struct BMCR   : Reg<"BMCR", 0x62, std::uint16_t, 0x3100> {
  using DUPLEX = Flag<8>;
  using ANE    = Flag<12>;
  using SPD_SET = Flag<13>;
  using Layout = reg::Layout<DUPLEX, ANE, SPD_SET>;
  static constexpr bool kWriteActs = true;       // as Locked
};
struct BMSR   : Reg<"BMSR", 0x64, std::uint16_t, 0x7809> { static constexpr bool kReadActs = true; };
struct ANAR   : Reg<"ANAR", 0x66, std::uint16_t, 0x05e1> { using Layout = Storage; };
struct ANLPAR : Reg<"ANLPAR", 0x68, std::uint16_t> { static constexpr bool kReadActs = true; };
struct ANER   : Reg<"ANER", 0x6a, std::uint16_t, 0x0001> {};
struct CSCR   : Reg<"CSCR", 0x74, std::uint16_t, 0x0340> {
  using LINK_OK     = Flag<10>;
  using LINK_CHANGE = Flag<11>;                  // until read
  static constexpr bool kReadActs = true;
};
// Wake-up frames: storage that nothing looks at.
struct WAKE   : RegArray<"Wakeup", 0x84, std::uint32_t, 20> { using Layout = Storage; static constexpr bool kKept = true; };
struct CONFIG5 : Reg<"CONFIG5", 0xd8, std::uint8_t> { using Layout = reg::Layout<Field<6, 0>>; };
struct TPPoll : Reg<"TPPoll", 0xd9, std::uint8_t> {
  using FSWInt = Flag<0>;
  using NPQ    = Flag<6>;
  static constexpr bool kWriteActs = true;
};
struct CpCR   : Reg<"CpCR", 0xe0, std::uint16_t> {
  using CPTX     = Flag<0>;
  using CPRX     = Flag<1>;
  using RxChkSum = Flag<5>;
  using RxVLAN   = Flag<6>;
  using Layout   = reg::Layout<Field<6, 3>, CPRX, CPTX>;
  static constexpr bool kWriteActs = true;
};
struct RDSAR  : RegArray<"RDSAR", 0xe4, std::uint32_t, 2> { using Layout = Storage; static constexpr bool kWriteActs = true; };
struct ETThR  : Reg<"ETThR", 0xec, std::uint8_t> { using Layout = Storage; static constexpr bool kKept = true; };

using List = RegisterList<
    IDR0, IDR4, MAR, TSD, TSAD, RBSTART, ERBCR, ERSR, CR, CAPR, CBR, IMR, ISR, TCR, RCR, TCTR, MPC, EECR, CONFIG0, CONFIG1,
    TimerInt, MSR, CONFIG3, CONFIG4, HLTCLK, MULINT, RERID, TSADS, BMCR, BMSR, ANAR, ANLPAR, ANER, CSCR, WAKE, CONFIG5, TPPoll,
    CpCR, RDSAR, ETThR>;

inline constexpr std::uint32_t kBar = 256;

// Configuration space. Subsystem: QEMU's default, by which Windows knows an installed card. There is a pointer to
// capabilities and no bit that says so: nothing is there.
using Command = reg::Layout<pci::CommandBits::IOSE, pci::CommandBits::MSE, pci::CommandBits::BME, Flag<4>,
                            pci::CommandBits::PER, pci::CommandBits::SERRE>;
using PciStatus = pci::PCISTS<0x0280>;           // fast back-to-back, medium DEVSEL
using ConfigMap = reg::Map<256,
    pci::VID<0x10ec>, pci::DID<0x8139>,
    pci::PCICMD<0x0000, Command>, PciStatus,
    pci::RID<0x20>, pci::PI<0x00>, pci::CLASS<0x0200>,
    pci::CLS, pci::MLT<0>, pci::HEDT<0x00>,
    pci::SVID<0x1af4>, pci::SID<0x1100>,
    Reg<"CAP_PTR", 0x34, std::uint8_t, 0xdc>,
    pci::INTLN, pci::INTPN<1>>;

// clang-format on

}  // namespace dm::rtl8139::regs
