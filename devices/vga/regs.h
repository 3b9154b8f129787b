// SPDX-License-Identifier: MIT
// The registers of the standard VGA card: those of IBM's "Personal System/2 Hardware Interface
// Technical Reference, Video Subsystem" with the names that it gives them, the VBE DISPI registers
// of Bochs ("VBE Display Interface", vbe_display_api.txt), and QEMU's
// (docs/specs/standard-vga.txt). Nothing else in this file.
#pragma once

#include "core/pci/header.h"
#include "core/reg/field.h"
#include "core/reg/map.h"

#include <cstddef>
#include <cstdint>

namespace dm::vga::regs {

using reg::Field;
using reg::Flag;
using reg::Storage;
template <reg::Name N, std::size_t Index>
using Indexed = reg::Reg<N, Index, std::uint8_t>;
template <unsigned Hi, unsigned Lo = 0>
using Bits = reg::Layout<Field<Hi, Lo>>;

// clang-format off

// Ports. 3Bx answers while MISC says monochrome, 3Dx while it says colour.
namespace port {
inline constexpr std::uint16_t kFirst          = 0x3b0;
inline constexpr std::uint16_t kCrtIndexMono   = 0x3b4;
inline constexpr std::uint16_t kCrtDataMono    = 0x3b5;
inline constexpr std::uint16_t kStatus1Mono    = 0x3ba;  // write: feature control
inline constexpr std::uint16_t kLastMono       = 0x3bb;
inline constexpr std::uint16_t kAttribute      = 0x3c0;  // index and data in turns
inline constexpr std::uint16_t kAttributeRead  = 0x3c1;
inline constexpr std::uint16_t kStatus0        = 0x3c2;  // write: miscellaneous output
inline constexpr std::uint16_t kSequencerIndex = 0x3c4;
inline constexpr std::uint16_t kSequencerData  = 0x3c5;
inline constexpr std::uint16_t kPelReadIndex   = 0x3c7;  // read: DAC state
inline constexpr std::uint16_t kPelWriteIndex  = 0x3c8;
inline constexpr std::uint16_t kPelData        = 0x3c9;
inline constexpr std::uint16_t kFeatureRead    = 0x3ca;
inline constexpr std::uint16_t kMiscRead       = 0x3cc;
inline constexpr std::uint16_t kGraphicsIndex  = 0x3ce;
inline constexpr std::uint16_t kGraphicsData   = 0x3cf;
inline constexpr std::uint16_t kFirstColour    = 0x3d0;
inline constexpr std::uint16_t kCrtIndex       = 0x3d4;
inline constexpr std::uint16_t kCrtData        = 0x3d5;
inline constexpr std::uint16_t kStatus1        = 0x3da;  // write: feature control
inline constexpr std::uint16_t kLast           = 0x3df;
inline constexpr std::uint16_t kDispiIndex     = 0x1ce;  // 16 bits; so are the next two, which are the same
inline constexpr std::uint16_t kDispiData      = 0x1cf;
inline constexpr std::uint16_t kDispiDataEven  = 0x1d0;
}  // namespace port

// General registers, chapter "General Registers".
struct MISC {                                            // Miscellaneous Output
  using IOS    = Flag<0>;                                // I/O address select: colour
  using Kept   = reg::Layout<Field<3, 0>, Field<7, 5>>;
};
struct FCR {                                             // Feature Control
  using Kept   = reg::Layout<Flag<4>>;
};
struct ST1 {                                             // Input Status 1
  using DE     = Flag<0>;                                // display enable is off
  using VR     = Flag<3>;                                // vertical retrace
};

// Sequencer.
struct SR0 : Indexed<"Reset", 0>                { using Layout = Bits<1>; };
struct SR1 : Indexed<"Clocking Mode", 1> {
  using D89    = Flag<0>;                                // characters of 8 dots, not 9
  using DC     = Flag<3>;                                // dot clock halved: everything twice as wide
  using Layout = reg::Layout<D89, Field<5, 2>>;
};
struct SR2 : Indexed<"Map Mask", 2>             { using Layout = Bits<3>; };
struct SR3 : Indexed<"Character Map Select", 3> { using Layout = Bits<5>; };
struct SR4 : Indexed<"Memory Mode", 4> {
  using CH4    = Flag<3>;                                // chain 4
  using Layout = Bits<3, 1>;
};
struct SR7 : Indexed<"Horizontal Character Counter Reset", 7> { using Layout = Storage; };
using Sequencer = reg::Map<8, SR0, SR1, SR2, SR3, SR4, SR7>;

// Graphics controller.
struct GR0 : Indexed<"Set/Reset", 0>            { using Layout = Bits<3>; };
struct GR1 : Indexed<"Enable Set/Reset", 1>     { using Layout = Bits<3>; };
struct GR2 : Indexed<"Color Compare", 2>        { using Layout = Bits<3>; };
struct GR3 : Indexed<"Data Rotate", 3> {
  using ROTC   = Field<2, 0>;
  using FS     = Field<4, 3>;                            // none, AND, OR, XOR with the latches
  using Layout = reg::Layout<ROTC, FS>;
};
struct GR4 : Indexed<"Read Map Select", 4>      { using Layout = Bits<1>; };
struct GR5 : Indexed<"Graphics Mode", 5> {
  using WM     = Field<1, 0>;                            // write mode
  using RM     = Flag<3>;                                // read mode
  using OE     = Flag<4>;                                // odd/even
  using SR     = Field<6, 5>;                            // shift: 0 planes, 1 CGA, 2 and 3 256 colours
  using Layout = reg::Layout<WM, RM, OE, SR>;
};
struct GR6 : Indexed<"Miscellaneous", 6> {
  using GM     = Flag<0>;                                // graphics mode
  using MM     = Field<3, 2>;                            // memory map
  using Layout = Bits<3>;
};
struct GR7 : Indexed<"Color Don't Care", 7>     { using Layout = Bits<3>; };
struct GR8 : Indexed<"Bit Mask", 8>             { using Layout = Storage; };
using Graphics = reg::Map<16, GR0, GR1, GR2, GR3, GR4, GR5, GR6, GR7, GR8>;

// CRT controller. All of them are storage; those up to 7 are locked by CR11.PR.
struct CR01 : Indexed<"End Horizontal Display", 0x01> { using Layout = Storage; };
struct CR06 : Indexed<"Vertical Total", 0x06>         { using Layout = Storage; };
struct CR07 : Indexed<"Overflow", 0x07> {
  using VDE8   = Flag<1>;
  using LC8    = Flag<4>;                                // never locked
  using VDE9   = Flag<6>;
  using Layout = Storage;
};
struct CR09 : Indexed<"Maximum Scan Line", 0x09> {
  using MSL    = Field<4, 0>;
  using LC9    = Flag<6>;
  using DSC    = Flag<7>;                                // 200 to 400 line conversion: double scan
  using Layout = Storage;
};
struct CR0A : Indexed<"Cursor Start", 0x0a> {
  using RSCB   = Field<4, 0>;
  using CO     = Flag<5>;                                // cursor off
  using Layout = Storage;
};
struct CR0B : Indexed<"Cursor End", 0x0b> {
  using RSCE   = Field<4, 0>;
  using Layout = Storage;
};
struct CR0C : Indexed<"Start Address High", 0x0c>     { using Layout = Storage; };
struct CR0D : Indexed<"Start Address Low", 0x0d>      { using Layout = Storage; };
struct CR0E : Indexed<"Cursor Location High", 0x0e>   { using Layout = Storage; };
struct CR0F : Indexed<"Cursor Location Low", 0x0f>    { using Layout = Storage; };
struct CR11 : Indexed<"Vertical Retrace End", 0x11> {
  using PR     = Flag<7>;                                // protects registers 0 to 7
  using Layout = Storage;
};
struct CR12 : Indexed<"Vertical Display Enable End", 0x12> { using Layout = Storage; };
struct CR13 : Indexed<"Offset", 0x13>                 { using Layout = Storage; };
struct CR17 : Indexed<"CRT Mode Control", 0x17> {
  using CMS0   = Flag<0>;                                // 0: row scan bit 0 goes into the address, as on a CGA
  using SRS    = Flag<1>;                                // 0: row scan bit 1 does, as on a Hercules card
  using WB     = Flag<6>;                                // 1: byte mode; moves the CGA's bit
  using Layout = Storage;
};
struct CR18 : Indexed<"Line Compare", 0x18>           { using Layout = Storage; };
using Crt = reg::Map<256, CR01, CR06, CR07, CR09, CR0A, CR0B, CR0C, CR0D, CR0E, CR0F, CR11, CR12, CR13, CR17, CR18>;
inline constexpr std::uint8_t kLastProtected = CR07::kOffset;

// Attribute controller. 00h to 0Fh are the palette.
struct AR00 : Indexed<"Palette 0", 0x00>        { using Layout = Bits<5>; };
struct AR01 : Indexed<"Palette 1", 0x01>        { using Layout = Bits<5>; };
struct AR02 : Indexed<"Palette 2", 0x02>        { using Layout = Bits<5>; };
struct AR03 : Indexed<"Palette 3", 0x03>        { using Layout = Bits<5>; };
struct AR04 : Indexed<"Palette 4", 0x04>        { using Layout = Bits<5>; };
struct AR05 : Indexed<"Palette 5", 0x05>        { using Layout = Bits<5>; };
struct AR06 : Indexed<"Palette 6", 0x06>        { using Layout = Bits<5>; };
struct AR07 : Indexed<"Palette 7", 0x07>        { using Layout = Bits<5>; };
struct AR08 : Indexed<"Palette 8", 0x08>        { using Layout = Bits<5>; };
struct AR09 : Indexed<"Palette 9", 0x09>        { using Layout = Bits<5>; };
struct AR0A : Indexed<"Palette 10", 0x0a>       { using Layout = Bits<5>; };
struct AR0B : Indexed<"Palette 11", 0x0b>       { using Layout = Bits<5>; };
struct AR0C : Indexed<"Palette 12", 0x0c>       { using Layout = Bits<5>; };
struct AR0D : Indexed<"Palette 13", 0x0d>       { using Layout = Bits<5>; };
struct AR0E : Indexed<"Palette 14", 0x0e>       { using Layout = Bits<5>; };
struct AR0F : Indexed<"Palette 15", 0x0f>       { using Layout = Bits<5>; };
struct AR10 : Indexed<"Attribute Mode Control", 0x10> {
  using ELG    = Flag<2>;                                // line graphics: the ninth dot repeats the eighth
  using PS     = Flag<7>;                                // palette bits 5:4 from Color Select
  using Layout = reg::Layout<Field<3, 0>, Field<7, 5>>;
};
struct AR11 : Indexed<"Overscan Color", 0x11>   { using Layout = Storage; };
struct AR12 : Indexed<"Color Plane Enable", 0x12> {
  using ECP    = Field<3, 0>;
  using Layout = Bits<5>;
};
struct AR13 : Indexed<"Horizontal PEL Panning", 0x13> { using Layout = Bits<3>; };
struct AR14 : Indexed<"Color Select", 0x14>     { using Layout = Bits<3>; };
using Attribute = reg::Map<0x15, AR00, AR01, AR02, AR03, AR04, AR05, AR06, AR07, AR08, AR09, AR0A, AR0B, AR0C, AR0D, AR0E, AR0F,
                           AR10, AR11, AR12, AR13, AR14>;
struct AttributeIndex {
  using INDEX  = Field<4, 0>;
  using PAS    = Flag<5>;                                // palette address source: the screen is on
  using Kept   = reg::Layout<INDEX, PAS>;
};

// VBE DISPI.
namespace dispi {
inline constexpr std::uint16_t kId          = 0x0;
inline constexpr std::uint16_t kXres        = 0x1;
inline constexpr std::uint16_t kYres        = 0x2;
inline constexpr std::uint16_t kBpp         = 0x3;
inline constexpr std::uint16_t kEnable      = 0x4;
inline constexpr std::uint16_t kBank        = 0x5;
inline constexpr std::uint16_t kVirtWidth   = 0x6;
inline constexpr std::uint16_t kVirtHeight  = 0x7;       // read-only
inline constexpr std::uint16_t kXOffset     = 0x8;
inline constexpr std::uint16_t kYOffset     = 0x9;
inline constexpr std::uint16_t kCount       = 0xa;       // that are stored
inline constexpr std::uint16_t kVideoMemory = 0xa;       // read-only, in units of 64 KiB

inline constexpr std::uint16_t kOldestId    = 0xb0c0;
inline constexpr std::uint16_t kNewestId    = 0xb0c5;

struct ENABLE {
  using ENABLED   = Flag<0>;
  using GETCAPS   = Flag<1>;                             // XRES, YRES and BPP read as the largest
  using DAC8      = Flag<5>;                             // palette of 8 bits a colour, not 6
  using LFB       = Flag<6>;
  using NOCLEAR   = Flag<7>;
};
inline constexpr std::uint16_t kMaxXres     = 16000;
inline constexpr std::uint16_t kMaxYres     = 12000;
inline constexpr std::uint16_t kMaxBpp      = 32;
}  // namespace dispi

// BAR 2.
namespace bar2 {
inline constexpr std::uint32_t kSize        = 0x1000;
inline constexpr std::uint32_t kEdid        = 0x000;
inline constexpr std::uint32_t kEdidSize    = 0x400;
inline constexpr std::uint32_t kPorts       = 0x400;     // 3C0h to 3DFh
inline constexpr std::uint32_t kPortsSize   = 0x20;
inline constexpr std::uint32_t kDispi       = 0x500;     // index * 2
inline constexpr std::uint32_t kDispiSize   = 0x16;
inline constexpr std::uint32_t kExtended    = 0x600;     // QEMU's own: size of this block, byte order
inline constexpr std::uint32_t kByteOrder   = 0x604;
inline constexpr std::uint32_t kExtendedSize = 8;
inline constexpr std::uint32_t kLittle      = 0x1e1e1e1e;
inline constexpr std::uint32_t kBig         = 0xbebebebe;
}  // namespace bar2

// The memory window of all VGA cards.
inline constexpr std::uint64_t kWindow      = 0xa0000;
inline constexpr std::uint64_t kWindowSize  = 0x20000;

// Configuration space, as QEMU's hw/display/vga-pci.c has it: drivers know the card by it.
using ConfigMap = reg::Map<256,
    pci::VID<0x1234>, pci::DID<0x1111>, pci::PCICMD<0>, pci::PCISTS<0>, pci::RID<2>, pci::PI<0>, pci::CLASS<0x0300>, pci::CLS,
    pci::HEDT<0>, pci::SVID<0x1af4>, pci::SID<0x1100>, pci::INTLN, pci::INTPN<0>>;
// clang-format on

}  // namespace dm::vga::regs
