// SPDX-License-Identifier: MIT
#include "devices/chipset/fixed_ports.h"

#include <stdexcept>
#include <string>

namespace dm::chipset {

PioClaim claim_fixed(PioBus& bus, PortRange range, IoHandler handler, std::string_view name) {
  PioClaim claim = bus.claim(range, handler, name);
  if (claim.ok()) {
    return claim;
  }
  std::string why = "ports of " + std::string{name};
  if (claim.status() == ClaimStatus::overlap) {
    why += " are held by " + std::string{claim.holder()};
  } else {
    why += claim.status() == ClaimStatus::table_full ? ": the port table is full"
                                                     : ": refused by the hypervisor";
  }
  throw std::runtime_error(why);
}

}  // namespace dm::chipset
