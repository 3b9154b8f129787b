// SPDX-License-Identifier: MIT
// Ports and commands of the PS/2's 8042, IBM PS/2 Hardware Interface Technical Reference, Keyboard
// and Auxiliary Device Controller. Nothing else in this file.
#pragma once

#include "core/reg/field.h"

#include <cstdint>

namespace dm::chipset::i8042 {

using reg::Field;
using reg::Flag;

// clang-format off
struct STATUS {                  // port 64h, read
  using OBF  = Flag<0>;          // output buffer full
  using IBF  = Flag<1>;          // input buffer full
  using SYS  = Flag<2>;          // system flag
  using CMD  = Flag<3>;          // the last write was to 64h
  using INH  = Flag<4>;          // 0: keyboard locked by its key
  using AOBF = Flag<5>;          // the byte in the output buffer is from the auxiliary device
};
struct COMMAND_BYTE {            // controller RAM, byte 0
  using KBDINT = Flag<0>;        // IRQ 1
  using AUXINT = Flag<1>;        // IRQ 12
  using SYS    = Flag<2>;        // goes into STATUS.SYS
  using KBDDIS = Flag<4>;
  using AUXDIS = Flag<5>;
  using XLATE  = Flag<6>;        // keyboard bytes become scan code set 1
};
struct OUTPUT_PORT {             // P2
  using RESET = Flag<0>;         // 0 resets the processor
  using A20   = Flag<1>;
  using IRQ1  = Flag<4>;
  using IRQ12 = Flag<5>;
  static constexpr std::uint8_t kFollows = IRQ1::kMask | IRQ12::kMask;
};
// clang-format on

// Commands, port 64h.
inline constexpr std::uint8_t kReadRam = 0x20;   // 20h-3Fh
inline constexpr std::uint8_t kWriteRam = 0x60;  // 60h-7Fh
inline constexpr std::uint8_t kRamMask = 0x1f;
inline constexpr std::uint8_t kDisableAux = 0xa7;
inline constexpr std::uint8_t kEnableAux = 0xa8;
inline constexpr std::uint8_t kTestAux = 0xa9;
inline constexpr std::uint8_t kSelfTest = 0xaa;
inline constexpr std::uint8_t kTestKeyboard = 0xab;
inline constexpr std::uint8_t kDisableKeyboard = 0xad;
inline constexpr std::uint8_t kEnableKeyboard = 0xae;
inline constexpr std::uint8_t kReadInputPort = 0xc0;
inline constexpr std::uint8_t kReadOutputPort = 0xd0;
enum DataCommand : std::uint8_t {  // these take a byte through port 60h
  kWriteOutputPort = 0xd1,
  kWriteKeyboardBuffer = 0xd2,
  kWriteAuxBuffer = 0xd3,
  kWriteAux = 0xd4,
};
inline constexpr std::uint8_t kCloseA20 = 0xdd;
inline constexpr std::uint8_t kOpenA20 = 0xdf;
inline constexpr std::uint8_t kPulse =
    0xf0;  // F0h-FFh: output port bits 3-0 go low where the command has a 0

// Answers.
inline constexpr std::uint8_t kSelfTestPassed = 0x55;
inline constexpr std::uint8_t kLineTestPassed = 0x00;
inline constexpr std::uint8_t kInputPort = 0x80;  // P1: keyboard not locked

}  // namespace dm::chipset::i8042
