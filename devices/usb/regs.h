// SPDX-License-Identifier: MIT
// Registers and structures as the documents list them: the Universal Host Controller Interface
// Design Guide 1.1 (chapters 2 and 3), and configuration space of the 82371SB PIIX3's function 2
// (Intel 290550-002, chapter 2.4). Nothing else in this file.
#pragma once

#include "core/pci/header.h"
#include "core/reg/field.h"
#include "core/reg/map.h"

#include <cstdint>

namespace dm::usb::regs {

using reg::Field;
using reg::Flag;

template <class... Fields>
inline constexpr auto kMask16 = static_cast<std::uint16_t>((Fields::kMask | ... | 0));

// clang-format off

// I/O registers, words unless it says something else, offsets from USBBASE.
struct USBCMD {
  static constexpr unsigned kOffset = 0x00;
  using MAXP    = Flag<7>;   // 1: 64 bytes at the end of a frame
  using CF      = Flag<6>;   // software's own note
  using SWDBG   = Flag<5>;   // stored only
  using FGR     = Flag<4>;   // force global resume
  using EGSM    = Flag<3>;   // enter global suspend mode
  using GRESET  = Flag<2>;   // resets everything on the bus while it is 1
  using HCRESET = Flag<1>;   // resets the controller; clears itself
  using RS      = Flag<0>;   // run
  static constexpr std::uint16_t kStored = kMask16<MAXP, CF, SWDBG, FGR, EGSM, GRESET, RS>;
};
struct USBSTS {              // all but HCHALTED: w1c
  static constexpr unsigned kOffset = 0x02;
  using HCHALTED = Flag<5>;
  using HCPE     = Flag<4>;  // process error
  using HSE      = Flag<3>;  // system error
  using RD       = Flag<2>;  // resume detect
  using USBERR   = Flag<1>;
  using USBINT   = Flag<0>;
  static constexpr std::uint16_t kClearable = kMask16<HCPE, HSE, RD, USBERR, USBINT>;
};
struct USBINTR {
  static constexpr unsigned kOffset = 0x04;
  using SPIE   = Flag<3>;    // short packet
  using IOCE   = Flag<2>;    // on complete
  using RIE    = Flag<1>;    // resume
  using TOCRCE = Flag<0>;    // time-out and CRC
  static constexpr std::uint16_t kStored = kMask16<SPIE, IOCE, RIE, TOCRCE>;
};
struct FRNUM  { static constexpr unsigned kOffset = 0x06; using INDEX = Field<9, 0>; using NUMBER = Field<10, 0>; };
struct FLBASEADD {           // a double word
  static constexpr unsigned kOffset = 0x08;
  static constexpr std::uint32_t kStored = 0xfffff000;
};
struct SOFMOD {              // a byte
  static constexpr unsigned kOffset = 0x0c;
  static constexpr std::uint8_t kReset  = 0x40;
  static constexpr std::uint8_t kStored = 0x7f;
};
struct PORTSC {
  static constexpr unsigned kOffset = 0x10;
  using SUSP  = Flag<12>;    // suspend
  using RESET = Flag<9>;
  using LSDA  = Flag<8>;     // a low-speed device is attached
  using ONE   = Flag<7>;     // always 1: by this drivers count the ports
  using RD    = Flag<6>;     // resume detect
  using PEC   = Flag<3>;     // w1c: enable changed
  using PE    = Flag<2>;     // enabled
  using CSC   = Flag<1>;     // w1c: connect status changed
  using CCS   = Flag<0>;     // something is connected
  static constexpr std::uint16_t kStored    = kMask16<SUSP, RESET, RD, PE>;
  static constexpr std::uint16_t kClearable = kMask16<PEC, CSC>;
};
inline constexpr unsigned kPorts = 2;
inline constexpr std::uint16_t kNoPort = 0xff7f;  // what is behind the last port: bit 7 is 0
inline constexpr unsigned kIoSize = 32;

// Pointers of frame list, queue heads and transfer descriptors.
struct Link {
  using ADDRESS = Field<31, 4>;
  using VF      = Flag<2>;   // of a TD: depth first
  using Q       = Flag<1>;   // to a queue head
  using T       = Flag<0>;   // terminate
};
inline constexpr unsigned kFrames = 1024;  // of a frame list

struct QueueHead {           // as in memory
  std::uint32_t link;
  std::uint32_t element;
  static constexpr std::uint64_t kElement = 4;
};
struct TransferDescriptor {  // as in memory
  std::uint32_t link;
  std::uint32_t control;
  std::uint32_t token;
  std::uint32_t buffer;
  static constexpr std::uint64_t kControl = 4;
};
struct TdControl {
  using SPD     = Flag<29>;  // short packet detect
  using CERR    = Field<28, 27>;
  using IOC     = Flag<24>;
  using ACTIVE  = Flag<23>;
  using STALLED = Flag<22>;
  using BABBLE  = Flag<20>;
  using NAK     = Flag<19>;
  using TIMEOUT = Flag<18>;  // CRC or time-out
  using ACTLEN  = Field<10, 0>;  // bytes - 1
};
struct TdToken {
  using MAXLEN  = Field<31, 21>;  // bytes - 1
  using TOGGLE  = Flag<19>;
  using ENDPT   = Field<18, 15>;
  using ADDRESS = Field<14, 8>;
  using PID     = Field<7, 0>;
  static constexpr std::uint32_t kIn    = 0x69;
  static constexpr std::uint32_t kOut   = 0xe1;
  static constexpr std::uint32_t kSetup = 0x2d;
  static constexpr std::uint32_t kMostBytes = 1280;  // 500h to 7FEh are no lengths (3.2.3)
};

// Configuration space of function 2.
struct SBRNUM  : reg::Reg<"SBRNUM",  0x60, std::uint8_t, 0x10> {};  // USB 1.0
struct LEGSUP  : reg::Reg<"LEGSUP",  0xc0, std::uint16_t, 0x2000> { using Layout = reg::Storage; };

using ConfigMap = reg::Map<256,
    pci::VID<0x8086>, pci::DID<0x7020>,
    pci::PCICMD<0x0000, reg::Layout<pci::CommandBits::IOSE, pci::CommandBits::BME>>, pci::PCISTS<0x0280>,
    pci::RID<0x01>, pci::PI<0x00>, pci::CLASS<0x0c03>, pci::MLT<4>, pci::HEDT<0x00>,
    pci::SVID<0x1af4>, pci::SID<0x1100>,
    pci::INTLN, pci::INTPN<4>,
    SBRNUM, LEGSUP>;

// clang-format on

}  // namespace dm::usb::regs
