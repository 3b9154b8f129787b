// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/net.h"
#include "core/io/io_handler.h"
#include "core/irq/irq_line.h"
#include "core/mem/guest_memory.h"
#include "core/time/timer.h"
#include "core/time/work.h"
#include "devices/rtl8139/eeprom.h"
#include "devices/rtl8139/interrupts.h"
#include "devices/rtl8139/phy.h"
#include "devices/rtl8139/receiver.h"
#include "devices/rtl8139/shared.h"
#include "devices/rtl8139/transmitter.h"

#include <cstddef>
#include <cstdint>

namespace dm::rtl8139 {

/// The RTL8139C+ behind its register file: what an access of a register does, reset, link. It does
/// not know where its registers are in the guest's address space; the PCI function does
/// (rtl8139.h). Thread rule: the loop's thread only. No allocation after construction.
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

  /// The 256 bytes of registers, which both BARs show. A read of any width is composed of the
  /// registers that it covers, a write is split, the lower register first.
  [[nodiscard]] std::uint64_t read(IoAccess a) noexcept;
  void write(IoAccess a, std::uint64_t value) noexcept;

  void set_bus_master(bool on) noexcept;
  /// The card leaves the machine: the pin goes low, nothing is sent or received any more.
  void leave() noexcept;

  void on_receivable() noexcept override { receiver_.on_receivable(); }
  void on_sendable() noexcept override { transmitter_.on_sendable(); }
  void on_link(bool up) noexcept override;

  /// Power-on and PCI reset: everything but what was written into the EEPROM.
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
  // What the registers that act do. The table of who does what is in chip_registers.cc.
  struct Handlers;
  [[nodiscard]] std::uint32_t read_cr() noexcept;
  [[nodiscard]] std::uint32_t read_imr() noexcept;
  [[nodiscard]] std::uint32_t read_isr() noexcept;
  [[nodiscard]] std::uint32_t read_tsad() noexcept;
  void write_address(std::size_t first, Written w) noexcept;
  void write_tsd(std::size_t first, Written w) noexcept;
  void write_tsad(std::size_t first, Written w) noexcept;
  void write_cr(Written w) noexcept;
  void write_capr(Written w) noexcept;
  void write_imr(Written w) noexcept;
  void write_isr(Written w) noexcept;
  void write_tcr(Written w) noexcept;
  void write_rcr(Written w) noexcept;
  void write_tctr(Written w) noexcept;
  void write_mpc(Written w) noexcept;
  void write_eecr(Written w) noexcept;
  void write_locked(std::size_t first, Written w) noexcept;
  void write_hltclk(Written w) noexcept;
  void write_tppoll(Written w) noexcept;
  void write_cpcr(Written w) noexcept;
  void write_rdsar(std::size_t first, Written w) noexcept;

  void write_tally_command(std::size_t first, const Written& w) noexcept;
  void dump_tally(std::uint64_t address) noexcept;
  void reset_soft() noexcept;
  void start_over() noexcept;
  void update_path() noexcept;
  void kick() noexcept;

  Shared shared_;
  RegisterFile& file_;
  GuestMemory& memory_;
  NetBackend& backend_;
  Interrupts interrupts_;
  Eeprom eeprom_;
  Phy phy_;
  Loopback loop_;
  Receiver receiver_;
  Transmitter transmitter_;
  bool attached_ = true;
};

}  // namespace dm::rtl8139
