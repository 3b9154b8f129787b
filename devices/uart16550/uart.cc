// SPDX-License-Identifier: MIT
#include "devices/uart16550/uart.h"

#include "devices/uart16550/regs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace dm::uart16550 {

using regs::DLL;
using regs::FCR;
using regs::IER;
using regs::IIR;
using regs::kMask;
using regs::kNamed;
using regs::LCR;
using regs::LSR;
using regs::MCR;
using regs::MSR;
using regs::Read;
using regs::Write;

namespace {

constexpr std::uint32_t kBaseBaud = 115200;  ///< the PC's 1.8432 MHz crystal / 16

[[nodiscard]] std::uint8_t msr_levels(ModemLines lines) noexcept {
  return static_cast<std::uint8_t>(
      (lines.cts ? kMask<MSR::CTS> : 0) | (lines.dsr ? kMask<MSR::DSR> : 0) |
      (lines.ri ? kMask<MSR::RI> : 0) | (lines.dcd ? kMask<MSR::DCD> : 0));
}

}  // namespace

Uart16550::Uart16550(CharBackend& backend, TimerQueue& timers, IrqLine& irq) noexcept
    : backend_{backend},
      irq_{irq},
      timeout_{Timer::bind<&Uart16550::on_character_timeout>(timers, *this)},
      arrival_{Timer::bind<&Uart16550::pull>(timers, *this)},
      host_levels_{msr_levels(ModemLines{})} {
  state_.dll = DLL::kReset;
  state_.line_levels = host_levels_;
  backend_.attach(this);
}

Uart16550::~Uart16550() {
  backend_.attach(nullptr);
}

void Uart16550::reset() noexcept {
  state_ = UartState{};
  state_.dll = DLL::kReset;
  state_.line_levels = host_levels_;
  thre_seen_ = true;
  timeout_.cancel();
  arrival_.cancel();
  tell_pins();
  update_irq();
  pull();
}

// Registers

std::uint8_t Uart16550::read(std::uint64_t offset) noexcept {
  if (offset >= regs::kCount) {
    return 0;
  }
  const bool data = data_selected();
  switch (static_cast<Read>(offset)) {
    case Read::RBR_DLL:
      return data ? read_rbr() : state_.dll;
    case Read::IER_DLM:
      return data ? state_.ier : state_.dlm;
    case Read::IIR:
      return read_iir();
    case Read::LCR:
      return state_.lcr;
    case Read::MCR:
      return state_.mcr;
    case Read::LSR:
      return read_lsr();
    case Read::MSR:
      return read_msr();
    case Read::SCR:
      return state_.scr;
  }
  return 0;
}

void Uart16550::write(std::uint64_t offset, std::uint8_t value) noexcept {
  if (offset >= regs::kCount) {
    return;
  }
  const bool data = data_selected();
  switch (static_cast<Write>(offset)) {
    case Write::THR_DLL:
      if (data) {
        const std::byte byte{value};
        send({&byte, 1});
      } else {
        state_.dll = value;
      }
      break;
    case Write::IER_DLM:
      if (data) {
        write_ier(value);
      } else {
        state_.dlm = value;
      }
      break;
    case Write::FCR:
      write_fcr(value);
      break;
    case Write::LCR:
      write_lcr(value);
      break;
    case Write::MCR:
      write_mcr(value);
      break;
    case Write::SCR:
      state_.scr = value;
      break;
    case Write::LSR:  // "not recommended as this operation is only used for factory testing"
    case Write::MSR:  // inputs
      break;
  }
}

std::uint8_t Uart16550::with_errors_read(std::uint8_t lsr) noexcept {
  // LSR 7: "cleared when the CPU reads the LSR, if there are no subsequent errors in the FIFO".
  const bool in_fifo = (state_.errors & ~kMask<LSR::OE>) != 0 || state_.rx_breaks != 0;
  const auto value = static_cast<std::uint8_t>(lsr | state_.errors |
                                               (fifos_on() && in_fifo ? kMask<LSR::FIFOE> : 0));
  state_.errors = 0;
  update_irq();
  return value;
}

std::uint8_t Uart16550::read_iir() noexcept {
  thre_seen_ = true;
  const std::uint8_t id = interrupt_id();
  if (id == IIR::kThrEmpty) {
    // "reading the IIR Register (if source of interrupt)" acknowledges; LSR.THRE is not touched.
    state_.thre_pending = false;
    update_irq();
  }
  return static_cast<std::uint8_t>(id | (fifos_on() ? kMask<IIR::FIFOS> : 0));
}

std::uint8_t Uart16550::read_msr() noexcept {
  const auto value = static_cast<std::uint8_t>(modem_levels() | state_.modem_deltas);
  state_.modem_deltas = 0;
  update_irq();
  return value;
}

void Uart16550::write_ier(std::uint8_t value) noexcept {
  const std::uint8_t before = state_.ier;
  state_.ier =
      value & kNamed<IER::Layout>;  // bits 7:4 read 0, or Linux takes the chip for an XScale's
  if (!IER::ETBEI::test(state_.ier)) {
    state_.thre_pending = false;
  } else if (!IER::ETBEI::test(before) && state_.tx.empty()) {
    // Not in the datasheet, but in the chip, and drivers depend on it: enabling the interrupt while
    // THRE is set raises it, also when it has been acknowledged before.
    raise_thre();
  }
  update_irq();
}

void Uart16550::write_fcr(std::uint8_t value) noexcept {
  const bool on = FCR::FE::test(value);
  const bool changed = on != fifos_on();
  // "This bit [FE] must be a 1 when other FCR bits are written to or they will not be programmed."
  state_.fcr = on ? value & kNamed<FCR::Kept> : 0;
  if (changed || (on && FCR::RFR::test(value))) {
    clear_rx();
    arrival_.arm_in(characters(1));
  }
  if (changed || (on && FCR::XFR::test(value))) {
    clear_tx();
  }
  update_irq();
  pull();
}

void Uart16550::write_lcr(std::uint8_t value) noexcept {
  state_.lcr = value;
  tell_pins();
  if (data_selected()) {
    // Not while the divisor is half written.
    tell_line();
  }
}

void Uart16550::write_mcr(std::uint8_t value) noexcept {
  const bool was_loop = loop();
  const std::uint8_t levels = modem_levels();
  state_.mcr = value & kNamed<MCR::Layout>;
  levels_were(levels);
  tell_pins();
  if (loop() && !state_.tx.empty()) {
    // What the backend had not taken yet now goes the way of everything sent.
    while (!state_.tx.empty()) {
      receive_own(state_.tx.pop());
    }
    restart_timeout();
    raise_thre();
  }
  update_irq();
  if (was_loop && !loop()) {
    pull();
  }
}

// Pure functions of the state

bool Uart16550::data_selected() const noexcept {
  return !LCR::DLAB::test(state_.lcr);
}
bool Uart16550::fifos_on() const noexcept {
  return FCR::FE::test(state_.fcr);
}
bool Uart16550::loop() const noexcept {
  return MCR::LOOP::test(state_.mcr);
}
std::uint8_t Uart16550::capacity() const noexcept {
  return fifos_on() ? UartFifo::kDepth : 1;
}

std::uint8_t Uart16550::trigger() const noexcept {
  constexpr std::array<std::uint8_t, 4> kLevels{1, 4, 8, 14};
  return fifos_on() ? kLevels[FCR::RT::get(state_.fcr)] : 1;
}

std::uint8_t Uart16550::modem_levels() const noexcept {
  if (!loop()) {
    return state_.line_levels;
  }
  return msr_levels({.cts = MCR::RTS::test(state_.mcr),
                     .dsr = MCR::DTR::test(state_.mcr),
                     .dcd = MCR::OUT2::test(state_.mcr),
                     .ri = MCR::OUT1::test(state_.mcr)});
}

std::uint8_t Uart16550::interrupt_id() const noexcept {
  const UartState& s = state_;
  if (IER::ELSI::test(s.ier) && s.errors != 0) {
    return IIR::kLineStatus;
  }
  if (IER::ERBFI::test(s.ier) && s.rx_timeout) {
    return IIR::kTimeout;
  }
  if (IER::ERBFI::test(s.ier) && s.rx.count >= trigger()) {
    return IIR::kData;
  }
  if (s.thre_pending) {
    return IIR::kThrEmpty;
  }
  if (IER::EDSSI::test(s.ier) && s.modem_deltas != 0) {
    return IIR::kModemStatus;
  }
  return IIR::kNone;
}

std::uint32_t Uart16550::divisor() const noexcept {
  // A divisor of 0 stops a real chip; here it counts as 1, so that nothing is ever divided by it
  // (CVE-2016-8669).
  return std::max<std::uint32_t>(1, std::uint32_t{state_.dlm} << 8U | state_.dll);
}

GuestClock::duration Uart16550::characters(unsigned count) const noexcept {
  const std::int64_t bits =
      1 + 5 + LCR::WLS::get(state_.lcr) + LCR::PEN::get(state_.lcr) + 1 + LCR::STB::get(state_.lcr);
  // At most 4 * 12 bits * 65535 * 1e9: far from the end of 64 bits.
  return GuestClock::duration{count * bits * divisor() * std::nano::den / kBaseBaud};
}

void Uart16550::update_irq() noexcept {
  irq_.set(MCR::OUT2::test(state_.mcr) && interrupt_id() != IIR::kNone);
}

// The other end's news

void Uart16550::on_readable() noexcept {
  input_outside_ = true;
  pull();
}

void Uart16550::on_writable() noexcept {
  if (!paused_) {
    flush_tx();
  }
}

void Uart16550::on_lines(ModemLines lines) noexcept {
  host_levels_ = msr_levels(lines);
  if (paused_) {
    return;
  }
  const std::uint8_t before = modem_levels();
  state_.line_levels = host_levels_;
  levels_were(before);
  update_irq();
}

void Uart16550::on_break() noexcept {
  if (paused_) {
    break_outside_ = true;
    return;
  }
  state_.break_waiting = true;
  input_outside_ = true;
  pull();
}

void Uart16550::resume() noexcept {
  paused_ = false;
  const std::uint8_t before = modem_levels();
  state_.line_levels = host_levels_;
  levels_were(before);
  update_irq();
  flush_tx();
  if (std::exchange(break_outside_, false)) {
    on_break();
  }
  on_readable();
}

void Uart16550::levels_were(std::uint8_t before) noexcept {
  const std::uint8_t now = modem_levels();
  const auto changed = static_cast<std::uint8_t>(before ^ now);
  if (MSR::CTS::test(changed)) {
    state_.modem_deltas |= kMask<MSR::DCTS>;
  }
  if (MSR::DSR::test(changed)) {
    state_.modem_deltas |= kMask<MSR::DDSR>;
  }
  if (MSR::RI::test(before) && !MSR::RI::test(now)) {
    state_.modem_deltas |= kMask<MSR::TERI>;  // the trailing edge only
  }
  if (MSR::DCD::test(changed)) {
    state_.modem_deltas |= kMask<MSR::DDCD>;
  }
}

void Uart16550::tell_line() noexcept {
  const Line line{.baud = kBaseBaud / divisor(),  // 1 at least: 115200 / 65535
                  .data_bits = static_cast<std::uint8_t>(5 + LCR::WLS::get(state_.lcr)),
                  .stop_bits = static_cast<std::uint8_t>(1 + LCR::STB::get(state_.lcr)),
                  .parity = !LCR::PEN::test(state_.lcr)  ? 'n'
                            : LCR::EPS::test(state_.lcr) ? 'e'
                                                         : 'o'};
  if (told_line_ != line) {
    told_line_ = line;
    backend_.set_line(line.baud, line.data_bits, line.stop_bits, line.parity);
  }
}

void Uart16550::tell_pins() noexcept {
  // In loopback SOUT is marking and the modem outputs are inactive.
  const Pins pins{.dtr = !loop() && MCR::DTR::test(state_.mcr),
                  .rts = !loop() && MCR::RTS::test(state_.mcr),
                  .brk = !loop() && LCR::BRK::test(state_.lcr)};
  const Pins told = told_pins_.value_or(Pins{.dtr = !pins.dtr, .rts = !pins.rts, .brk = false});
  told_pins_ = pins;
  if (pins.dtr != told.dtr || pins.rts != told.rts) {
    backend_.set_outputs(pins.dtr, pins.rts);
  }
  if (pins.brk != told.brk) {
    backend_.set_break(pins.brk);
  }
}

bool Uart16550::restore(const UartState& saved) noexcept {
  if (!validate(saved)) {
    return false;
  }
  state_ = saved;
  thre_seen_ = true;
  input_outside_ = true;
  arrival_.cancel();
  restart_timeout();
  told_line_.reset();
  told_pins_.reset();
  tell_line();
  tell_pins();
  irq_.adopt(MCR::OUT2::test(state_.mcr) && interrupt_id() != IIR::kNone);
  return true;
}

}  // namespace dm::uart16550
