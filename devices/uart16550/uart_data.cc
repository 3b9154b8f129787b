// SPDX-License-Identifier: MIT
// The way of the characters through the chip: receiver, transmitter and loopback.
#include "devices/uart16550/regs.h"
#include "devices/uart16550/uart.h"

#include <algorithm>
#include <array>

namespace dm::uart16550 {

using regs::IER;
using regs::kMask;
using regs::LSR;

// Receiver

/// Takes what the backend has, as far as there is room. One call of the backend at most.
void Uart16550::pull() noexcept {
  if (!input_outside_ || paused_ || loop() || arrival_.armed()) {
    return;
  }
  const std::uint8_t before = state_.rx.count;
  std::size_t room = static_cast<std::size_t>(capacity()) - before;
  if (room != 0 && state_.break_waiting) {
    // "When break occurs only one zero character is loaded into the FIFO."
    state_.break_waiting = false;
    push_rx(0, true);
    --room;
  }
  if (room != 0) {
    std::array<std::byte, UartFifo::kDepth> bytes{};
    const std::size_t got = std::min(backend_.read(std::span{bytes}.first(room)), room);
    for (const std::byte byte : std::span{bytes}.first(got)) {
      push_rx(std::to_integer<std::uint8_t>(byte), false);
    }
    counters_.rx_bytes += got;
    input_outside_ = got == room;
  }
  if (state_.rx.count != before) {
    restart_timeout();
    update_irq();
  }
}

void Uart16550::push_rx(std::uint8_t byte, bool is_break) noexcept {
  if (is_break) {
    // "This error is revealed to the CPU when its associated character is at the top of the FIFO."
    if (state_.rx.empty()) {
      state_.errors |= kMask<LSR::BI>;
    } else {
      state_.rx_breaks = static_cast<std::uint16_t>(state_.rx_breaks | 1U << state_.rx.tail());
    }
  }
  state_.rx.push(byte);
}

/// The caller has looked that there is a byte; it goes to rbr.
void Uart16550::pop_rx() noexcept {
  state_.rx_timeout = false;
  state_.rbr = state_.rx.pop();
  if (state_.rx_breaks != 0) {
    const auto top = static_cast<std::uint16_t>(1U << state_.rx.head);
    if ((state_.rx_breaks & top) != 0) {
      state_.rx_breaks = static_cast<std::uint16_t>(state_.rx_breaks & ~top);
      state_.errors |= kMask<LSR::BI>;
    }
  }
  // The line falls here and may rise again with what comes in: an edge-triggered input needs to see
  // both.
  update_irq();
  // Below the trigger level there is reason to ask the backend again; not at every byte.
  if (state_.rx.count < trigger()) {
    pull();
  }
}

std::uint8_t Uart16550::read_rbr() noexcept {
  if (!state_.rx.empty()) {
    pop_rx();
    restart_timeout();
  }
  return state_.rbr;
}

void Uart16550::read_data(std::span<std::byte> to) noexcept {
  if (state_.rx.empty()) {
    std::ranges::fill(to, std::byte{state_.rbr});
    return;
  }
  for (std::byte& byte : to) {
    if (!state_.rx.empty()) {
      pop_rx();
    }
    byte = std::byte{state_.rbr};
  }
  restart_timeout();
}

void Uart16550::clear_rx() noexcept {
  state_.rx.clear();
  state_.rx_breaks = 0;
  state_.rx_timeout = false;
  timeout_.cancel();
}

/// A character that comes back in loopback. Here, and only here, nobody can be held back.
void Uart16550::receive_own(std::uint8_t byte) noexcept {
  if (state_.rx.count >= capacity()) {
    state_.errors |= kMask<LSR::OE>;
    ++counters_.rx_overruns;
    if (fifos_on()) {
      // "the character in the shift register is overwritten, but it is not transferred to the FIFO"
      return;
    }
    state_.rx.clear();  // 16450 mode: RBR is overwritten
  }
  push_rx(byte, false);
}

/// "The timeout timer is reset after a new character is received or after the CPU reads the RCVR
/// FIFO", and an interrupt that has come stays until the FIFO is read.
void Uart16550::restart_timeout() noexcept {
  if (fifos_on() && !state_.rx.empty() && !state_.rx_timeout) {
    timeout_.arm_in(characters(4));
  } else {
    timeout_.cancel();
  }
}

void Uart16550::on_character_timeout() noexcept {
  state_.rx_timeout = true;
  update_irq();
}

// Transmitter

void Uart16550::send(std::span<const std::byte> bytes) noexcept {
  lower_thre();
  if (loop()) {
    for (const std::byte byte : bytes) {
      receive_own(std::to_integer<std::uint8_t>(byte));
    }
    restart_timeout();
  } else {
    if (state_.tx.empty()) {
      const std::size_t taken = std::min(backend_.write(bytes), bytes.size());
      counters_.tx_bytes += taken;
      bytes = bytes.subspan(taken);
    }
    const std::size_t room = static_cast<std::size_t>(capacity()) - state_.tx.count;
    const auto kept = bytes.first(std::min(room, bytes.size()));
    for (const std::byte byte : kept) {
      state_.tx.push(std::to_integer<std::uint8_t>(byte));
    }
    counters_.tx_dropped += bytes.size() - kept.size();
  }
  if (state_.tx.empty()) {
    raise_thre();
  }
  update_irq();
}

void Uart16550::write_data(std::span<const std::byte> bytes) noexcept {
  if (!bytes.empty()) {
    send(bytes);
  }
}

void Uart16550::flush_tx() noexcept {
  if (state_.tx.empty()) {
    return;
  }
  while (!state_.tx.empty()) {  // twice at most: the ring has one seam
    const auto run = state_.tx.run();
    const std::size_t taken = std::min(backend_.write(std::as_bytes(run)), run.size());
    counters_.tx_bytes += taken;
    const bool all = taken == run.size();
    state_.tx.drop(taken);
    if (!all) {
      return;
    }
  }
  raise_thre();
  update_irq();
}

void Uart16550::clear_tx() noexcept {
  state_.tx.clear();
  raise_thre();
}

/// The transmitter has become empty.
void Uart16550::raise_thre() noexcept {
  if (IER::ETBEI::test(state_.ier)) {
    state_.thre_pending = true;
    thre_seen_ = false;
  }
}

/// Writing THR takes the interrupt back; the departure of the character raises it again within the
/// same access. On the chip the line is low in between, and a driver that answers the interrupt
/// without reading IIR, or with another source reported there, lives on that edge. But each change
/// of the line is a hypercall, so a burst into the FIFO is spared the dips: while the guest has
/// looked at nothing since the interrupt came, it has not been answered yet, and the edge that
/// announces it is still to be served. In 16450 mode there are no bursts.
void Uart16550::lower_thre() noexcept {
  const bool dip = state_.thre_pending && (thre_seen_ || !fifos_on());
  state_.thre_pending = false;
  if (dip) {
    update_irq();
  }
}

}  // namespace dm::uart16550
