// SPDX-License-Identifier: MIT
#include "devices/uart16550/serial_port.h"

#include "core/state/show.h"
#include "devices/uart16550/regs.h"

namespace dm::uart16550 {

SerialPort::SerialPort(const ComPort& where,
                       PioBus& pio,
                       IrqRouter& irqs,
                       TimerQueue& timers,
                       CharBackend& backend) noexcept
    : backend_{backend},
      irq_{irqs.isa(where.irq)},
      uart_{backend, timers, irq_},
      claim_{pio.claim({where.base, static_cast<std::uint16_t>(where.base + regs::kCount - 1)},
                       IoHandler::bind_with_runs<&SerialPort::read,
                                                 &SerialPort::write,
                                                 &SerialPort::read_run,
                                                 &SerialPort::write_run>(*this),
                       where.name)} {}

Result<std::unique_ptr<SerialPort>> SerialPort::create(
    const ComPort& where, PioBus& pio, IrqRouter& irqs, TimerQueue& timers, CharBackend& backend) {
  std::unique_ptr<SerialPort> port{new SerialPort{where, pio, irqs, timers, backend}};
  switch (port->claim_.status()) {
    case ClaimStatus::ok:
      return port;
    case ClaimStatus::overlap:
      return fail(where.name, ": its ports are held by ", port->claim_.holder());
    default:
      return fail(where.name, ": the hypervisor does not give its ports");
  }
}

void SerialPort::inspect(Inspector& to, std::string_view name) const {
  const Uart16550::Counters& counters = uart_.counters();
  const CharBackend::Output output = backend_.output();
  const Inspector::Row row{to, "serial"};
  to.text("name", name);
  to.text("backend", backend_.description());
  to.number("tx_bytes", counters.tx_bytes);
  to.number("rx_bytes", counters.rx_bytes);
  to.number("tx_dropped", counters.tx_dropped);
  to.number("rx_overruns", counters.rx_overruns);
  to.number("output_waiting", output.waiting);
  to.number("output_dropped", output.dropped);
  const Inspector::Part registers{to, "registers"};
  state::show(uart_.state(), to);
}

std::uint64_t SerialPort::read(IoAccess a) noexcept {
  if (a.size == 1) [[likely]] {
    return a.offset == regs::LSR::kOffset ? uart_.read_lsr() : uart_.read(a.offset);
  }
  std::uint64_t value = 0;
  for (unsigned i = 0; i < a.size; ++i) {
    value |= std::uint64_t{uart_.read(a.offset + i)} << (8 * i);
  }
  return value;
}

void SerialPort::write(IoAccess a, std::uint64_t value) noexcept {
  for (unsigned i = 0; i < a.size; ++i) {
    uart_.write(a.offset + i, static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

bool SerialPort::is_data(IoAccess a) const noexcept {
  return a.size == 1 && a.offset == regs::RBR::kOffset && uart_.data_selected();
}

std::size_t SerialPort::read_run(IoAccess a, std::span<std::byte> to) noexcept {
  if (!is_data(a)) {
    return 0;
  }
  uart_.read_data(to);
  return to.size();
}

std::size_t SerialPort::write_run(IoAccess a, std::span<const std::byte> from) noexcept {
  if (!is_data(a)) {
    return 0;
  }
  uart_.write_data(from);
  return from.size();
}

}  // namespace dm::uart16550
