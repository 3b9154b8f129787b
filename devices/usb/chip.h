// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/io_handler.h"
#include "core/irq/irq_line.h"
#include "core/mem/guest_memory.h"
#include "core/time/timer.h"
#include "core/time/work.h"
#include "devices/usb/hid_device.h"
#include "devices/usb/schedule.h"
#include "devices/usb/state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace dm::usb {

/// What is plugged into the two ports.
using Plugged = std::array<HidKind, regs::kPorts>;

/// The controller behind its registers: a root hub of two ports, and the lists in the guest's
/// memory, which it looks at as seldom as it can.
///
/// Nothing tells when the guest has changed the lists, and a thousand looks a second are the load
/// that tablets are known for. So: each frame for 200 ms after the guest has touched a register,
/// after a port or a control transfer has changed something, and after a report has come; then
/// every 8 frames; after a second every 32; and not at all while the guest has stopped the lists,
/// or has no enabled port. A look goes through the frames that have passed, 16 at most. FRNUM
/// comes from the clock and is right at any time.
///
/// Thread rule: the loop's thread only. No allocation after construction.
class Chip final : private Bus, private ReportListener {
 public:
  struct Ports {
    GuestMemory& memory;
    TimerQueue& timers;
    WorkQueue& work;
  };
  struct Counters {
    std::uint64_t frames = 0;  ///< that were looked at
    std::uint64_t transactions = 0;
    std::uint64_t faults = 0;  ///< a list was not in memory, or was none
  };
  Chip(const Ports& ports, IrqLine irq, const Plugged& plugged);
  /// For the command register of its function, which can mask it.
  [[nodiscard]] IrqLine& interrupt_line() noexcept { return irq_; }
  ~Chip() override = default;

  /// The 32 ports of BAR 4.
  [[nodiscard]] std::uint64_t read(IoAccess a) noexcept;
  void write(IoAccess a, std::uint64_t value) noexcept;
  void set_bus_master(bool on) noexcept;

  /// Null: the port is empty.
  [[nodiscard]] HidDevice* device(unsigned port) noexcept {
    return devices_.at(port) ? &*devices_.at(port) : nullptr;
  }
  [[nodiscard]] const HidDevice* device(unsigned port) const noexcept {
    return devices_.at(port) ? &*devices_.at(port) : nullptr;
  }

  /// As after power-on; devices too.
  void reset() noexcept;
  void pause() noexcept;
  void resume() noexcept;
  [[nodiscard]] UhciState state() const noexcept;
  /// Between pause() and resume(). The caller has asked validate(), and each port has the device
  /// that it had.
  void restore(const UhciState& state) noexcept;

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] bool interrupt() const noexcept { return irq_.level(); }
  /// Is it going to look at the lists by itself?
  [[nodiscard]] bool polls() const noexcept { return timer_.armed() || work_.scheduled(); }

 private:
  [[nodiscard]] HidDevice* at(std::uint8_t address) noexcept override;
  void report_waits(unsigned port) noexcept override;

  [[nodiscard]] std::uint16_t read_word(unsigned offset) const noexcept;
  void write_word(unsigned offset, std::uint16_t value, std::uint16_t lanes) noexcept;
  void write_command(std::uint16_t value) noexcept;
  void write_port(unsigned port, std::uint16_t value, std::uint16_t lanes) noexcept;
  void reset_controller() noexcept;
  void reset_ports() noexcept;
  void start() noexcept;
  void halt() noexcept;
  void update_interrupt() noexcept;

  [[nodiscard]] bool runs() const noexcept;
  [[nodiscard]] bool walks() const noexcept;
  [[nodiscard]] bool port_active(unsigned port) const noexcept;
  [[nodiscard]] std::uint64_t passed() const noexcept;
  [[nodiscard]] std::uint16_t frame_number() const noexcept;
  void stop_clock() noexcept;
  void touched() noexcept;
  void arm() noexcept;
  void on_tick() noexcept { work_.schedule(); }
  [[nodiscard]] bool run() noexcept;
  void end_frame(const FrameResult& result) noexcept;

  GuestMemory& memory_;
  TimerQueue& timers_;
  IrqLine irq_;
  UhciState state_;  ///< but for what is the devices'
  std::array<std::uint16_t, regs::kPorts> ports_{};
  std::array<std::optional<HidDevice>, regs::kPorts> devices_;
  Schedule schedule_;
  Timer timer_;
  Work work_;
  Counters counters_;
  bool bus_master_ = false;
  bool paused_ = false;
  GuestTime started_{};       ///< when frame number state_.frame began, while the controller runs
  std::uint64_t walked_ = 0;  ///< frames since then that have been looked at or left out
  GuestTime touched_{};
};

}  // namespace dm::usb
