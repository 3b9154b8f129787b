// SPDX-License-Identifier: MIT
// Registers as the document lists them: the command and control blocks of ATA/ATAPI-6 (T13 1410D,
// clause 7), and the opcodes that a controller itself has to know. Nothing else in this file.
#pragma once

#include "core/reg/field.h"

#include <cstdint>

namespace dm::ata::regs {

using reg::Field;
using reg::Flag;

template <class F>
inline constexpr auto kMask = static_cast<std::uint8_t>(F::kMask);

// clang-format off

// Command block, by number.
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
struct CONTROL {                                 // 7.5
  using HOB  = Flag<7>;                          // high order byte
  using SRST = Flag<2>;
  using nIEN = Flag<1>;
};

// What Error says after a reset or EXECUTE DEVICE DIAGNOSTIC, ATA/ATAPI-6 table 26.
inline constexpr std::uint8_t kDiagnosticPassed = 0x01;

// Commands that do not wait for the selected drive, table 9.
inline constexpr std::uint8_t kDeviceReset       = 0x08;  // reaches a busy packet device
inline constexpr std::uint8_t kExecuteDiagnostic = 0x90;  // reaches both drives of a cable

// clang-format on

}  // namespace dm::ata::regs
