// SPDX-License-Identifier: MIT
#pragma once

#include "devices/e1000/state.h"

#include <cstdint>

namespace dm::e1000 {

/// The PHY, a Marvell 88E1011 at address 1, as seen through MDIC (8254x SDM, 13.4.8; IEEE
/// 802.3, 22.2.4). A link partner with 1000BASE-T full duplex is at the other end of the cable
/// whenever the backend has a link, and negotiation takes no time.
class Phy {
 public:
  explicit Phy(CardState& state) noexcept : file_{state.file}, s_{state.phy} {}
  Phy(const Phy&) = delete;
  Phy& operator=(const Phy&) = delete;
  ~Phy() = default;

  /// What an access tells the rest of the chip.
  struct Effect {
    bool link_event = false;  ///< negotiated anew, or the link came or went: LSC
    bool mdio_done = false;   ///< MDIC asked for an interrupt: MDAC
  };
  [[nodiscard]] Effect write_mdic(std::uint32_t value) noexcept;
  /// Power-on, or CTRL.PHY_RST.
  void reset() noexcept;
  /// The backend's side of the cable. True when link() changed.
  bool set_cable(bool up) noexcept;

  /// A frame can leave and arrive.
  [[nodiscard]] bool link() const noexcept;
  [[nodiscard]] bool loopback() const noexcept;
  /// Brings everything that shows the link in line, after a load.
  void refresh() noexcept;

 private:
  [[nodiscard]] bool write(std::uint32_t reg, std::uint16_t value) noexcept;
  [[nodiscard]] bool write_control(std::uint16_t value) noexcept;
  [[nodiscard]] std::uint16_t read(std::uint32_t reg) noexcept;

  RegisterFile& file_;
  PhyState& s_;
  bool cable_ = false;
};

}  // namespace dm::e1000
