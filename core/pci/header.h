// SPDX-License-Identifier: MIT
// The type 0 configuration header, PCI Local Bus Specification 2.1, chapter 6, as a register list.
// A chip lists these with its own values, then its own registers.
#pragma once

#include "core/reg/field.h"
#include "core/reg/map.h"

#include <cstdint>

namespace dm::pci {

template <std::uint16_t Id>
struct VID : reg::Reg<"VID", 0x00, std::uint16_t, Id> {};
template <std::uint16_t Id>
struct DID : reg::Reg<"DID", 0x02, std::uint16_t, Id> {};

/// Command bits that this machine's functions let software set, PCI 2.1 6.2.2. SERR# and parity are
/// stored only.
struct CommandBits {
  using IOSE = reg::Flag<0>;  ///< I/O space enable
  using MSE = reg::Flag<1>;   ///< memory space enable
  using BME = reg::Flag<2>;   ///< bus master enable
  using PER = reg::Flag<6>;   ///< parity error response
  using SERRE = reg::Flag<8>;
  using INTD = reg::Flag<10>;  ///< interrupt disable, PCI 2.3 6.2.2: of each function with a pin
};
template <std::uint16_t Reset,
          class L = reg::Layout<CommandBits::IOSE, CommandBits::MSE, CommandBits::BME>>
struct PCICMD : reg::Reg<"PCICMD", 0x04, std::uint16_t, Reset> {
  using Layout = L;
};
/// Status: the error bits clear by writing ones; the rest is fixed (PCI 2.1 6.2.3). Bit 3,
/// interrupt status (PCI 2.3 6.2.3), is not stored: PciFunction shows the level of its line there.
template <std::uint16_t Reset>
struct PCISTS : reg::Reg<"PCISTS", 0x06, std::uint16_t, Reset> {
  using ERRORS = reg::Field<15, 11, reg::Access::w1c>;
  using DPD = reg::Flag<8, reg::Access::w1c>;
  using Layout = reg::Layout<ERRORS, DPD>;
};
template <std::uint8_t Revision>
struct RID : reg::Reg<"RID", 0x08, std::uint8_t, Revision> {};
/// Programming interface, sub-class, base class: 0xBBSSPP.
template <std::uint8_t Interface>
struct PI : reg::Reg<"PI", 0x09, std::uint8_t, Interface> {};
template <std::uint16_t BaseAndSub>
struct CLASS : reg::Reg<"CLASS", 0x0a, std::uint16_t, BaseAndSub> {};
/// Units of a double word, PCI 2.1 6.2.4.
struct CLS : reg::Reg<"CLS", 0x0c, std::uint8_t> {
  using Layout = reg::Storage;
};
/// For masters that burst, PCI 2.1 6.2.4; a chip's datasheet says how many of the upper bits there
/// are. A function that never masters has none.
template <unsigned Lowest>
struct MLT : reg::Reg<"MLT", 0x0d, std::uint8_t> {
  using Layout = reg::Layout<reg::Field<7, Lowest>>;
};
template <std::uint8_t Type>
struct HEDT : reg::Reg<"HEDT", 0x0e, std::uint8_t, Type> {};
template <std::uint16_t Id>
struct SVID : reg::Reg<"SVID", 0x2c, std::uint16_t, Id> {};
template <std::uint16_t Id>
struct SID : reg::Reg<"SID", 0x2e, std::uint16_t, Id> {};
struct INTLN : reg::Reg<"INTLN", 0x3c, std::uint8_t> {
  using Layout = reg::Storage;
};
/// 0: no interrupt; 1: INTA.
template <std::uint8_t Pin>
struct INTPN : reg::Reg<"INTPN", 0x3d, std::uint8_t, Pin> {};

}  // namespace dm::pci
