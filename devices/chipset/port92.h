// SPDX-License-Identifier: MIT
#pragma once

#include "core/io/pio_bus.h"
#include "core/ports/domain_control.h"

#include <cstdint>

namespace dm::chipset {

struct Port92State {
  std::uint8_t value = 0;
};

template <class Visitor>
void describe(Visitor& v, Port92State& s) {
  v.field(1, "value", s.value);
}
[[nodiscard]] bool validate(const Port92State& s) noexcept;

/// Port 0x92, PS/2 system control port A: bit 1 opens the A20 gate, and a change of bit 0 from 0 to
/// 1 resets. An HVM guest has no A20 gate (address line 20 is always there), so bit 1 is only
/// stored. Thread rule: the loop's thread only. Source: IBM PS/2 Hardware Interface Technical
/// Reference, system control ports.
class Port92 {
 public:
  /// Throws std::runtime_error when the port is not to be had.
  Port92(PioBus& pio, DomainControl& control);

  void reset() noexcept { state_ = {}; }
  [[nodiscard]] const Port92State& state() const noexcept { return state_; }
  void restore(const Port92State& s) noexcept { state_ = s; }

 private:
  [[nodiscard]] std::uint64_t read(IoAccess a) const noexcept;
  void write(IoAccess a, std::uint64_t value) noexcept;

  DomainControl& control_;
  Port92State state_;
  PioClaim claim_;
};

}  // namespace dm::chipset
