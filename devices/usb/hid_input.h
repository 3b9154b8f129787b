// SPDX-License-Identifier: MIT
#pragma once

#include "devices/usb/descriptors.h"
#include "devices/usb/state.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace dm::usb {

/// A report as it goes to the guest.
struct HidReport {
  std::array<std::uint8_t, kMaxPacket> bytes{};
  std::uint8_t length = 0;
};

/// What a person does at a tablet, mouse or keyboard, until the guest fetches it as reports. A
/// movement without a change of buttons joins the one before it. Thread rule: the loop's thread
/// only. Source: USB HID 1.11, appendix B; HID Usage Tables 1.12, chapter 10.
class HidInput {
 public:
  HidInput(HidKind kind, HidInputState& state) noexcept : kind_{kind}, state_{state} {}

  /// Of HidDevice. `queue`: false: nobody fetches reports, so only where things are is kept.
  void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons, bool queue) noexcept;
  void pointer_by(int dx, int dy, std::uint8_t buttons, bool queue) noexcept;
  void key(std::uint8_t code, bool down, bool queue) noexcept;

  [[nodiscard]] bool waiting() const noexcept { return state_.queue.count != 0; }
  /// What the guest gets next; where nothing waits, how things are. `boot`: as the boot protocol
  /// has it.
  [[nodiscard]] HidReport report(bool boot) const noexcept;
  /// The guest has the report.
  void sent() noexcept;
  /// What waits takes effect without a report.
  void forget() noexcept;

  /// Events that took effect without a report of their own, because the queue was full.
  [[nodiscard]] std::uint64_t merged() const noexcept { return merged_; }

 private:
  struct Event {
    std::uint16_t x = 0;
    std::uint16_t y = 0;
    std::uint8_t buttons = 0;
    std::uint8_t wheel = 0;
  };
  [[nodiscard]] Event front() const noexcept;
  void push(const Event& event, bool queue) noexcept;
  [[nodiscard]] bool joined(const Event& event) noexcept;
  void pop() noexcept;
  [[nodiscard]] std::uint8_t wheel_of(std::uint8_t buttons) noexcept;
  [[nodiscard]] std::uint8_t last_buttons() const noexcept;

  const HidKind kind_;
  HidInputState& state_;
  std::uint64_t merged_ = 0;
};

}  // namespace dm::usb
