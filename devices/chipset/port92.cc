// SPDX-License-Identifier: MIT
#include "devices/chipset/port92.h"

#include "core/reg/field.h"
#include "devices/chipset/fixed_ports.h"

#include <utility>

namespace dm::chipset {

namespace {
using ALT_A20 = reg::Flag<1>;
using ALT_RESET = reg::Flag<0>;
constexpr std::uint64_t kKept = reg::Layout<ALT_A20, ALT_RESET>::kWritable;
}  // namespace

bool validate(const Port92State& s) noexcept {
  return (s.value & ~kKept) == 0;
}

Port92::Port92(PioBus& pio, DomainControl& control)
    : control_{control},
      claim_{claim_fixed(
          pio, {0x92, 0x92}, IoHandler::bind<&Port92::read, &Port92::write>(*this), "port 92")} {}

std::uint64_t Port92::read(IoAccess /*a*/) const noexcept {
  return state_.value;
}

void Port92::write(IoAccess /*a*/, std::uint64_t value) noexcept {
  const std::uint8_t old = std::exchange(state_.value, static_cast<std::uint8_t>(value & kKept));
  if (ALT_RESET::test(value) && !ALT_RESET::test(old)) {
    control_.shutdown(ShutdownReason::reboot);
  }
}

}  // namespace dm::chipset
