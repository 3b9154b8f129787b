// SPDX-License-Identifier: MIT
#include "tests/qtest/pins.h"

namespace dm::qtest {

void Pins::set_isa_level(std::uint8_t irq, bool level) noexcept {
  isa_[irq % kIsaPins] = level;
  look();
}

void Pins::set_intx_level(std::uint8_t device, std::uint8_t pin, bool level) noexcept {
  const unsigned gsi = device * 4U + device / 8U + pin;
  unsigned& wires = gsi_[gsi % gsi_.size()];
  unsigned& link = links_[(unsigned{device} + pin) % kLinks];
  wires = level ? wires + 1 : wires - 1;  // the router sends changes only
  link = level ? link + 1 : link - 1;
  look();
}

void Pins::set_link_route(std::uint8_t link, std::uint8_t irq) noexcept {
  routes_[link % kLinks] = irq;
  look();
}

void Pins::look() noexcept {
  std::array<bool, kPins> now{};
  for (std::size_t i = 0; i < kIsaPins; ++i) {
    now[i] = isa_[i];
  }
  for (std::size_t link = 0; link < kLinks; ++link) {
    if (routes_[link] != 0 && links_[link] != 0) {
      now[routes_[link] % kIsaPins] = true;
    }
  }
  for (std::size_t i = 0; i < gsi_.size(); ++i) {
    now[kIsaPins + i] = gsi_[i] != 0;
  }
  const auto before = levels_;
  levels_ = now;
  for (std::size_t pin = 0; pin < kPins; ++pin) {
    if (before[pin] != now[pin]) {
      changed(pin, now[pin]);
    }
  }
}

}  // namespace dm::qtest
