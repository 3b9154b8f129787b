// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dm::uart16550 {

/// The 16 bytes of a receiver or transmitter FIFO. In 16450 mode only one place of it is used.
/// No operation leaves the array, whatever the two numbers are.
struct UartFifo {
  static constexpr std::uint8_t kDepth = 16;
  static constexpr std::uint8_t kSlotMask = kDepth - 1;

  std::array<std::uint8_t, kDepth> data{};
  std::uint8_t head = 0;   ///< slot of the oldest byte
  std::uint8_t count = 0;  ///< bytes held

  [[nodiscard]] bool empty() const noexcept { return count == 0; }
  /// The slot that the next push() fills.
  [[nodiscard]] std::uint8_t tail() const noexcept {
    return static_cast<std::uint8_t>((head + count) & kSlotMask);
  }
  /// The caller has looked that there is room.
  void push(std::uint8_t byte) noexcept {
    data[tail()] = byte;
    ++count;
  }
  /// The caller has looked that there is a byte.
  std::uint8_t pop() noexcept {
    const std::uint8_t byte = data[head & kSlotMask];
    drop(1);
    return byte;
  }
  void drop(std::size_t bytes) noexcept {
    head = static_cast<std::uint8_t>((head + bytes) & kSlotMask);
    count = static_cast<std::uint8_t>(count - bytes);
  }
  /// The oldest bytes, as far as they lie side by side.
  [[nodiscard]] std::span<const std::uint8_t> run() const noexcept {
    const std::size_t first = head & kSlotMask;
    return std::span{data}.subspan(first, std::min<std::size_t>(count, kDepth - first));
  }
  void clear() noexcept { *this = UartFifo{}; }
};

/// Everything of a 16550A that its guest can find out, in registers or later in behaviour. What can
/// be computed from the rest (LSR, IIR, the interrupt, MSR's levels) is not in it, so nothing of
/// that can be restored wrongly.
struct UartState {
  std::uint8_t ier = 0;
  std::uint8_t fcr = 0;  ///< without the self-clearing bits; 0 while the FIFOs are off
  std::uint8_t lcr = 0;
  std::uint8_t mcr = 0;
  std::uint8_t errors = 0;        ///< LSR 4:1, until read
  std::uint8_t line_levels = 0;   ///< what the modem input pins say, as in MSR 7:4
  std::uint8_t modem_deltas = 0;  ///< MSR 3:0, until read
  std::uint8_t scr = 0;
  std::uint8_t dll = 0;
  std::uint8_t dlm = 0;
  std::uint8_t rbr = 0;        ///< the byte read last: an empty receiver gives it again
  bool thre_pending = false;   ///< the THRE interrupt, not yet acknowledged
  bool rx_timeout = false;     ///< the character time-out interrupt
  bool break_waiting = false;  ///< a received break that found no room
  UartFifo rx;
  UartFifo tx;
  std::uint16_t rx_breaks = 0;  ///< bit i: the byte in slot i of rx is a break, not yet at the top
};

// A new member changes the size: describe it, validate it, and give it a number that was never
// used.
static_assert(sizeof(UartFifo) == 18 && sizeof(UartState) == 52);

template <class Visitor>
void describe(Visitor& v, UartFifo& s) {
  v.field(1, "data", s.data);
  v.field(2, "head", s.head);
  v.field(3, "count", s.count);
}

template <class Visitor>
void describe(Visitor& v, UartState& s) {
  v.field(1, "ier", s.ier);
  v.field(2, "fcr", s.fcr);
  v.field(3, "lcr", s.lcr);
  v.field(4, "mcr", s.mcr);
  v.field(5, "errors", s.errors);
  v.field(6, "line_levels", s.line_levels);
  v.field(7, "modem_deltas", s.modem_deltas);
  v.field(8, "scr", s.scr);
  v.field(9, "dll", s.dll);
  v.field(10, "dlm", s.dlm);
  v.field(11, "rbr", s.rbr);
  v.field(12, "thre_pending", s.thre_pending);
  v.field(13, "rx_timeout", s.rx_timeout);
  v.field(14, "break_waiting", s.break_waiting);
  v.field(15, "rx", s.rx);
  v.field(16, "tx", s.tx);
  v.field(17, "rx_breaks", s.rx_breaks);
}

/// What every reachable state fulfils. Asked before a loaded state is used, and by tests after
/// every step.
[[nodiscard]] bool validate(const UartState& s) noexcept;

}  // namespace dm::uart16550
