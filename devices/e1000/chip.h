// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/io/io_handler.h"
#include "core/irq/irq_line.h"
#include "core/mem/guest_memory.h"
#include "core/time/timer.h"
#include "core/time/work.h"
#include "devices/e1000/eeprom.h"
#include "devices/e1000/interrupts.h"
#include "devices/e1000/phy.h"
#include "devices/e1000/receiver.h"
#include "devices/e1000/shared.h"
#include "devices/e1000/transmitter.h"

#include <cstddef>
#include <cstdint>

namespace dm::e1000 {

/// The 82540EM behind its register file: what an access of a register does, reset, link. It does
/// not know where its registers are in the guest's address space; the PCI function does (e1000.h).
/// Thread rule: the loop's thread only. No allocation after construction. Source: 8254x SDM.
class Chip final : public NetClient {
 public:
  struct Ports {
    GuestMemory& memory;
    TimerQueue& timers;
    WorkQueue& work;
    NetBackend& backend;
  };
  /// Attaches itself to the back end. The destructor detaches it.
  Chip(const Ports& ports, IrqLine irq, const MacAddress& mac);
  Chip(const Chip&) = delete;
  Chip& operator=(const Chip&) = delete;
  ~Chip() override;

  // BAR 0 and BAR 1.
  [[nodiscard]] inline std::uint64_t read_memory(IoAccess a) noexcept;
  void write_memory(IoAccess a, std::uint64_t value) noexcept;
  [[nodiscard]] std::uint64_t read_io(IoAccess a) noexcept;
  void write_io(IoAccess a, std::uint64_t value) noexcept;

  void set_bus_master(bool on) noexcept;
  /// The card leaves the machine: the pin goes low, nothing is sent or received any more.
  void leave() noexcept;

  void on_receivable() noexcept override { receiver_.on_receivable(); }
  void on_sendable() noexcept override { transmitter_.on_sendable(); }
  void on_link(bool up) noexcept override;

  /// Power-on and PCI reset: everything, the PHY and PBA too.
  void power_on() noexcept;
  /// The same, for a card that has not left.
  void wake() noexcept;
  /// Nothing of the guest's is touched from pause() to resume(); state() tells everything.
  void pause() noexcept;
  void resume() noexcept;
  void announce() noexcept;
  [[nodiscard]] const CardState& state() const noexcept { return shared_.state; }
  /// Between pause() and resume(). The caller has asked validate().
  void restore(const CardState& state) noexcept;

  [[nodiscard]] const Counters& counters() const noexcept { return shared_.counters; }
  [[nodiscard]] const NetBackend& backend() const noexcept { return backend_; }
  [[nodiscard]] bool interrupt() const noexcept { return interrupts_.level(); }
  [[nodiscard]] IrqLine& interrupt_line() noexcept { return interrupts_.line(); }

 private:
  [[nodiscard]] std::uint32_t read(std::uint32_t offset) noexcept;
  void write(std::uint32_t offset, std::uint32_t value) noexcept;
  // What the registers that act do. The table of who does what is in chip_registers.cc.
  struct Handlers;
  [[nodiscard]] std::uint32_t read_ics() noexcept;
  template <class R>
  [[nodiscard]] std::uint32_t read_ring_length() noexcept;
  [[nodiscard]] std::uint32_t read_counter(std::size_t word) noexcept;
  [[nodiscard]] std::uint32_t read_octets(std::size_t word) noexcept;
  void write_ctrl(std::uint32_t value) noexcept;
  void write_ctrl_ext(std::uint32_t value) noexcept;
  void write_mdic(std::uint32_t value) noexcept;
  void write_pba(std::uint32_t value) noexcept;
  void write_rctl(std::uint32_t value) noexcept;
  template <class R>
  void write_receive_ring(std::uint32_t value) noexcept;
  void write_rdt(std::uint32_t value) noexcept;
  void write_rdtr(std::uint32_t value) noexcept;
  template <class R>
  void write_address(std::size_t word, std::uint32_t value) noexcept;
  void write_tctl(std::uint32_t value) noexcept;
  template <class R>
  void write_transmit_ring(std::uint32_t value) noexcept;
  void write_tdt(std::uint32_t value) noexcept;

  void reset_mac() noexcept;
  void link_event() noexcept;
  void update_path() noexcept;
  void kick() noexcept;

  Shared shared_;
  RegisterFile& file_;
  NetBackend& backend_;
  Interrupts interrupts_;
  Eeprom eeprom_;
  Phy phy_;
  Loopback loop_;
  Receiver receiver_;
  Transmitter transmitter_;
  bool attached_ = true;
};

inline std::uint64_t Chip::read_memory(IoAccess a) noexcept {
  const auto offset = static_cast<std::uint32_t>(a.offset);
  if (a.size == 4) [[likely]] {
    return read(offset);
  }
  if (a.size == 8) {
    const std::uint64_t low = read(offset);
    return low | std::uint64_t{read(offset + 4)} << 32U;
  }
  return read(offset) >> (offset & 3U) * 8;
}

}  // namespace dm::e1000
