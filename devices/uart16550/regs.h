// SPDX-License-Identifier: MIT
#pragma once

#include "core/reg/field.h"

#include <cstdint>

/// The registers of the 16550A, in the order and with the names of National Semiconductor's
/// PC16550D datasheet (June 1995), "Summary of Registers". Nothing else in this file. Offsets are
/// from the port's base; every register is a byte. DLAB is LCR bit 7.
namespace dm::uart16550::regs {

using reg::Field;
using reg::Flag;

// clang-format off
struct RBR {                              // Receiver Buffer Register, read, DLAB = 0
  static constexpr std::uint8_t kOffset = 0;
};
struct THR {                              // Transmitter Holding Register, write, DLAB = 0
  static constexpr std::uint8_t kOffset = 0;
};
struct DLL {                              // Divisor Latch (LS), DLAB = 1
  static constexpr std::uint8_t kOffset = 0;
  static constexpr std::uint8_t kReset = 12;  // 9600 baud. A master reset leaves the latch alone; PCs come up so
};
struct DLM {                              // Divisor Latch (MS), DLAB = 1
  static constexpr std::uint8_t kOffset = 1;
};
struct IER {                              // Interrupt Enable Register, DLAB = 0
  static constexpr std::uint8_t kOffset = 1;
  using ERBFI = Flag<0>;                  // Received Data Available, and Character Timeout
  using ETBEI = Flag<1>;                  // Transmitter Holding Register Empty
  using ELSI  = Flag<2>;                  // Receiver Line Status
  using EDSSI = Flag<3>;                  // MODEM Status
  using Layout = reg::Layout<ERBFI, ETBEI, ELSI, EDSSI>;
};
struct IIR {                              // Interrupt Identification Register, read
  static constexpr std::uint8_t kOffset = 2;
  using ID    = Field<3, 0>;              // "Interrupt Control Functions": one of the six below
  using FIFOS = Field<7, 6>;              // both set while FCR.FE is
  static constexpr std::uint8_t kNone        = 0x01;
  static constexpr std::uint8_t kLineStatus  = 0x06;  // highest priority
  static constexpr std::uint8_t kData        = 0x04;  // second
  static constexpr std::uint8_t kTimeout     = 0x0c;  // second
  static constexpr std::uint8_t kThrEmpty    = 0x02;  // third
  static constexpr std::uint8_t kModemStatus = 0x00;  // fourth
};
struct FCR {                              // FIFO Control Register, write
  static constexpr std::uint8_t kOffset = 2;
  using FE   = Flag<0>;                   // FIFO Enable
  using RFR  = Flag<1>;                   // RCVR FIFO Reset, self-clearing
  using XFR  = Flag<2>;                   // XMIT FIFO Reset, self-clearing
  using DMS  = Flag<3>;                   // DMA Mode Select: moves RXRDY and TXRDY only, which a PC leaves open
  using RT   = Field<7, 6>;               // RCVR Trigger: 1, 4, 8, 14 bytes
  using Kept = reg::Layout<FE, DMS, RT>;
};
struct LCR {                              // Line Control Register
  static constexpr std::uint8_t kOffset = 3;
  using WLS  = Field<1, 0>;               // Word Length Select: 5 to 8 bits
  using STB  = Flag<2>;                   // Number of Stop Bits: 1; or 2 (1.5 with 5 bits)
  using PEN  = Flag<3>;                   // Parity Enable
  using EPS  = Flag<4>;                   // Even Parity Select
  using SP   = Flag<5>;                   // Stick Parity
  using BRK  = Flag<6>;                   // Set Break
  using DLAB = Flag<7>;                   // Divisor Latch Access Bit
  using Layout = reg::Layout<WLS, STB, PEN, EPS, SP, BRK, DLAB>;
};
struct MCR {                              // MODEM Control Register
  static constexpr std::uint8_t kOffset = 4;
  using DTR  = Flag<0>;
  using RTS  = Flag<1>;
  using OUT1 = Flag<2>;
  using OUT2 = Flag<3>;                   // on a PC: connects the interrupt
  using LOOP = Flag<4>;
  using Layout = reg::Layout<DTR, RTS, OUT1, OUT2, LOOP>;
};
struct LSR {                              // Line Status Register; writes are for factory tests
  static constexpr std::uint8_t kOffset = 5;
  using DR     = Flag<0>;                 // Data Ready
  using OE     = Flag<1>;                 // Overrun Error
  using PE     = Flag<2>;                 // Parity Error
  using FE     = Flag<3>;                 // Framing Error
  using BI     = Flag<4>;                 // Break Interrupt
  using ERRORS = Field<4, 1>;             // the four above: reading clears them, each raises the line status interrupt
  using THRE   = Flag<5>;                 // Transmitter Holding Register Empty
  using TEMT   = Flag<6>;                 // Transmitter Empty
  using FIFOE  = Flag<7>;                 // a PE, FE or BI somewhere in the RCVR FIFO; 0 in 16450 mode
};
struct MSR {                              // MODEM Status Register
  static constexpr std::uint8_t kOffset = 6;
  using DCTS   = Flag<0>;
  using DDSR   = Flag<1>;
  using TERI   = Flag<2>;                 // Trailing Edge of RI
  using DDCD   = Flag<3>;
  using DELTAS = Field<3, 0>;             // reading clears them, each raises the MODEM status interrupt
  using CTS    = Flag<4>;
  using DSR    = Flag<5>;
  using RI     = Flag<6>;
  using DCD    = Flag<7>;
  using LEVELS = Field<7, 4>;
};
struct SCR {                              // Scratch Register
  static constexpr std::uint8_t kOffset = 7;
};
// clang-format on

inline constexpr std::uint8_t kCount = 8;

/// What is at each offset when it is read, and when it is written. A switch over one of these has
/// no default: a register that it forgets does not compile.
enum class Read : std::uint8_t {
  RBR_DLL = RBR::kOffset,
  IER_DLM = IER::kOffset,
  IIR = regs::IIR::kOffset,
  LCR = regs::LCR::kOffset,
  MCR = regs::MCR::kOffset,
  LSR = regs::LSR::kOffset,
  MSR = regs::MSR::kOffset,
  SCR = regs::SCR::kOffset,
};
enum class Write : std::uint8_t {
  THR_DLL = THR::kOffset,
  IER_DLM = IER::kOffset,
  FCR = regs::FCR::kOffset,
  LCR = regs::LCR::kOffset,
  MCR = regs::MCR::kOffset,
  LSR = regs::LSR::kOffset,
  MSR = regs::MSR::kOffset,
  SCR = regs::SCR::kOffset,
};

/// A field's or register's mask as the byte that it is.
template <class F>
inline constexpr auto kMask = static_cast<std::uint8_t>(F::kMask);
template <class L>
inline constexpr auto kNamed = static_cast<std::uint8_t>(L::kNamed);

}  // namespace dm::uart16550::regs
