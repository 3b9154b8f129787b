// SPDX-License-Identifier: MIT
#include "platform/pv/keyboard.h"

#include "core/obs/log.h"

namespace dm::pv {

Result<std::optional<Nodes>> Keyboard::prepare(const Values& /*values*/) {
  return std::optional{Nodes{{.key = "feature-disable-pointer", .value = "1"}}};
}

Result<Nodes> Keyboard::connect(const Values& /*values*/) {
  return Nodes{};
}

Result<std::optional<Nodes>> Unserved::prepare(const Values& /*values*/) {
  log::info("the PV framebuffer is not served; vnc=0 and sdl=0 in xl.cfg do without");
  return std::optional{Nodes{}};
}

Result<Nodes> Unserved::connect(const Values& /*values*/) {
  return Error{"there is nothing behind it"};
}

}  // namespace dm::pv
