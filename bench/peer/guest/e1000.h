// SPDX-License-Identifier: MIT
#pragma once

#include "bench/peer/guest/drivers.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace peer {

/// 82540EM: legacy descriptors, TSO by a context descriptor, rings of 256. Registers as in the
/// 8254x developer's manual, chapter 13.
class E1000 {
 public:
  static constexpr unsigned kRing = 256;

  E1000(Vcpu& cpu, XenSide& xen, Pci& pci) noexcept : cpu_{cpu}, xen_{xen}, pci_{pci} {}

  [[nodiscard]] bool set_up() noexcept;
  /// `count` frames by one tail write; returns when the last one's descriptor is done. False after
  /// two seconds.
  [[nodiscard]] bool send(std::span<const std::byte> frame, unsigned count) noexcept;
  /// TCP segments of `payload` bytes to be cut into pieces of `mss`, header in front; a tail write
  /// for each. Returns when the last one is done; at most 14 fit into the ring.
  [[nodiscard]] bool send_tso(std::span<const std::byte> header,
                              std::uint32_t payload,
                              std::uint16_t mss,
                              unsigned requests) noexcept;

  /// Receiver off and on, with no buffer given to it yet.
  void enable_receiver() noexcept;
  /// Gives buffers and takes frames until `count` came; each one's length and first word after the
  /// Ethernet header are checked against `length` and a number that goes up by one. False after
  /// five seconds or on a wrong frame.
  [[nodiscard]] bool receive(unsigned count, std::uint32_t length, std::uint32_t& number) noexcept;
  /// Reads and so clears the interrupt causes.
  std::uint32_t causes() noexcept { return get(0x000c0); }

 private:
  std::uint32_t get(std::uint32_t reg) noexcept { return cpu_.mmio_read(kBase + reg); }
  void set(std::uint32_t reg, std::uint32_t value) noexcept { cpu_.mmio_write(kBase + reg, value); }
  [[nodiscard]] bool wait_done(unsigned index) noexcept;
  /// Returns the index of the last descriptor.
  unsigned queue_tso(std::span<const std::byte> header,
                     std::uint32_t payload,
                     std::uint16_t mss) noexcept;

  static constexpr std::uint64_t kBase = 0xf2000000;
  static constexpr std::uint64_t kTxRing = 0x1000000;
  static constexpr std::uint64_t kRxRing = 0x1010000;
  static constexpr std::uint64_t kTxBuffers = 0x1100000;
  static constexpr std::uint64_t kRxBuffers = 0x1200000;
  Vcpu& cpu_;
  XenSide& xen_;
  Pci& pci_;
  unsigned tx_tail_ = 0;
  unsigned rx_next_ = 0;  ///< the descriptor that is filled next
  unsigned rx_tail_ = 0;
};

/// The other end of the wire: a packet socket on the tap.
class Wire {
 public:
  explicit Wire(const std::string& tap);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  ~Wire();
  /// Puts numbered frames into the tap's queue.
  [[nodiscard]] bool inject(unsigned count, std::uint32_t length, std::uint32_t& number) noexcept;
  /// Waits for a frame from the guest with this content.
  [[nodiscard]] bool expect(std::span<const std::byte> frame) noexcept;
  void forget() noexcept;

 private:
  int socket_ = -1;
};

}  // namespace peer
