// SPDX-License-Identifier: MIT
// The registers of the 82540EM, in the order and with the names of Intel's "PCI/PCI-X Family of
// Gigabit Ethernet Controllers Software Developer's Manual" (8254x SDM, 317453), chapter 13, and
// its configuration space, chapter 4. Nothing else in this file.
#pragma once

#include "core/pci/header.h"
#include "core/reg/field.h"
#include "core/reg/map.h"
#include "devices/e1000/register_list.h"

#include <cstdint>

namespace dm::e1000::regs {

using reg::Field;
using reg::Flag;
using reg::Storage;
template <unsigned Hi, unsigned Lo = 0>
using Bits = reg::Layout<Field<Hi, Lo>>;

// clang-format off

// General. What a reset leaves is what the manual's table of the register says; where that is X or nothing, 0.
// 13.4.1: FD, LRST, SPEED 1000, FRCSPD (00000A09h), and then what word 0Ah of the EEPROM has for FD, LRST, FRCSPD
// and ILOS: FD alone. See Eeprom::load().
struct CTRL : Reg<"CTRL", 0x0000, 0x00000a09> {
  using FD      = Flag<0>;
  using LRST    = Flag<3>;
  using SLU     = Flag<6>;                       // set link up
  using ILOS    = Flag<7>;
  using FRCSPD  = Flag<11>;                      // force speed
  using RST     = Flag<26>;                      // self-clearing
  using VME     = Flag<30>;                      // VLAN mode enable
  using PHY_RST = Flag<31>;
  using Layout  = reg::Layout<Field<25, 0>, Field<30, 27>, PHY_RST>;
  static constexpr bool kWriteActs = true;
};
struct STATUS : Reg<"STATUS", 0x0008, 0x00000281> {  // 13.4.2: full duplex, 1000 Mb/s in SPEED and ASDV, copper, 32-bit 33 MHz PCI
  using LU     = Flag<1>;
};
struct EECD : Reg<"EECD", 0x0010, 0x00000118> {     // 13.4.3: there, ready, flash writes disabled (FWE 01b)
  using SK   = Flag<0>;
  using CS   = Flag<1>;
  using DI   = Flag<2>;
  using DO   = Flag<3>;
  using FWE  = Field<5, 4>;
  using REQ  = Flag<6>;
  using GNT  = Flag<7>;
  using PRES = Flag<8>;
  using Layout = reg::Layout<SK, CS, DI, FWE, REQ>;
  static constexpr bool kWriteActs = true;
};
struct EERD : Reg<"EERD", 0x0014> {  // 13.4.4
  using START = Flag<0>;
  using DONE  = Flag<4>;
  using ADDR  = Field<15, 8>;
  using DATA  = Field<31, 16>;
  using Layout = reg::Layout<START, ADDR>;
  static constexpr bool kWriteActs = true;
};
struct CTRL_EXT : Reg<"CTRL_EXT", 0x0018> {  // 13.4.6
  using EE_RST = Flag<13>;                       // self-clearing: read the EEPROM again
  using Layout = reg::Layout<Field<12, 0>, EE_RST, Field<23, 14>>;
  static constexpr bool kWriteActs = true;
};
struct FLA    : Reg<"FLA",    0x001c> { using Layout = Storage; };  // 13.4.5
struct MDIC   : Reg<"MDIC",   0x0020> {  // 13.4.7
  using DATA   = Field<15, 0>;
  using REG    = Field<20, 16>;
  using PHY    = Field<25, 21>;
  using OP     = Field<27, 26>;
  using READY  = Flag<28>;
  using INT_EN = Flag<29>;
  using ERROR  = Flag<30>;
  static constexpr std::uint32_t kWrite = 1;
  static constexpr std::uint32_t kRead  = 2;
  using Layout = reg::Layout<DATA, REG, PHY, OP, INT_EN>;
  static constexpr bool kWriteActs = true;
};
struct FCAL   : Reg<"FCAL",   0x0028> { using Layout = Storage; };  // 13.4.8
struct FCAH   : Reg<"FCAH",   0x002c> { using Layout = Bits<15>; };  // 13.4.9
struct FCT    : Reg<"FCT",    0x0030> { using Layout = Bits<15>; };  // 13.4.10
struct VET    : Reg<"VET",    0x0038, 0x00008100> { using Layout = Bits<15>; };  // 13.4.11: 802.1Q's, without being asked
struct FCTTV  : Reg<"FCTTV",  0x0170> { using Layout = Bits<15>; };  // 13.4.12
struct TXCW   : Reg<"TXCW",   0x0178> { using Layout = reg::Layout<Field<15, 0>, Field<31, 30>>; };  // 13.4.13
struct RXCW   : Reg<"RXCW",   0x0180> {};  // 13.4.14
// 13.4.15: LED0 link up, LED1 activity and blinking, LED2 link 100, LED3 link 1000. LED0 and LED2 come from the EEPROM.
struct LEDCTL : Reg<"LEDCTL", 0x0e00, 0x07068302> {
  using LED0   = Field<7, 0>;
  using LED2   = Field<23, 16>;
  using Layout = Storage;
};
// 13.4.16: 48 KiB to receive, 16 to transmit. A software reset leaves it alone.
struct PBA    : Reg<"PBA",    0x1000, 0x00100030> { using Layout = Bits<15>; using RXA = Field<15, 0>; using TXA = Field<31, 16>;
                                                    static constexpr bool kWriteActs = true; };
struct PBS    : Reg<"PBS",    0x1008> { using Layout = Storage; };

// Interrupt. Software may force and mask reserved causes too (Linux's ethtool test does).
template <reg::Name N, std::size_t Offset>
struct CauseRegister : Reg<N, Offset> {
  using TXDW   = Flag<0>;                        // transmit descriptor written back
  using TXQE   = Flag<1>;                        // transmit queue empty
  using LSC    = Flag<2>;                        // link status change
  using RXDMT0 = Flag<4>;                        // receive descriptor minimum threshold
  using RXO    = Flag<6>;                        // receiver overrun
  using RXT0   = Flag<7>;                        // receiver timer
  using MDAC   = Flag<9>;                        // MDIO access complete
  using TXD_LOW = Flag<15>;                      // transmit descriptor low threshold
  using SRPD   = Flag<16>;                       // small receive packet detect
  using Layout = Bits<16>;
  static constexpr std::uint32_t kAll = 0x0001ffff;
};
struct ICR : CauseRegister<"ICR", 0x00c0> { static constexpr bool kReadActs = true, kWriteActs = true; };  // 13.4.17
struct ITR : Reg<"ITR", 0x00c4> { using Layout = Bits<15>; static constexpr bool kWriteActs = true; };  // 13.4.18
struct ICS : CauseRegister<"ICS", 0x00c8> { static constexpr bool kReadActs = true, kWriteActs = true; };  // 13.4.19
struct IMS : CauseRegister<"IMS", 0x00d0> { static constexpr bool kWriteActs = true; };  // 13.4.20
struct IMC : CauseRegister<"IMC", 0x00d8> { static constexpr bool kWriteActs = true; };  // 13.4.21

// Receive
struct RCTL : Reg<"RCTL", 0x0100> {  // 13.4.22
  using EN    = Flag<1>;
  using SBP   = Flag<2>;                         // store bad packets
  using UPE   = Flag<3>;                         // unicast promiscuous
  using MPE   = Flag<4>;                         // multicast promiscuous
  using LPE   = Flag<5>;                         // long packets
  using LBM   = Field<7, 6>;
  using RDMTS = Field<9, 8>;
  using MO    = Field<13, 12>;                   // multicast offset
  using BAM   = Flag<15>;                        // accept broadcast
  using BSIZE = Field<17, 16>;
  using VFE   = Flag<18>;                        // VLAN filter
  using CFIEN = Flag<19>;
  using CFI   = Flag<20>;
  using DPF   = Flag<22>;                        // discard pause frames
  using PMCF  = Flag<23>;
  using BSEX  = Flag<25>;
  using SECRC = Flag<26>;                        // strip Ethernet CRC
  using Layout = reg::Layout<EN, SBP, UPE, MPE, LPE, LBM, RDMTS, MO, BAM, BSIZE, VFE, CFIEN, CFI, DPF, PMCF, BSEX, SECRC>;
  static constexpr bool kWriteActs = true;
};
struct FCRTL  : Reg<"FCRTL",  0x2160> { using Layout = reg::Layout<Field<15, 3>, Flag<31>>; };  // 13.4.23
struct FCRTH  : Reg<"FCRTH",  0x2168> { using Layout = Bits<15, 3>; };  // 13.4.24
struct RDFH   : Reg<"RDFH",   0x2410> { using Layout = Bits<12>; };
struct RDFT   : Reg<"RDFT",   0x2418> { using Layout = Bits<12>; };
struct RDFHS  : Reg<"RDFHS",  0x2420> { using Layout = Bits<12>; };
struct RDFTS  : Reg<"RDFTS",  0x2428> { using Layout = Bits<12>; };
struct RDFPC  : Reg<"RDFPC",  0x2430> { using Layout = Bits<12>; };
struct RDBAL  : Reg<"RDBAL",  0x2800> { using Layout = Bits<31, 4>; static constexpr bool kWriteActs = true; };  // 13.4.25
struct RDBAH  : Reg<"RDBAH",  0x2804> { using Layout = Storage;     static constexpr bool kWriteActs = true; };  // 13.4.26
struct RDLEN  : Reg<"RDLEN",  0x2808> { using Layout = Bits<19, 4>; static constexpr bool kReadActs = true, kWriteActs = true; };  // 13.4.27
struct RDH    : Reg<"RDH",    0x2810> { using Layout = Bits<15>;    static constexpr bool kWriteActs = true; };  // 13.4.28
struct RDT    : Reg<"RDT",    0x2818> { using Layout = Bits<15>;    static constexpr bool kWriteActs = true; };  // 13.4.29
struct RDTR   : Reg<"RDTR",   0x2820> { using DELAY = Field<15, 0>; using FPD = Flag<31>;  // flush partial descriptor block
                                        using Layout = Bits<15>;    static constexpr bool kWriteActs = true; };
// 13.4.46: WTHRESH 1, in descriptors.
struct RXDCTL : Reg<"RXDCTL", 0x2828, 0x01010000> { using Layout = reg::Layout<Field<5, 0>, Field<13, 8>, Field<21, 16>, Flag<24>, Flag<25>>; };
struct RADV   : Reg<"RADV",   0x282c> { using Layout = Bits<15>; };  // 13.4.31
struct RSRPD  : Reg<"RSRPD",  0x2c00> { using Layout = Bits<11>; };  // 13.4.32
struct RXCSUM : Reg<"RXCSUM", 0x5000> {  // 13.4.47
  using PCSS    = Field<7, 0>;                   // packet checksum start
  using IPOFL   = Flag<8>;
  using TUOFL   = Flag<9>;
  using IPV6OFL = Flag<10>;
  using Layout  = reg::Layout<PCSS, IPOFL, TUOFL, IPV6OFL>;
};
struct MTA : RegArray<"MTA", 0x5200, 128> { using Layout = Storage; };  // 13.5.1
struct RAL : RegArray<"RAL", 0x5400, 16, 8> { using Layout = Storage; static constexpr bool kWriteActs = true; };  // 13.5.2
struct RAH : RegArray<"RAH", 0x5404, 16, 8> {  // 13.5.3
  using ADDR   = Field<15, 0>;
  using AS     = Field<17, 16>;                  // 0: destination address
  using AV     = Flag<31>;
  using Layout = reg::Layout<ADDR, AS, AV>;
  static constexpr bool kWriteActs = true;
};
struct VFTA : RegArray<"VFTA", 0x5600, 128> { using Layout = Storage; };  // 13.5.4

// Transmit
struct TCTL : Reg<"TCTL", 0x0400> {  // 13.4.33
  using EN     = Flag<1>;
  using PSP    = Flag<3>;                        // pad short packets
  using Layout = reg::Layout<EN, PSP, Field<11, 4>, Field<21, 12>, Field<25, 22>>;
  static constexpr bool kWriteActs = true;
};
struct TIPG   : Reg<"TIPG",   0x0410> { using Layout = Bits<29>; };  // 13.4.34
struct AIFS   : Reg<"AIFS",   0x0458> { using Layout = Bits<15>; };  // 13.4.35
struct TXDMAC : Reg<"TXDMAC", 0x3000> { using Layout = Bits<0>; };  // 13.4.42
struct TDFH   : Reg<"TDFH",   0x3410> { using Layout = Bits<12>; };
struct TDFT   : Reg<"TDFT",   0x3418> { using Layout = Bits<12>; };
struct TDFHS  : Reg<"TDFHS",  0x3420> { using Layout = Bits<12>; };
struct TDFTS  : Reg<"TDFTS",  0x3428> { using Layout = Bits<12>; };
struct TDFPC  : Reg<"TDFPC",  0x3430> { using Layout = Bits<12>; };
struct TDBAL  : Reg<"TDBAL",  0x3800> { using Layout = Bits<31, 4>; static constexpr bool kWriteActs = true; };  // 13.4.36
struct TDBAH  : Reg<"TDBAH",  0x3804> { using Layout = Storage;     static constexpr bool kWriteActs = true; };  // 13.4.37
struct TDLEN  : Reg<"TDLEN",  0x3808> { using Layout = Bits<19, 4>; static constexpr bool kReadActs = true, kWriteActs = true; };  // 13.4.38
struct TDH    : Reg<"TDH",    0x3810> { using Layout = Bits<15>;    static constexpr bool kWriteActs = true; };  // 13.4.39
struct TDT    : Reg<"TDT",    0x3818> { using Layout = Bits<15>;    static constexpr bool kWriteActs = true; };  // 13.4.40
struct TIDV   : Reg<"TIDV",   0x3820> { using Layout = Bits<15>; };  // 13.4.41
struct TXDCTL : Reg<"TXDCTL", 0x3828> {  // 13.4.43
  using LWTHRESH = Field<31, 25>;                // in units of 8 descriptors
  using Layout   = reg::Layout<Field<5, 0>, Field<13, 8>, Field<21, 16>, Flag<24>, LWTHRESH>;
};
struct TADV   : Reg<"TADV",   0x382c> { using Layout = Bits<15>; };  // 13.4.44
struct TSPMT  : Reg<"TSPMT",  0x3830, 0x01000400> { using Layout = Storage; };  // 13.4.45: TSMT 0400h, TSPBP 0100h

// Statistics, 13.7: all count up, stick at all ones, and are cleared by reading. Octet counters are
// pairs: the high half's read clears both.
struct ReadClears {};      // this register
struct ReadClearsPair {};  // and the low half, 4 bytes below
template <reg::Name N, std::size_t Offset>
struct Counter : Reg<N, Offset>, ReadClears { static constexpr bool kReadActs = true; };
template <reg::Name N, std::size_t Offset>
struct Octets : Reg<N, Offset>, ReadClearsPair { static constexpr bool kReadActs = true; };
struct CRCERRS : Counter<"CRCERRS", 0x4000> {};  struct ALGNERRC : Counter<"ALGNERRC", 0x4004> {};
struct SYMERRS : Counter<"SYMERRS", 0x4008> {};  struct RXERRC   : Counter<"RXERRC",   0x400c> {};
struct MPC     : Counter<"MPC",     0x4010> {};  struct SCC      : Counter<"SCC",      0x4014> {};
struct ECOL    : Counter<"ECOL",    0x4018> {};  struct MCC      : Counter<"MCC",      0x401c> {};
struct LATECOL : Counter<"LATECOL", 0x4020> {};  struct COLC     : Counter<"COLC",     0x4028> {};
struct DC      : Counter<"DC",      0x4030> {};  struct TNCRS    : Counter<"TNCRS",    0x4034> {};
struct SEC     : Counter<"SEC",     0x4038> {};  struct CEXTERR  : Counter<"CEXTERR",  0x403c> {};
struct RLEC    : Counter<"RLEC",    0x4040> {};  struct XONRXC   : Counter<"XONRXC",   0x4048> {};
struct XONTXC  : Counter<"XONTXC",  0x404c> {};  struct XOFFRXC  : Counter<"XOFFRXC",  0x4050> {};
struct XOFFTXC : Counter<"XOFFTXC", 0x4054> {};  struct FCRUC    : Counter<"FCRUC",    0x4058> {};
struct PRC64   : Counter<"PRC64",   0x405c> {};  struct PRC127   : Counter<"PRC127",   0x4060> {};
struct PRC255  : Counter<"PRC255",  0x4064> {};  struct PRC511   : Counter<"PRC511",   0x4068> {};
struct PRC1023 : Counter<"PRC1023", 0x406c> {};  struct PRC1522  : Counter<"PRC1522",  0x4070> {};
struct GPRC    : Counter<"GPRC",    0x4074> {};  struct BPRC     : Counter<"BPRC",     0x4078> {};
struct MPRC    : Counter<"MPRC",    0x407c> {};  struct GPTC     : Counter<"GPTC",     0x4080> {};
struct GORCL   : Reg<"GORCL",       0x4088> {};  struct GORCH    : Octets<"GORCH",     0x408c> {};
struct GOTCL   : Reg<"GOTCL",       0x4090> {};  struct GOTCH    : Octets<"GOTCH",     0x4094> {};
struct RNBC    : Counter<"RNBC",    0x40a0> {};  struct RUC      : Counter<"RUC",      0x40a4> {};
struct RFC     : Counter<"RFC",     0x40a8> {};  struct ROC      : Counter<"ROC",      0x40ac> {};
struct RJC     : Counter<"RJC",     0x40b0> {};  struct MGTPRC   : Counter<"MGTPRC",   0x40b4> {};
struct MGTPDC  : Counter<"MGTPDC",  0x40b8> {};  struct MGTPTC   : Counter<"MGTPTC",   0x40bc> {};
struct TORL    : Reg<"TORL",        0x40c0> {};  struct TORH     : Octets<"TORH",      0x40c4> {};
struct TOTL    : Reg<"TOTL",        0x40c8> {};  struct TOTH     : Octets<"TOTH",      0x40cc> {};
struct TPR     : Counter<"TPR",     0x40d0> {};  struct TPT      : Counter<"TPT",      0x40d4> {};
struct PTC64   : Counter<"PTC64",   0x40d8> {};  struct PTC127   : Counter<"PTC127",   0x40dc> {};
struct PTC255  : Counter<"PTC255",  0x40e0> {};  struct PTC511   : Counter<"PTC511",   0x40e4> {};
struct PTC1023 : Counter<"PTC1023", 0x40e8> {};  struct PTC1522  : Counter<"PTC1522",  0x40ec> {};
struct MPTC    : Counter<"MPTC",    0x40f0> {};  struct BPTC     : Counter<"BPTC",     0x40f4> {};
struct TSCTC   : Counter<"TSCTC",   0x40f8> {};  struct TSCTFC   : Counter<"TSCTFC",   0x40fc> {};

// Wake-up (13.6) and management: storage that nothing looks at. There is no management controller. MANC is
// what drivers know of later parts; they turn off its ARP filter.
struct WUC  : Reg<"WUC",  0x5800> { using Layout = Storage; };
struct WUFC : Reg<"WUFC", 0x5808> { using Layout = Storage; };
struct WUS  : Reg<"WUS",  0x5810> { using Layout = Storage; };
struct MANC : Reg<"MANC", 0x5820, 0x00222300> { using Layout = reg::Layout<Field<31, 1>>; };
struct IPAV : Reg<"IPAV", 0x5838> { using Layout = Storage; };
struct IP4AT : RegArray<"IP4AT", 0x5840, 7> { using Layout = Storage; };
struct IP6AT : RegArray<"IP6AT", 0x5880, 4> { using Layout = Storage; };
struct WUPL : Reg<"WUPL", 0x5900> { using Layout = Storage; };
struct WUPM : RegArray<"WUPM", 0x5a00, 32> { using Layout = Storage; };
struct SWSM : Reg<"SWSM", 0x5b50> { using Layout = Storage; };
struct FFLT : RegArray<"FFLT", 0x5f00, 4, 8> { using Layout = Storage; };

using List = RegisterList<
    CTRL, Alias<CTRL, 0x0004>, STATUS, EECD, EERD, CTRL_EXT, FLA, MDIC, FCAL, FCAH, FCT, VET, FCTTV, TXCW, RXCW, LEDCTL, PBA, PBS,
    ICR, ITR, ICS, IMS, IMC,
    RCTL, FCRTL, FCRTH, RDFH, RDFT, RDFHS, RDFTS, RDFPC, RDBAL, RDBAH, RDLEN, RDH, RDT, RDTR, RXDCTL, RADV, RSRPD, RXCSUM,
    MTA, RAL, RAH, VFTA,
    TCTL, TIPG, AIFS, TXDMAC, TDFH, TDFT, TDFHS, TDFTS, TDFPC, TDBAL, TDBAH, TDLEN, TDH, TDT, TIDV, TXDCTL, TADV, TSPMT,
    CRCERRS, ALGNERRC, SYMERRS, RXERRC, MPC, SCC, ECOL, MCC, LATECOL, COLC, DC, TNCRS, SEC, CEXTERR, RLEC, XONRXC, XONTXC,
    XOFFRXC, XOFFTXC, FCRUC, PRC64, PRC127, PRC255, PRC511, PRC1023, PRC1522, GPRC, BPRC, MPRC, GPTC, GORCL, GORCH, GOTCL, GOTCH,
    RNBC, RUC, RFC, ROC, RJC, MGTPRC, MGTPDC, MGTPTC, TORL, TORH, TOTL, TOTH, TPR, TPT, PTC64, PTC127, PTC255, PTC511, PTC1023,
    PTC1522, MPTC, BPTC, TSCTC, TSCTFC,
    WUC, WUFC, WUS, MANC, IPAV, IP4AT, IP6AT, WUPL, WUPM, SWSM, FFLT,
    // Where the 82542 had them.
    Alias<RAL, 0x0040>, Alias<RAH, 0x0044>, Alias<MTA, 0x0200>, Alias<VFTA, 0x0600>,
    Alias<RDTR, 0x0108>, Alias<RDBAL, 0x0110>, Alias<RDBAH, 0x0114>, Alias<RDLEN, 0x0118>, Alias<RDH, 0x0120>, Alias<RDT, 0x0128>,
    Alias<FCRTH, 0x0160>, Alias<FCRTL, 0x0168>,
    Alias<TDBAL, 0x0420>, Alias<TDBAH, 0x0424>, Alias<TDLEN, 0x0428>, Alias<TDH, 0x0430>, Alias<TDT, 0x0438>, Alias<TIDV, 0x0440>>;

inline constexpr std::uint32_t kMemoryBar = 128 * 1024;
inline constexpr std::uint32_t kIoBar     = 64;
// The I/O window, 13.2.2.
inline constexpr std::uint32_t kIoAddr = 0;
inline constexpr std::uint32_t kIoData = 4;

// Configuration space, chapter 4. Subsystem: Intel's own PRO/1000 MT Desktop.
using Command = reg::Layout<pci::CommandBits::IOSE, pci::CommandBits::MSE, pci::CommandBits::BME, Flag<4>,
                            pci::CommandBits::PER, pci::CommandBits::SERRE>;
using PciStatus = pci::PCISTS<0x0220>;           // 66 MHz capable, medium DEVSEL
using ConfigMap = reg::Map<256,
    pci::VID<0x8086>, pci::DID<0x100e>,
    pci::PCICMD<0x0000, Command>, PciStatus,
    pci::RID<0x02>, pci::PI<0x00>, pci::CLASS<0x0200>,
    pci::CLS, pci::MLT<0>, pci::HEDT<0x00>,
    pci::SVID<0x8086>, pci::SID<0x001e>,
    pci::INTLN, pci::INTPN<1>,
    reg::Reg<"MIN_GNT", 0x3e, std::uint8_t, 0xff>, reg::Reg<"MAX_LAT", 0x3f, std::uint8_t, 0x00>>;

// clang-format on

}  // namespace dm::e1000::regs
