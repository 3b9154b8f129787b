// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/mmio_bus.h"
#include "core/io/pio_bus.h"
#include "core/mem/guest_memory.h"
#include "core/obs/log.h"
#include "core/pci/pci_bus.h"
#include "ioreq/slot.h"

#include <cstdint>

namespace dm::ioreq {

/// Turns a request into bus accesses. Every request gets an answer, whatever is in it: if it makes
/// no sense, a read gives all ones, a write is dropped, and it is counted. String operations are
/// carried out here: items step through guest memory by their size, up or down. A run with
/// ascending addresses is given to the device in one call, on the guest's own page. One request
/// moves at most one page of items, which is also Xen's own limit. Thread rule: the loop's thread
/// only. No allocation, no lock; nothing here throws. Source: Xen public header hvm/ioreq.h.
class Dispatcher {
 public:
  struct Counters {
    std::uint64_t requests = 0;
    std::uint64_t malformed = 0;  ///< sizes, counts and addresses that Xen never sends
    std::uint64_t unknown_type = 0;
    std::uint64_t not_ram = 0;  ///< items of string operations whose memory side is not RAM
    std::uint64_t invalidations = 0;
  };

  /// If `meter` is not null, it is told of each request's end.
  Dispatcher(
      PioBus& pio, MmioBus& mmio, PciBus& pci, GuestMemory& memory, Meter* meter = nullptr) noexcept
      : pio_{pio}, mmio_{mmio}, pci_{pci}, memory_{memory}, meter_{meter} {}
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Carries the request out. Returns the answer for the slot's `data` field.
  [[nodiscard]] std::uint64_t dispatch(const Request& request) noexcept;

  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

 private:
  /// All items of a request on its bus; the answer for the slot.
  template <class Bus>
  [[nodiscard]] std::uint64_t transfer(const Request& request, Bus bus) noexcept;
  template <class Bus>
  void transfer_memory(const Request& request, Bus bus) noexcept;

  [[nodiscard]] std::uint64_t carry_out(const Request& request) noexcept;
  [[nodiscard]] std::uint64_t port_io(const Request& request) noexcept;
  [[nodiscard]] bool port_run(const Request& request, std::uint16_t port) noexcept;
  [[nodiscard]] std::uint64_t memory_io(const Request& request) noexcept;
  [[nodiscard]] std::uint64_t pci_config(const Request& request) noexcept;
  [[nodiscard]] std::uint64_t refuse(const Request& request,
                                     std::uint64_t& counter,
                                     const char* what) noexcept;

  PioBus& pio_;
  MmioBus& mmio_;
  PciBus& pci_;
  GuestMemory& memory_;
  Meter* meter_;
  DmaBuffer run_;  ///< a member, since it is too large to be made anew for each request
  Counters counters_;
  log::Limit complaints_;
};

}  // namespace dm::ioreq
