// SPDX-License-Identifier: MIT
#pragma once

#include "core/mem/guest_memory.h"
#include "devices/usb/hid_device.h"
#include "devices/usb/regs.h"

#include <cstdint>

namespace dm::usb {

// What one frame may cost. The last two are a frame's time on the wire: 12,000 bits, less what is
// kept free (the controller's own limit is 1280 bytes, UHCI 1.1, 2.1.1 and 3.2.3), and a
// transaction has at least a token, a handshake and the gaps between them. core/bounds.h has the
// sum: a link is a mapping at most, a transaction four more.
inline constexpr unsigned kLinksPerFrame = 256;
inline constexpr unsigned kBytesPerFrame = 1280;
inline constexpr unsigned kBytesPerTransaction = 20;

/// The devices that hear what is said on the bus.
class Bus {
 public:
  Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  virtual ~Bus() = default;
  /// Null: nobody has this address behind an enabled port.
  [[nodiscard]] virtual HidDevice* at(std::uint8_t address) noexcept = 0;
};

/// What a frame has led to.
struct FrameResult {
  bool complete = false;       ///< a TD that asked for an interrupt
  bool short_packet = false;   ///< where a TD asked to be told
  bool error = false;          ///< a transaction has failed
  bool process_error = false;  ///< a TD is none: the controller halts
  bool system_error = false;   ///< something is not in memory: the controller halts
  bool control_ended = false;
  std::uint32_t transactions = 0;  ///< all but NAK
};

/// Walks the lists of one frame (UHCI 1.1, 3.1 to 3.4). Everything in them is the guest's: it is
/// copied once, checked, and counted. A circle of queues without progress ends the frame. Thread
/// rule: the loop's thread only. No allocation.
class Schedule {
 public:
  Schedule(GuestMemory& memory, Bus& bus) noexcept : memory_{memory}, bus_{bus} {}

  /// `entry`: where in the frame list the frame's pointer is.
  [[nodiscard]] FrameResult walk(Gpa entry) noexcept;

 private:
  enum class Next : std::uint8_t { stay, queue, stop };  ///< stay: with this queue
  struct Queue {
    bool open = false;  ///< TDs are a queue's, not the frame's own
    std::uint32_t address = 0;
    std::uint32_t link = 0;
  };
  [[nodiscard]] bool enter(std::uint32_t& link) noexcept;
  [[nodiscard]] bool step(std::uint32_t& link) noexcept;
  [[nodiscard]] bool circled(std::uint32_t link) noexcept;
  [[nodiscard]] Next run(const Gpa& at, regs::TransferDescriptor& td) noexcept;
  [[nodiscard]] Next transact(regs::TransferDescriptor& td) noexcept;
  [[nodiscard]] Next setup_or_out(regs::TransferDescriptor& td, HidDevice* device) noexcept;
  [[nodiscard]] Next in(regs::TransferDescriptor& td, HidDevice* device) noexcept;
  [[nodiscard]] Next finish(regs::TransferDescriptor& td, std::uint32_t bytes) noexcept;
  [[nodiscard]] Next no_data(regs::TransferDescriptor& td, Handshake handshake) noexcept;
  [[nodiscard]] Next failed(regs::TransferDescriptor& td) noexcept;
  [[nodiscard]] Next no_memory() noexcept;

  GuestMemory& memory_;
  Bus& bus_;
  // Of the frame under way.
  FrameResult result_;
  Queue queue_;
  unsigned spent_ = 0;  ///< bytes on the wire
  std::uint32_t mark_ = 0;
  unsigned since_mark_ = 0;
  unsigned stride_ = 0;
};

}  // namespace dm::usb
