// SPDX-License-Identifier: MIT
#include "devices/uart16550/regs.h"
#include "devices/uart16550/state.h"

namespace dm::uart16550 {

using regs::FCR;
using regs::IER;
using regs::kMask;
using regs::kNamed;
using regs::LSR;
using regs::MCR;
using regs::MSR;

namespace {

[[nodiscard]] bool only(std::uint8_t value, std::uint8_t mask) noexcept {
  return (value & ~mask) == 0;
}

[[nodiscard]] bool fits(const UartFifo& fifo, std::uint8_t capacity) noexcept {
  return fifo.head < UartFifo::kDepth && fifo.count <= capacity;
}

/// Breaks mark bytes that are there and have others before them.
[[nodiscard]] bool breaks_fit(const UartState& s) noexcept {
  std::uint16_t possible = 0;
  for (unsigned i = 1; i < s.rx.count; ++i) {
    possible = static_cast<std::uint16_t>(possible | 1U << ((s.rx.head + i) & UartFifo::kSlotMask));
  }
  return (s.rx_breaks & ~possible) == 0;
}

}  // namespace

bool validate(const UartState& s) noexcept {
  const bool fifos_on = FCR::FE::test(s.fcr);
  const std::uint8_t capacity = fifos_on ? UartFifo::kDepth : 1;
  return only(s.ier, kNamed<IER::Layout>) && only(s.fcr, kNamed<FCR::Kept>) &&
         (fifos_on || s.fcr == 0) && only(s.mcr, kNamed<MCR::Layout>) &&
         only(s.errors, kMask<LSR::ERRORS>) && only(s.line_levels, kMask<MSR::LEVELS>) &&
         only(s.modem_deltas, kMask<MSR::DELTAS>) && fits(s.rx, capacity) && fits(s.tx, capacity) &&
         breaks_fit(s) && (!s.thre_pending || (IER::ETBEI::test(s.ier) && s.tx.empty())) &&
         (!s.rx_timeout || (fifos_on && !s.rx.empty())) &&
         (!MCR::LOOP::test(s.mcr) || s.tx.empty());
}

}  // namespace dm::uart16550
