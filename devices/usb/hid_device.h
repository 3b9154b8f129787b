// SPDX-License-Identifier: MIT
#pragma once

#include "core/backend/input_device.h"
#include "core/time/timer.h"
#include "devices/usb/hid_input.h"
#include "devices/usb/state.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dm::usb {

/// What a device does with one token (USB 1.1, 8.4.4).
enum class Handshake : std::uint8_t {
  ack,     ///< of IN: a data packet
  nak,     ///< not now
  stall,   ///< never
  silent,  ///< nothing at all: the controller waits in vain
};
struct InPacket {
  Handshake handshake = Handshake::silent;
  bool toggle = false;  ///< DATA1
  std::uint8_t length = 0;
  std::array<std::uint8_t, kMaxPacket> data{};
};

/// Who is told that a report waits: the controller, which may be looking seldom.
class ReportListener {
 public:
  ReportListener() = default;
  ReportListener(const ReportListener&) = delete;
  ReportListener& operator=(const ReportListener&) = delete;
  virtual ~ReportListener() = default;
  virtual void report_waits(unsigned port) noexcept = 0;
};

/// A full-speed USB device with one HID interface: tablet, mouse or keyboard. Endpoint 0 and
/// endpoint 81h, both of 8 bytes. Answers come from constant tables, and a SETUP begins anew
/// whatever was under way, so nothing that a guest does out of order leads anywhere. Thread rule:
/// the loop's thread only. No allocation. Source: USB 1.1, chapters 8 and 9; USB HID 1.11, ch. 7.
class HidDevice final : public PointerDevice {
 public:
  HidDevice(HidKind kind, unsigned port, const TimerQueue& time, ReportListener& listener) noexcept;
  HidDevice(const HidDevice&) = delete;
  HidDevice& operator=(const HidDevice&) = delete;
  ~HidDevice() override = default;

  // A person's side. What one kind does not have, it ignores.

  /// A tablet's: where the pointer is, 0 to 32767 from left and top. `buttons`: bit 0 left, 1
  /// middle, 2 right, 3 wheel up, 4 wheel down; a step of the wheel is a bit that becomes 1.
  void pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) noexcept override;
  /// A mouse's (a tablet's pointer moves by it): steps, right and down are positive.
  void pointer_by(int dx, int dy, std::uint8_t buttons) noexcept;
  /// A keyboard's: an XT set-1 code with bit 7 for a prefix of E0h. Codes without a key do nothing.
  void key(std::uint8_t code, bool down) noexcept;
  /// The guest has configured the device, and has asked for a report within the last second.
  [[nodiscard]] bool ready() const noexcept override;

  // The bus' side.

  [[nodiscard]] HidKind kind() const noexcept { return kind_; }
  [[nodiscard]] std::uint8_t address() const noexcept { return state_.address; }
  [[nodiscard]] bool may_wake() const noexcept { return state_.remote_wakeup; }
  [[nodiscard]] bool report_waiting() const noexcept { return input_.waiting(); }
  void bus_reset() noexcept;
  [[nodiscard]] Handshake setup(std::span<const std::uint8_t, 8> packet) noexcept;
  [[nodiscard]] Handshake out(unsigned endpoint,
                              bool toggle,
                              std::span<const std::uint8_t> data) noexcept;
  /// What the device would send. It goes on when it hears the host's handshake: accept().
  [[nodiscard]] InPacket in(unsigned endpoint) noexcept;
  /// The host has acknowledged the packet. `taken`: false: it had the wrong toggle, so the host has
  /// thrown it away; what was in it is sent again.
  void accept(unsigned endpoint, const InPacket& packet, bool taken) noexcept;
  /// True once for each control transfer that has ended.
  [[nodiscard]] bool control_ended() noexcept;

  // The machine's side.

  /// As after power-on: nobody has touched it.
  void reset() noexcept;
  /// Between the two, what a person does waits.
  void pause() noexcept;
  void resume() noexcept;
  [[nodiscard]] const HidState& state() const noexcept { return state_; }
  /// The caller has asked validate().
  void restore(const HidState& state) noexcept;
  /// ns since the guest has last asked for a report; nothing: never.
  [[nodiscard]] std::optional<std::uint64_t> since_poll() const noexcept;
  [[nodiscard]] std::uint64_t merged() const noexcept { return input_.merged(); }

 private:
  void told() noexcept;
  void unconfigure() noexcept;
  void change_state(const HidState& state) noexcept;
  [[nodiscard]] bool report_due() const noexcept;
  [[nodiscard]] InPacket control_in() noexcept;
  void accept_control(const InPacket& packet, bool taken) noexcept;
  void end_control() noexcept;
  /// The state may not change while the machine is paused.
  [[nodiscard]] HidInput& sink() noexcept { return paused_ ? meanwhile_ : input_; }

  const HidKind kind_;
  const unsigned port_;
  const TimerQueue& time_;
  ReportListener& listener_;
  HidState state_;
  HidInput input_;
  HidInputState meanwhile_state_;  ///< `state_.input` of a machine that is not paused any more
  HidInput meanwhile_;
  bool paused_ = false;
  bool control_ended_ = false;
  std::optional<GuestTime> polled_;
  GuestTime reported_{};
};

}  // namespace dm::usb
