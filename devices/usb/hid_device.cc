// SPDX-License-Identifier: MIT
#include "devices/usb/hid_device.h"

#include "devices/usb/requests.h"

#include <algorithm>
#include <chrono>

namespace dm::usb {

namespace {

constexpr unsigned kReportEndpoint = 1;
constexpr std::chrono::seconds kReady{1};
/// Of SET_IDLE (USB HID 1.11, 7.2.4).
constexpr std::chrono::milliseconds kIdleUnit{4};

}  // namespace

HidDevice::HidDevice(HidKind kind,
                     unsigned port,
                     const TimerQueue& time,
                     ReportListener& listener) noexcept
    : kind_{kind},
      port_{port},
      time_{time},
      listener_{listener},
      input_{kind, state_.input},
      meanwhile_{kind, meanwhile_state_} {
  state_.kind = kind;
}

void HidDevice::pointer(std::uint16_t x, std::uint16_t y, std::uint8_t buttons) noexcept {
  sink().pointer(x, y, buttons, state_.configured);
  told();
}

void HidDevice::pointer_by(int dx, int dy, std::uint8_t buttons) noexcept {
  sink().pointer_by(dx, dy, buttons, state_.configured);
  told();
}

void HidDevice::key(std::uint8_t code, bool down) noexcept {
  sink().key(code, down, state_.configured);
  told();
}

void HidDevice::told() noexcept {
  if (!paused_ && input_.waiting()) {
    listener_.report_waits(port_);
  }
}

std::optional<std::uint64_t> HidDevice::since_poll() const noexcept {
  if (!polled_) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>((time_.now() - *polled_).count());
}

bool HidDevice::ready() const noexcept {
  return state_.configured && polled_ && time_.now() - *polled_ <= kReady;
}

/// All that a configuration has is as at first; what is pressed is pressed all the same.
void HidDevice::unconfigure() noexcept {
  state_.halted = state_.toggle = false;
  state_.idle = 0;
  state_.report_protocol = true;
  input_.forget();
  polled_.reset();
}

void HidDevice::bus_reset() noexcept {
  state_.address = 0;
  state_.configured = state_.remote_wakeup = false;
  state_.leds = 0;
  state_.stage = ControlStage::idle;
  state_.control_toggle = false;
  unconfigure();
}

Handshake HidDevice::setup(std::span<const std::uint8_t, 8> packet) noexcept {
  std::ranges::copy(packet, state_.setup.begin());
  const Request r = request_of(state_.setup);
  state_.moved = 0;
  state_.control_toggle = true;
  if (!acceptable(r, state_)) {
    state_.stage = ControlStage::stalled;
    return Handshake::ack;
  }
  if (r.to_host()) {
    prepare(r, state_, input_.report(false));
    state_.stage = r.length == 0 ? ControlStage::status_in : ControlStage::data_in;
  } else {
    state_.data = {};
    state_.stage = r.length == 0 ? ControlStage::status_in : ControlStage::data_out;
  }
  return Handshake::ack;
}

Handshake HidDevice::out(unsigned endpoint,
                         bool toggle,
                         std::span<const std::uint8_t> data) noexcept {
  if (endpoint != 0) {
    return Handshake::silent;
  }
  if (state_.stage == ControlStage::data_in) {
    // The status stage of a transfer to the host. It may come early (8.5.2.3).
    if (!toggle || !data.empty()) {
      state_.stage = ControlStage::stalled;
      return Handshake::stall;
    }
    end_control();
    return Handshake::ack;
  }
  if (state_.stage != ControlStage::data_out) {
    return Handshake::stall;
  }
  if (toggle != state_.control_toggle) {
    return Handshake::ack;  // the host has missed an ACK, and sends what is here already (8.6.4)
  }
  const std::size_t left = std::min<std::size_t>(request_of(state_.setup).length - state_.moved,
                                                 state_.data.size() - state_.moved);
  if (data.size() > left) {
    state_.stage = ControlStage::stalled;
    return Handshake::stall;
  }
  std::ranges::copy(data, state_.data.begin() + state_.moved);
  state_.moved = static_cast<std::uint16_t>(state_.moved + data.size());
  state_.control_toggle = !toggle;
  return Handshake::ack;
}

InPacket HidDevice::control_in() noexcept {
  const Request r = request_of(state_.setup);
  InPacket packet{.handshake = Handshake::ack, .toggle = true};
  switch (state_.stage) {
    case ControlStage::data_in: {
      const Descriptor all = answer(r, state_);
      const Descriptor left =
          all.first(std::min<std::size_t>(all.size(), r.length)).subspan(state_.moved);
      packet.length = static_cast<std::uint8_t>(std::min(left.size(), kMaxPacket));
      std::ranges::copy(left.first(packet.length), packet.data.begin());
      packet.toggle = state_.control_toggle;
      return packet;
    }
    case ControlStage::data_out:
      if (state_.moved != r.length) {
        break;
      }
      return packet;
    case ControlStage::status_in:
      return packet;
    case ControlStage::idle:
    case ControlStage::stalled:
      break;
  }
  return {.handshake = Handshake::stall};
}

/// With an idle rate a report comes again when nothing has changed for so long (7.2.4).
bool HidDevice::report_due() const noexcept {
  return input_.waiting() ||
         (state_.idle != 0 && time_.now() - reported_ >= kIdleUnit * state_.idle);
}

InPacket HidDevice::in(unsigned endpoint) noexcept {
  if (endpoint == 0) {
    return control_in();
  }
  if (endpoint != kReportEndpoint || !state_.configured) {
    return {};
  }
  polled_ = time_.now();
  if (state_.halted) {
    return {.handshake = Handshake::stall};
  }
  if (!report_due()) {
    return {.handshake = Handshake::nak};
  }
  const HidReport report = input_.report(!state_.report_protocol);
  return {.handshake = Handshake::ack,
          .toggle = state_.toggle,
          .length = report.length,
          .data = report.bytes};
}

void HidDevice::accept(unsigned endpoint, const InPacket& packet, bool taken) noexcept {
  if (endpoint == 0) {
    accept_control(packet, taken);
    return;
  }
  state_.toggle = !packet.toggle;
  if (taken) {
    input_.sent();
    reported_ = time_.now();
  }
}

void HidDevice::accept_control(const InPacket& packet, bool taken) noexcept {
  if (state_.stage == ControlStage::data_in) {
    state_.control_toggle = !packet.toggle;
    if (taken) {
      state_.moved = static_cast<std::uint16_t>(state_.moved + packet.length);
    }
  } else if (taken) {
    const Request r = request_of(state_.setup);
    if (!r.to_host() && perform(r, state_)) {
      unconfigure();
    }
    end_control();
  }
}

void HidDevice::end_control() noexcept {
  state_.stage = ControlStage::idle;
  control_ended_ = true;
}

bool HidDevice::control_ended() noexcept {
  const bool ended = control_ended_;
  control_ended_ = false;
  return ended;
}

void HidDevice::reset() noexcept {
  HidState fresh;
  fresh.kind = kind_;
  change_state(fresh);
  polled_.reset();
}

void HidDevice::change_state(const HidState& state) noexcept {
  state_ = state;
  meanwhile_state_ = state_.input;
}

void HidDevice::restore(const HidState& state) noexcept {
  change_state(state);
  polled_.reset();
  reported_ = time_.now();
}

void HidDevice::pause() noexcept {
  if (!paused_) {
    paused_ = true;
    meanwhile_state_ = state_.input;
  }
}

void HidDevice::resume() noexcept {
  if (paused_) {
    paused_ = false;
    state_.input = meanwhile_state_;
    told();
  }
}

}  // namespace dm::usb
