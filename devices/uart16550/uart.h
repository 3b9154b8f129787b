// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/chardev.h"
#include "core/irq/irq_line.h"
#include "core/time/timer.h"
#include "devices/uart16550/state.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dm::uart16550 {

/// A 16550A UART as the PC has it: eight byte registers, two FIFOs of 16 bytes, one interrupt, an
/// other end.
///
/// Characters take no time: what the guest writes is offered to the backend within the access, and
/// what the backend has comes in as soon as there is room. Nothing is buffered here beyond the two
/// FIFOs that the guest sees.
///
/// Output that the backend does not take stays in the transmitter FIFO, with THRE and TEMT clear,
/// until on_writable(). A guest that obeys THRE loses nothing; one that does not loses the newest
/// byte, as on the chip, and it is counted. Input that finds no room stays outside, so an overrun
/// happens in loopback only.
///
/// Two things take guest time: the character time-out interrupt, and the first character after the
/// receiver was cleared, which comes a character time later, so that a driver that clears and then
/// probes is not surprised by it.
///
/// No handler allocates, blocks, throws or loops longer than the bytes it was given plus one FIFO.
/// Thread rule: the loop's thread only. Source: PC16550D datasheet; README.md lists what software
/// adds to it.
class Uart16550 final : public CharClient {
 public:
  struct Counters {
    std::uint64_t tx_bytes = 0;     ///< taken by the backend
    std::uint64_t rx_bytes = 0;     ///< given by the backend, breaks not counted
    std::uint64_t tx_dropped = 0;   ///< written by the guest into a full transmitter
    std::uint64_t rx_overruns = 0;  ///< lost in loopback
  };

  /// Attaches itself to the backend until it goes. All three must outlive it.
  Uart16550(CharBackend& backend, TimerQueue& timers, IrqLine& irq) noexcept;
  Uart16550(const Uart16550&) = delete;
  Uart16550& operator=(const Uart16550&) = delete;
  ~Uart16550() override;

  /// One byte register; `offset` is 0-7, anything else reads 0 and ignores writes.
  [[nodiscard]] std::uint8_t read(std::uint64_t offset) noexcept;
  void write(std::uint64_t offset, std::uint8_t value) noexcept;
  /// LSR, which consoles poll before every byte. The same as read(5), and the cheapest of all.
  [[nodiscard]] inline std::uint8_t read_lsr() noexcept;

  /// True while offset 0 is RBR and THR, not the divisor.
  [[nodiscard]] bool data_selected() const noexcept;
  /// As many reads of RBR as `to` has bytes; data_selected() only.
  void read_data(std::span<std::byte> to) noexcept;
  /// As many writes of THR as there are bytes; data_selected() only.
  void write_data(std::span<const std::byte> bytes) noexcept;

  void on_readable() noexcept override;
  void on_writable() noexcept override;
  void on_lines(ModemLines lines) noexcept override;
  void on_break() noexcept override;

  /// As after power-on. The modem input pins stay what the other end makes them.
  void reset() noexcept;

  /// From pause() to resume() the other end changes nothing here: input stays outside, held-back
  /// output stays in the FIFO. For saving; guest time must stand still too.
  void pause() noexcept { paused_ = true; }
  void resume() noexcept;

  [[nodiscard]] const UartState& state() const noexcept { return state_; }
  /// Puts a saved state in the place of the present one; false, and nothing changed, unless
  /// validate() agrees. The interrupt level is adopted, not sent: the hypervisor has restored its
  /// own copy. A running character time-out starts anew. The backend is told speed, pins and break.
  /// To be called between pause() and resume(), which then moves what can move.
  [[nodiscard]] bool restore(const UartState& saved) noexcept;

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  struct Line {
    std::uint32_t baud;
    std::uint8_t data_bits;
    std::uint8_t stop_bits;
    char parity;
    friend bool operator==(const Line&, const Line&) noexcept = default;
  };
  struct Pins {
    bool dtr;
    bool rts;
    bool brk;
    friend bool operator==(const Pins&, const Pins&) noexcept = default;
  };

  // Pure functions of the state.
  [[nodiscard]] bool fifos_on() const noexcept;
  [[nodiscard]] bool loop() const noexcept;
  [[nodiscard]] std::uint8_t capacity() const noexcept;  ///< of either FIFO: 16, or 1 in 16450 mode
  [[nodiscard]] std::uint8_t trigger() const noexcept;   ///< bytes in the receiver that interrupt
  [[nodiscard]] std::uint8_t modem_levels() const noexcept;  ///< MSR 7:4
  [[nodiscard]] std::uint8_t interrupt_id() const noexcept;  ///< IIR 3:0
  [[nodiscard]] std::uint32_t divisor() const noexcept;      ///< 1-65535
  /// How long they take on the wire.
  [[nodiscard]] GuestClock::duration characters(unsigned count) const noexcept;

  [[nodiscard]] std::uint8_t with_errors_read(std::uint8_t lsr) noexcept;
  [[nodiscard]] std::uint8_t read_rbr() noexcept;
  [[nodiscard]] std::uint8_t read_iir() noexcept;
  [[nodiscard]] std::uint8_t read_msr() noexcept;
  void write_ier(std::uint8_t value) noexcept;
  void write_fcr(std::uint8_t value) noexcept;
  void write_lcr(std::uint8_t value) noexcept;
  void write_mcr(std::uint8_t value) noexcept;

  // Receiver
  void pull() noexcept;
  void push_rx(std::uint8_t byte, bool is_break) noexcept;
  void pop_rx() noexcept;
  void clear_rx() noexcept;
  void receive_own(std::uint8_t byte) noexcept;
  void restart_timeout() noexcept;
  void on_character_timeout() noexcept;

  // Transmitter
  void send(std::span<const std::byte> bytes) noexcept;
  void flush_tx() noexcept;
  void clear_tx() noexcept;
  void raise_thre() noexcept;
  void lower_thre() noexcept;

  void levels_were(std::uint8_t before) noexcept;
  void tell_line() noexcept;
  void tell_pins() noexcept;
  void update_irq() noexcept;

  CharBackend& backend_;
  IrqLine& irq_;
  Timer timeout_;  ///< four characters without a character or a read
  Timer arrival_;  ///< armed: nothing comes in before it fires
  UartState state_;
  Counters counters_;

  // Not the guest's: where we stand with the backend.
  bool input_outside_ = true;  ///< the backend may have more than it gave
  bool paused_ = false;
  bool break_outside_ = false;  ///< came while paused
  std::uint8_t host_levels_;    ///< modem pins as last heard, as in MSR 7:4
  std::optional<Line> told_line_;
  std::optional<Pins> told_pins_;
  /// The guest has looked at LSR or IIR since the THRE interrupt came: see lower_thre().
  bool thre_seen_ = true;
};

inline std::uint8_t Uart16550::read_lsr() noexcept {
  constexpr unsigned kDataReady = 0x01;
  constexpr unsigned kTransmitterEmpty =
      0x60;  // THRE and TEMT: nothing is ever left in the shift register alone
  thre_seen_ = true;
  const auto lsr = static_cast<std::uint8_t>((state_.rx.empty() ? 0U : kDataReady) |
                                             (state_.tx.empty() ? kTransmitterEmpty : 0U));
  if ((state_.errors | state_.rx_breaks) == 0) [[likely]] {
    return lsr;
  }
  return with_errors_read(lsr);
}

}  // namespace dm::uart16550
