// SPDX-License-Identifier: MIT
#pragma once

#include "devices/rtl8139/state.h"

#include <cstdint>

namespace dm::rtl8139 {

/// The PHY inside of the chip, and the registers that show its link. A partner with 100BASE-TX full
/// duplex is at the other end of the cable whenever the back end has a link, and negotiation takes
/// no time. Thread rule: the loop's thread only. Source: IEEE 802.3, 22.2.4.
class Phy {
 public:
  explicit Phy(CardState& state) noexcept : s_{state} {}
  Phy(const Phy&) = delete;
  Phy& operator=(const Phy&) = delete;
  ~Phy() = default;

  [[nodiscard]] bool link() const noexcept { return cable_; }
  /// The back end's side of the cable. True when link() changed.
  bool set_cable(bool up) noexcept;

  [[nodiscard]] std::uint32_t read_msr() noexcept;
  /// The link bit was down once if the link was.
  [[nodiscard]] std::uint32_t read_bmsr() noexcept;
  [[nodiscard]] std::uint32_t read_anlpar() noexcept;
  /// LINK_CHANGE is shown once.
  [[nodiscard]] std::uint32_t read_cscr() noexcept;

 private:
  CardState& s_;
  bool cable_ = false;
};

}  // namespace dm::rtl8139
