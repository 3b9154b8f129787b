// SPDX-License-Identifier: MIT
#pragma once

#include "bench/peer/standin/peer_abi.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace peer {

[[noreturn]] void die(const std::string& what);

/// Time stamps of the bench: the processor's counter, calibrated once. Nanoseconds as a double.
class Clock {
 public:
  Clock();
  [[nodiscard]] static std::uint64_t ticks() noexcept { return __builtin_ia32_rdtsc(); }
  [[nodiscard]] double ns(std::uint64_t tick_count) const noexcept {
    return static_cast<double>(tick_count) * ns_per_tick_;
  }

 private:
  double ns_per_tick_ = 1;
};

/// The hypervisor's half of the stand-in: shared files, event channels, and the guest's memory.
class XenSide {
 public:
  XenSide(std::string folder, std::uint64_t ram_bytes, std::uint32_t slow_ns);
  XenSide(const XenSide&) = delete;
  XenSide& operator=(const XenSide&) = delete;
  ~XenSide();

  [[nodiscard]] Control& control() noexcept { return *control_; }
  [[nodiscard]] std::byte* slot() noexcept { return slots_ + 4096; }
  [[nodiscard]] std::span<std::byte> ram() noexcept { return {ram_, ram_bytes_}; }
  template <class T>
  [[nodiscard]] T* at(std::uint64_t gpa) noexcept {
    return reinterpret_cast<T*>(ram_ + gpa);
  }
  /// Would Xen send this access to the device model?
  [[nodiscard]] bool claimed(RangeKind kind,
                             std::uint64_t first,
                             std::uint64_t last) const noexcept;

  /// Signals vCPU 0's port, with a real port's masking: a port that was delivered stays masked
  /// until it is written back, and an event that comes meanwhile is delivered then.
  void signal() noexcept;
  /// Delivers an event that came while the port was masked, once it is not any more.
  void deliver_pending() noexcept;
  /// Sleeps until the device model notifies or moves an interrupt line.
  void sleep_until_woken() noexcept;
  /// Forgets wake-ups that came while nobody slept.
  void drain_wakes() noexcept;
  [[nodiscard]] int wake_descriptor() const noexcept { return wake_; }

 private:
  void take_unmasks() noexcept;
  void signal_by_eventfd() noexcept;

  std::string folder_;
  std::uint64_t ram_bytes_;
  std::byte* ram_ = nullptr;
  std::byte* slots_ = nullptr;
  Control* control_ = nullptr;
  int wake_ = -1;
  int quick_ = -1;   ///< carries the port once the device model uses the library's calls
  int events_ = -1;  ///< our end of the stream that carries ports
  int theirs_ = -1;
  bool masked_ = false;
  bool pending_ = false;
};

/// How vCPU 0 waits for an answer.
enum class Wait : std::uint8_t { spin, sleep };

/// Requests of vCPU 0. Numbers as in Xen's public header hvm/ioreq.h.
class Vcpu {
 public:
  explicit Vcpu(XenSide& xen) noexcept : xen_{xen} {}

  void wait_by(Wait wait) noexcept { wait_ = wait; }
  std::uint32_t in(std::uint16_t port, unsigned size) noexcept {
    return static_cast<std::uint32_t>(request(0, port, size, true, 0));
  }
  void out(std::uint16_t port, unsigned size, std::uint32_t value) noexcept {
    request(0, port, size, false, value);
  }
  std::uint8_t inb(std::uint16_t port) noexcept { return static_cast<std::uint8_t>(in(port, 1)); }
  void outb(std::uint16_t port, std::uint8_t value) noexcept { out(port, 1, value); }
  void rep_in(std::uint16_t port, unsigned size, std::uint64_t gpa, std::uint32_t count) noexcept {
    request(0, port, size, true, gpa, count, true);
  }
  void rep_out(std::uint16_t port, unsigned size, std::uint64_t gpa, std::uint32_t count) noexcept {
    request(0, port, size, false, gpa, count, true);
  }
  std::uint32_t mmio_read(std::uint64_t address) noexcept {
    return static_cast<std::uint32_t>(request(1, address, 4, true, 0));
  }
  void mmio_write(std::uint64_t address, std::uint32_t value) noexcept {
    request(1, address, 4, false, value);
  }
  std::uint32_t config_read(unsigned devfn, unsigned reg, unsigned size) noexcept;
  void config_write(unsigned devfn, unsigned reg, unsigned size, std::uint32_t value) noexcept;
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

  /// Waits for an interrupt line to be high. False after two seconds.
  [[nodiscard]] bool wait_line(const std::atomic<std::uint8_t>& line) noexcept;

 private:
  std::uint64_t request(std::uint8_t type,
                        std::uint64_t address,
                        unsigned size,
                        bool read,
                        std::uint64_t data,
                        std::uint32_t count = 1,
                        bool pointer = false) noexcept;

  XenSide& xen_;
  Wait wait_ = Wait::spin;
  std::uint64_t requests_ = 0;
};

}  // namespace peer
